"""Owns the filling of the cache from a snapshot: its pages, in order, while the stream runs.

It never begins anew while a kept page cursor still leads on, and stands still while paused.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from app.store.cache_writes import META_REACHED
from app.store.store import Store
from backend_client.client import GovernedApi
from backend_client.errors import ProblemReply
from contract.problems import ProblemCode
from contract.wire import SnapshotPage

_LOG = logging.getLogger(__name__)

META_PAUSED = "sync_paused"

# Messages applied, messages in all, and whether the person paused it.
Progress = Callable[[int, int, bool], None]
PageSize = Callable[[], int]


class SnapshotGone(Exception):
    """The backend no longer knows the kept cursor: the snapshot must begin anew."""


class StreamPutBack(Exception):
    """The backend stands at an earlier position than it did: the cache was emptied for it.

    Versions and positions count on from there and would be taken for old ones beside what came
    from the days that are lost.
    """


class HistoryFill:
    """Begins a snapshot, then takes page after page; `pause` holds over restarts."""

    def __init__(
        self, api: GovernedApi, store: Store, progress: Progress, page_size: PageSize
    ) -> None:
        """`page_size` tells how many rows the backend gives at most on a page."""
        self._api = api
        self._store = store
        self._progress = progress
        self._page_size = page_size
        self._going = asyncio.Event()
        self._going.set()
        self._way_free = asyncio.Event()
        self._way_free.set()
        self._told = (0, 0)

    @property
    def is_paused(self) -> bool:
        """Tell whether the person paused it."""
        return not self._going.is_set()

    async def load(self) -> None:
        """Read whether it was paused when the app last ran."""
        if await self._store.cache.get_meta(META_PAUSED) == b"1":
            self._going.clear()

    async def set_paused(self, paused: bool) -> None:
        """Stand still after the page under way, or go on; kept over restarts."""
        if paused:
            self._going.clear()
        else:
            self._going.set()
        await self._store.cache.put_meta(META_PAUSED, b"1" if paused else b"0")
        if self._told != (0, 0):
            self._tell(*self._told)

    def give_way(self, urgent: bool) -> None:
        """Let what the person waits for go first, until told again."""
        if urgent:
            self._way_free.clear()
        else:
            self._way_free.set()

    async def begin(self) -> None:
        """Apply the first page of a new snapshot: the newest conversations, and a stream position.

        Raises StreamPutBack, ClientError and the store's errors.
        """
        page = await self._page("")
        cache = self._store.cache
        if page.seq < int(await cache.get_meta(META_REACHED) or 0):
            await cache.purge_all()
            raise StreamPutBack
        await self._apply(page, 0, first=True)

    async def run(self) -> None:
        """Fill in what is missing, to the end; returns at once when nothing is.

        Each page's cursor is committed with its last rows, so that a killed one goes on where it
        stopped. Raises SnapshotGone, ClientError and the store's errors; what was applied stays.
        """
        kept = await self._store.cache.snapshot_progress()
        if kept is None:
            return
        if not kept.next_cursor:
            raise SnapshotGone("the first page was not finished")
        applied, cursor = kept.applied_messages, kept.next_cursor
        self._tell(applied, kept.total_messages)
        following = self._fetch(cursor)
        while following is not None:
            try:
                await self._may_go()
                page = await following
                following = self._fetch(page.next_cursor)  # it travels while this one is written
                applied = await self._apply(page, applied)
            finally:
                # Outrun by a fault or cancelled: nobody waits for it.
                if following is not None and not following.done():
                    following.add_done_callback(_forget)
        self._told = (0, 0)

    async def _may_go(self) -> None:
        await self._going.wait()
        await self._way_free.wait()

    async def _apply(self, page: SnapshotPage, applied: int, *, first: bool = False) -> int:
        await self._store.cache.apply_snapshot_page(page, first=first)
        applied += len(page.messages)
        self._tell(applied, page.total_messages)
        return applied

    def _tell(self, applied: int, total: int) -> None:
        self._told = (applied, total)
        self._progress(applied, total, self.is_paused)

    def _fetch(self, cursor: str) -> asyncio.Task[SnapshotPage] | None:
        if not cursor:
            return None
        return asyncio.create_task(self._page(cursor), name="sync: next page")

    async def _page(self, cursor: str) -> SnapshotPage:
        try:
            return await self._api.inbox.snapshot(cursor, self._page_size())
        except ProblemReply as fault:
            if cursor and fault.problem.code in {ProblemCode.CURSOR_GONE, ProblemCode.BAD_REQUEST}:
                raise SnapshotGone(fault.detail) from fault
            raise


def _forget(task: asyncio.Task[SnapshotPage]) -> None:
    if not task.cancelled():
        task.exception()
