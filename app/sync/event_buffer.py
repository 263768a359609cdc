"""Owns the bounded queue between the stream that reads events and the store that takes them.

It never drops an event: a full buffer makes the stream wait.
"""

from __future__ import annotations

import asyncio
from collections import deque

from contract.events import Event

CAPACITY = 4_000
# While more than a few events come a second, they are gathered: a commit for each would keep
# the store's threads, and with them the window, busier than their content asks for.
GATHERED_S = 0.08
FLOOD_EVENTS = 16
FLOOD_WITHIN_S = 0.3


class EventBuffer:
    """One writer, one reader, both on one loop."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._events: deque[Event] = deque()
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False
        self._taken: deque[tuple[float, int]] = deque()

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
        """Return 1 … `most` events in order, waiting for the first; empty once closed.

        In a flood it waits a moment for more, unless `most` are there.
        """
        await self._first()
        if (rest_s := self._rest_s()) > 0:
            await self._gather(most, rest_s)
        taken = [self._events.popleft() for _ in range(min(most, len(self._events)))]
        self._taken.append((asyncio.get_running_loop().time(), len(taken)))
        self._room.set()
        return taken

    async def _first(self) -> None:
        while not self._events and not self._closed:
            self._filled.clear()
            await self._filled.wait()

    def _rest_s(self) -> float:
        """Return how long to wait for more, 0 when few events came lately."""
        now = asyncio.get_running_loop().time()
        while self._taken and self._taken[0][0] < now - FLOOD_WITHIN_S:
            self._taken.popleft()
        if sum(count for _, count in self._taken) < FLOOD_EVENTS:
            return 0.0
        return self._taken[-1][0] + GATHERED_S - now

    async def _gather(self, most: int, rest_s: float) -> None:
        try:
            async with asyncio.timeout(rest_s):
                while len(self._events) < min(most, self._capacity) and not self._closed:
                    self._filled.clear()
                    await self._filled.wait()
        except TimeoutError:
            pass
