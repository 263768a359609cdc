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
        self._is_kept = True
        self._stirred = asyncio.Event()
        self._stirred_at_s = 0.0

    def show(self, conversation_id: ConversationId | None) -> None:
        """Note which conversation is on screen."""
        if conversation_id != self._conversation_id:
            self._conversation_id = conversation_id
            self._note()

    def changed(self, changes: ChangeSet) -> None:
        """Take a change set."""
        if not changes.is_empty():
            self._note()

    def stir(self) -> None:
        """Note work that took memory and changed nothing; what it no longer needs is given back."""
        self._stirred_at_s = self._clock.monotonic_s()
        self._stirred.set()

    async def run(self) -> None:
        """Keep a frame whenever all has come to rest, or did not for a minute; free memory then."""
        while True:
            await self._stirred.wait()
            await self._quiet()
            self._stirred.clear()
            await self.keep()
            with contextlib.suppress(AppError):
                await self._store.rest()
            await asyncio.to_thread(give_back)

    async def keep(self) -> None:
        """Keep a frame now when anything changed since the last one."""
        if self._is_kept:
            return
        self._is_kept = True
        with contextlib.suppress(AppError):  # a full disk: the next start opens the store first
            await self._store.frames.keep(
                self._conversation_id, self._me(), self._clock.now_utc_ms()
            )

    def _note(self) -> None:
        self._is_kept = False
        self.stir()

    async def _quiet(self) -> None:
        """Return QUIET_S after the last stir, or LONGEST_WAIT_S from now."""
        latest_s = self._clock.monotonic_s() + LONGEST_WAIT_S
        while True:
            until_s = min(self._stirred_at_s + QUIET_S, latest_s)
            left_s = until_s - self._clock.monotonic_s()
            if left_s <= 0:
                return
            await asyncio.sleep(left_s)
