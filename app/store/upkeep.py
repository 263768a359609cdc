"""Keeps the cache's file small and sound in short steps beside the store's other work.

It never holds a commit for long, and whatever it does can be cut short between two steps.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, text

from app.domain.changes import ChangeSet
from app.domain.errors import DiskFull
from app.store import compaction, search_rows
from app.store.cache_tables import create_search
from app.store.cipher import free_bytes, size_bytes
from app.store.databases import Databases, ReadView
from app.store.opening import drop_cache_copies
from app.store.quota import LettingGo, Oldest, needed_places, oldest_of_each

T = TypeVar("T")
Progress = Callable[[float], None]

_STEP_MS = 12.0
_ROWS = (8, 400)
_PAGES = (8, 500)
_POLL_S = 0.2
# An index that is merged whole writes about half as many pages as it had.
_MERGED_SHARE = 2
_SUBMITTED = text("SELECT message_id FROM outbox")
# As many as the newest snapshot told: to count a million rows would hold up other reads.
_ABOUT_HOW_MANY = text("SELECT total_messages FROM sync_state WHERE id = 1")


def ignored(_fraction: float) -> None:
    """Take progress nobody asked for."""


class Pace:
    """How much one step may take on so that a commit lasts about 12 ms."""

    def __init__(self, bounds: tuple[int, int]) -> None:
        """`bounds` are the least and the most of a step."""
        self.amount, self._most = bounds
        self._least = bounds[0]

    def took(self, seconds: float) -> None:
        """Learn how long the last step took."""
        fitting = self.amount * _STEP_MS / max(seconds * 1_000, 0.5)
        self.amount = max(self._least, min(self._most, int(min(fitting, self.amount * 2))))


class Upkeep:
    """Each method runs to its end unless cancelled; `progress` hears a fraction from 0 to 1.

    Raises DiskFull, StoreBusy and EnvironmentFault; what was done until then stays done.
    """

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    async def used_bytes(self) -> int:
        """Return how much of the cache's file is in use."""
        return await self._databases.read(lambda view: compaction.used_bytes(view.cache))

    async def let_go(self, down_to_bytes: int, progress: Progress = ignored) -> int:
        """Delete the oldest messages until the cache uses no more; return how many went.

        The newest of each conversation stay, and what a submission still needs.
        """
        used = first = await self.used_bytes()
        if used <= down_to_bytes:
            return 0
        letting, pace, gone = await self._oldest_first(), Pace(_ROWS), 0
        while used > down_to_bytes and not letting.is_done:
            count, used = await self._step(pace, lambda file: _let_go(letting, file, pace.amount))
            gone += count
            progress(min(1.0, (first - used) / (first - down_to_bytes)))
        return gone

    async def compact(self, progress: Progress = ignored) -> int:
        """Tidy the search index and give free pages back to the disk; return the bytes gained."""
        file = self._databases.cache_file.path
        before = size_bytes(file)
        await self._tidy_index(lambda fraction: progress(fraction * 0.6))
        if await self._databases.read(lambda view: compaction.can_shrink(view.cache)):
            await self._shrink(lambda fraction: progress(0.6 + fraction * 0.4))
        else:
            await self._rewrite(lambda fraction: progress(0.6 + fraction * 0.4))
        await self._databases.maintain_cache("PRAGMA wal_checkpoint(TRUNCATE)")
        return max(0, before - size_bytes(file))

    async def rebuild_index(self, progress: Progress = ignored) -> None:
        """Write the index of messages anew; what is found grows back from the newest on.

        Cut short, by a kill too, it goes on with `finish_index`.
        """

        def begin(connection: Connection) -> tuple[None, ChangeSet]:
            connection.exec_driver_sql("DROP TABLE message_search")
            create_search(connection, "message_search")
            search_rows.note_tagless(connection)
            return None, ChangeSet()

        await self._databases.write_cache(begin)
        await self.finish_index(progress)

    async def is_index_unfinished(self) -> bool:
        """Tell whether messages wait to be indexed: after an upgrade, or a rebuild cut short."""
        below = await self._databases.read(lambda view: search_rows.tagless_below(view.cache))
        return below is not None

    async def finish_index(self, progress: Progress = ignored) -> None:
        """Index what still waits for it, newest first; nothing happens when nothing does."""
        pace, done = Pace(_ROWS), 0
        total = await self._databases.read(_messages_to_index)
        more = total is not None
        while more and total is not None:
            most = pace.amount
            more = await self._step(pace, lambda file: search_rows.tag_some(file, pace.amount))
            done += most
            progress(min(1.0, done / total))

    async def drop_copies(self) -> None:
        """Delete older copies of the cache, made before an upgrade or set aside when damaged."""
        await asyncio.to_thread(drop_cache_copies, self._databases.cache_file)

    # -- parts -------------------------------------------------------------------------------

    async def _oldest_first(self) -> LettingGo:
        oldest: list[Oldest] = []
        after: int | None = 0
        while after is not None:
            found, after = await self._databases.read(partial(_oldest_part, after=after))
            oldest += found
        return LettingGo(oldest, await self._databases.read(_needed))

    async def _tidy_index(self, progress: Progress) -> None:
        totals = await self._databases.read(_index_pages)
        whole, written = max(1, sum(totals.values())), 0
        for table in totals:
            pace, more = Pace(_PAGES), True
            await self._step(pace, partial(compaction.begin_merge, table=table))
            while more:
                most = pace.amount
                more = await self._step(pace, partial(compaction.merge, table=table, pages=most))
                written += most
                progress(min(1.0, _MERGED_SHARE * written / whole))

    async def _shrink(self, progress: Progress) -> None:
        pace = Pace(_PAGES)
        first = left = await self._databases.read(lambda view: compaction.free_pages(view.cache))
        while left > 0:
            before = left
            left = await self._step(pace, lambda file: compaction.shrink(file, pace.amount))
            if left >= before:
                return
            progress(1 - left / first)

    async def _rewrite(self, progress: Progress) -> None:
        """Write a file of an older kind anew in one go; reads and sends go on meanwhile."""
        file = self._databases.cache_file.path
        size = size_bytes(file)
        if free_bytes(file) < 2 * size:
            raise DiskFull(f"{file.name}: its new copy needs {2 * size} bytes")
        rewriting = asyncio.ensure_future(self._databases.maintain_cache("VACUUM"))
        try:
            while not rewriting.done():
                await asyncio.wait({rewriting}, timeout=_POLL_S)
                progress(min(1.0, max(0, size_bytes(file) - size) / size))
        finally:
            if not rewriting.done():
                self._databases.interrupt_cache()
                await asyncio.wait({rewriting})
        await rewriting

    async def _step(self, pace: Pace, work: Callable[[Connection], T]) -> T:
        """Run one short commit, then leave the writer as long to others."""
        took_s = 0.0

        def timed(connection: Connection) -> tuple[T, ChangeSet]:
            nonlocal took_s
            started_s = time.perf_counter()
            result = work(connection)
            took_s = time.perf_counter() - started_s
            return result, ChangeSet()

        result = await self._databases.write_cache(timed)
        pace.took(took_s)
        await asyncio.sleep(took_s)
        return result


def _let_go(letting: LettingGo, file: Connection, most: int) -> tuple[int, int]:
    gone = letting.step(file, most)
    compaction.merge(file, "message_search", most)
    return gone, compaction.used_bytes(file)


def _oldest_part(view: ReadView, after: int) -> tuple[list[Oldest], int | None]:
    return oldest_of_each(view.cache, after)


def _index_pages(view: ReadView) -> dict[str, int]:
    return {table: compaction.index_pages(view.cache, table) for table in compaction.SEARCH_TABLES}


def _needed(view: ReadView) -> dict[int, int]:
    return needed_places(view.cache, view.outbox.execute(_SUBMITTED).scalars().all())


def _messages_to_index(view: ReadView) -> int | None:
    """Return about how many messages there are, None when none waits to be indexed."""
    if search_rows.tagless_below(view.cache) is None:
        return None
    return max(1, int(view.cache.execute(_ABOUT_HOW_MANY).scalar_one()))
