"""Owns what is done once changes have come to rest: the next start's frame is kept, memory freed.

It never makes anything wait for it, and a frame that can't be kept is no fault.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from app.domain.changes import ChangeSet
from app.domain.clock import Clock
from app.domain.errors import AppError
from app.process_memory import give_back
from app.store.store import Store
from contract.ids import ConversationId
from contract.wire import Me

QUIET_S = 5.0
LONGEST_WAIT_S = 60.0


class FrameKeeping:
    """Follows what is on screen and what changes."""

    def __init__(self, store: Store, clock: Clock, me: Callable[[], Me | None]) -> None:
        self._store = store
        self._clock = clock
        self._me = me
        self._conversation_id: ConversationId | None = None
        self._dirty = asyncio.Event()
        self._changes = 0

    def show(self, conversation_id: ConversationId | None) -> None:
        """Note which conversation is on screen."""
        if conversation_id != self._conversation_id:
            self._conversation_id = conversation_id
            self._note()

    def changed(self, changes: ChangeSet) -> None:
        """Take a change set."""
        if not changes.is_empty():
            self._note()

    async def run(self) -> None:
        """Keep a frame whenever changes have come to rest, or did not for a minute."""
        while True:
            await self._dirty.wait()
            waited_s, seen = 0.0, -1
            while seen != self._changes and waited_s < LONGEST_WAIT_S:
                seen = self._changes
                await asyncio.sleep(QUIET_S)
                waited_s += QUIET_S
            await self.keep()
            with contextlib.suppress(AppError):
                await self._store.rest()
            await asyncio.to_thread(give_back)

    async def keep(self) -> None:
        """Keep a frame now when anything changed since the last one."""
        if not self._dirty.is_set():
            return
        self._dirty.clear()
        with contextlib.suppress(AppError):  # a full disk: the next start opens the store first
            await self._store.frames.keep(
                self._conversation_id, self._me(), self._clock.now_utc_ms()
            )

    def _note(self) -> None:
        self._changes += 1
        self._dirty.set()
