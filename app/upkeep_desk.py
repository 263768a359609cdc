"""Owns when the local files are checked, tidied and kept within their limits, and how far that is.

It never works while a first sync fills the cache, and begins one job only at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from app.domain.changes import ChangeSet
from app.domain.errors import AppError, DiskFull
from app.domain.listeners import Listeners
from app.domain.upkeep import StorageUse, UpkeepEnd, UpkeepJob, UpkeepOutcome, UpkeepState
from app.settings.keys import Key
from app.settings.settings import Settings
from app.store.store import Store

_LOG = logging.getLogger(__name__)

Spawn = Callable[[str, Callable[[], Coroutine[Any, Any, None]]], None]
Unsubscribe = Callable[[], None]

# The window comes first; then the limits are looked at now and again.
_FIRST_LOOK_S = 20.0
_LOOK_EVERY_S = 600.0
# Some room below the limit, so that not every new message begins it again.
_DOWN_TO = 0.95
_MEGABYTE = 1 << 20


class UpkeepDesk:
    """Runs the jobs of `Store.upkeep`; `state` is told to subscribers on the loop's thread."""

    def __init__(
        self,
        store: Store,
        settings: Callable[[], Settings],
        spawn: Spawn,
        is_filling: Callable[[], bool],
        let_go: Callable[[], None],
    ) -> None:
        """`is_filling` tells of a first sync; `let_go` is called after messages were let go."""
        self.state = UpkeepState()
        self._store = store
        self._settings = settings
        self._spawn = spawn
        self._is_filling = is_filling
        self._let_go = let_go
        self._task: asyncio.Task[Any] | None = None
        self._wake = asyncio.Event()
        self._files_gone = True
        self._purged = False
        self._declined = False
        self._listeners = Listeners[UpkeepState]()

    # -- what the window asks ------------------------------------------------------------------

    def start(self, job: UpkeepJob) -> None:
        """Begin a job unless one runs."""
        if self.state.job is None:
            self._show(UpkeepState(job))
            self._spawn(f"upkeep {job}", lambda: self._run(job))

    def cancel(self) -> None:
        """Cut the running job short between two of its steps; what it did stays done.

        The limit for messages then waits until Parley starts again or the limit is changed.
        """
        if self._task is not None:
            self._declined = self._declined or self.state.job is UpkeepJob.LET_GO
            self._task.cancel()

    async def use(self) -> StorageUse:
        """Return what the files take and may take."""
        return StorageUse(
            await self._store.upkeep.used_bytes(),
            self._limit_bytes(Key.LOCAL_CACHE_MEGABYTES),
            await self._store.files.held_bytes(),
            self._limit_bytes(Key.ATTACHMENT_CACHE_MEGABYTES),
        )

    def subscribe(self, callback: Callable[[UpkeepState], None]) -> Unsubscribe:
        """Call `callback` with each new state; return how to stop that."""
        return self._listeners.add(callback)

    # -- what begins by itself -------------------------------------------------------------------

    def changed(self, changes: ChangeSet) -> None:
        """Take a commit: files and copies of what was revoked, erased or emptied go soon."""
        is_purge = changes.files_gone or bool(changes.removed_conversations)
        self._purged = self._purged or is_purge
        if is_purge or changes.reset:
            self._files_gone = True
            self._wake.set()

    def limits_changed(self) -> None:
        """Look at the limits again, because somebody may have changed them."""
        self._declined = False
        self._store.files.limit_bytes = self._limit_bytes(Key.ATTACHMENT_CACHE_MEGABYTES)
        self._wake.set()

    async def run(self) -> None:
        """Keep the files within their limits for ever; cancel to stop."""
        self._store.files.limit_bytes = self._limit_bytes(Key.ATTACHMENT_CACHE_MEGABYTES)
        await self._pause(_FIRST_LOOK_S)
        if await self._store.upkeep.is_index_unfinished():
            self.start(UpkeepJob.FINISH_INDEX)
        while True:
            self._wake.clear()
            if self._purged:
                self._purged = False
                await self._store.upkeep.drop_copies()
            if self._files_gone:
                self._files_gone = False
                await self._store.files.sweep()
            await self._store.files.trim()
            if await self._is_over_limit():
                self.start(UpkeepJob.LET_GO)
            await self._pause(_LOOK_EVERY_S)

    # -- parts -----------------------------------------------------------------------------------

    async def _is_over_limit(self) -> bool:
        limit = self._limit_bytes(Key.LOCAL_CACHE_MEGABYTES)
        if not limit or self._declined or self._is_filling():
            return False
        return await self._store.upkeep.used_bytes() > limit

    async def _pause(self, most_s: float) -> None:
        try:
            async with asyncio.timeout(most_s):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _run(self, job: UpkeepJob) -> None:
        self._task = asyncio.current_task()
        end, amount = UpkeepEnd.FAILED, 0
        try:
            end, amount = await self._work(job)
        except asyncio.CancelledError:
            end = UpkeepEnd.CANCELLED
            raise
        except DiskFull:
            end = UpkeepEnd.DISK_FULL
        except AppError as fault:
            _LOG.warning("upkeep %s: %s", job, fault.code)
        finally:
            self._task = None
            if job is UpkeepJob.LET_GO:
                self._let_go()
            self._show(UpkeepState(outcome=UpkeepOutcome(job, end, amount)))

    async def _work(self, job: UpkeepJob) -> tuple[UpkeepEnd, int]:
        upkeep = self._store.upkeep
        match job:
            case UpkeepJob.CHECK:
                found = await self._store.check(self._progressed)
                if found.cache_problems or found.outbox_problems:
                    return UpkeepEnd.DAMAGED, found.message_count
                end = UpkeepEnd.DONE if found.search_index_sound else UpkeepEnd.INDEX_STALE
                return end, found.message_count
            case UpkeepJob.COMPACT:
                return UpkeepEnd.DONE, await upkeep.compact(self._progressed)
            case UpkeepJob.REBUILD_INDEX:
                await upkeep.rebuild_index(self._progressed)
                return UpkeepEnd.DONE, 0
            case UpkeepJob.FINISH_INDEX:
                await upkeep.finish_index(self._progressed)
                return UpkeepEnd.DONE, 0
            case UpkeepJob.LET_GO:
                limit = self._limit_bytes(Key.LOCAL_CACHE_MEGABYTES)
                if not limit:
                    return UpkeepEnd.DONE, 0
                return UpkeepEnd.DONE, await upkeep.let_go(int(limit * _DOWN_TO), self._progressed)

    def _progressed(self, fraction: float) -> None:
        if self.state.job is not None and fraction - self.state.fraction >= 0.005:
            self._show(replace(self.state, fraction=fraction))

    def _limit_bytes(self, key: Key) -> int:
        return self._settings().number(key) * _MEGABYTE

    def _show(self, state: UpkeepState) -> None:
        self.state = state
        self._listeners.tell(state)
