"""The client's store: one facade over the encrypted cache and the outbox file.

It never runs SQL on the loop's thread and imports no SQL before it is opened.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.changes import ChangeSet
from app.domain.clock import Clock
from app.store.check import StoreCheck
from app.store.feed import ChangeFeed
from contract.ids import ConversationId

if TYPE_CHECKING:
    from app.store.archive import ArchiveStore
    from app.store.attachment_cache import AttachmentCache
    from app.store.book import BookReads
    from app.store.cache_writes import CacheWrites
    from app.store.contacts import ContactReads
    from app.store.databases import Databases
    from app.store.drafts import DraftStore
    from app.store.first_frames import FirstFrames
    from app.store.gaps import GapWrites
    from app.store.inbox import InboxReads
    from app.store.outbox import OutboxStore
    from app.store.search import SearchReads
    from app.store.search_archive import ArchiveSearchReads
    from app.store.timeline import TimelineReads
    from app.store.upkeep import Upkeep


class Store:
    """Reads, writes and drafts; every method is a coroutine for the loop that opened it."""

    inbox: InboxReads
    timeline: TimelineReads
    contacts: ContactReads
    book: BookReads
    search: SearchReads
    archive_search: ArchiveSearchReads
    cache: CacheWrites
    gaps: GapWrites
    outbox: OutboxStore
    drafts: DraftStore
    archive: ArchiveStore
    frames: FirstFrames
    upkeep: Upkeep
    files: AttachmentCache
    _databases: Databases
    _feed: ChangeFeed

    @classmethod
    async def open(
        cls, data_dir: Path, outbox_dir: Path, cache_key: bytes, outbox_key: bytes, clock: Clock
    ) -> Store:
        """Open or make both databases with raw 32-byte keys; return when they can be read.

        A corrupt cache is set aside and made anew, a corrupt outbox salvaged: `notices` tells.
        Raises WrongKey (nothing is touched), UnknownVersion, DiskFull, StoreBusy.
        """
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, importlib.import_module, "app.store.assembly")
        from app.store.assembly import assemble

        store = cls()
        store._feed = ChangeFeed(loop)
        parts = assemble((data_dir, cache_key), (outbox_dir, outbox_key), clock, store._feed)
        store._databases = parts.databases
        store.inbox, store.timeline, store.contacts = parts.inbox, parts.timeline, parts.contacts
        store.search, store.cache, store.book = parts.search, parts.cache, parts.book
        store.archive_search = parts.archive_search
        store.gaps = parts.gaps
        store.outbox, store.drafts = parts.outbox, parts.drafts
        store.archive, store.frames = parts.archive, parts.frames
        store.upkeep, store.files = parts.upkeep, parts.files
        try:
            await parts.databases.open()
        except BaseException:
            await parts.databases.close()
            raise
        return store

    @property
    def notices(self) -> tuple[tuple[str, str], ...]:
        """Return what the user must be told: (message key, detail), oldest first.

        `notice.cache_set_aside` with the kept file's name, `notice.outbox_partly_read` with
        counts and the kept file's name, `notice.disk_full` while the disk is. A change set with
        `notices` tells when they change while the store is open.
        """
        full = (("notice.disk_full", ""),) if self._databases.room.is_full else ()
        return (*self._databases.notices, *full)

    @property
    def conversations_hit(self) -> tuple[ConversationId, ...]:
        """Return the conversations that lost a submission to a damaged outbox, as far as known."""
        salvage = self._databases.salvage
        found = () if salvage is None else salvage.conversations_hit
        return tuple(ConversationId(each) for each in found)

    def subscribe(self, callback: Callable[[ChangeSet], None]) -> Callable[[], None]:
        """Call `callback` on the loop's thread after each commit; return how to end that."""
        return self._feed.subscribe(callback)

    async def check(
        self, progress: Callable[[float], None] | None = None, *, briefly: bool = False
    ) -> StoreCheck:
        """Look both files and the search index over (seconds on a large cache).

        When `briefly`, a large cache is only counted. `progress` hears a fraction from 0 to 1;
        cancel the call to cut it short.
        """
        from app.store.looking_over import look_over

        files = self._databases.cache_file, self._databases.outbox_file
        return await look_over(*files, progress, briefly=briefly)

    async def rest(self) -> None:
        """Give back what memory only speeds up what is asked next; for when it is quiet."""
        await self._databases.shrink()

    async def close(self) -> None:
        """Finish what was begun, write everything to the files and end the threads."""
        await self._databases.close()
