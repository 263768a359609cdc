"""Owns the bounded queue between the stream that reads events and the store that takes them.

It never drops an event: a full buffer makes the stream wait.
"""

from __future__ import annotations

import asyncio
from collections import deque

from contract.events import Event

CAPACITY = 4_000


class EventBuffer:
    """One writer, one reader, both on one loop."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._events: deque[Event] = deque()
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False

    async def add(self, event: Event) -> None:
        """Put an event at the end; waits while the buffer is full."""
        while len(self._events) >= self._capacity:
            self._room.clear()
            await self._room.wait()
        self._events.append(event)
        self._filled.set()

    def close(self) -> None:
        """Tell the reader that nothing more will come."""
        self._closed = True
        self._filled.set()

    async def take(self, most: int) -> list[Event]:
        """Return 1 … `most` events in order, waiting for the first; empty once closed."""
        while not self._events and not self._closed:
            self._filled.clear()
            await self._filled.wait()
        taken = [self._events.popleft() for _ in range(min(most, len(self._events)))]
        self._room.set()
        return taken
