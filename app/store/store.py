"""The client's store: one facade over the encrypted cache and the outbox file.

It never runs SQL on the loop's thread and imports no SQL before it is opened.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.changes import ChangeSet
from app.domain.clock import Clock
from app.store.check import StoreCheck

if TYPE_CHECKING:
    from app.store.cache_writes import CacheWrites
    from app.store.contacts import ContactReads
    from app.store.drafts import DraftStore
    from app.store.inbox import InboxReads
    from app.store.outbox import OutboxStore
    from app.store.search import SearchReads
    from app.store.timeline import TimelineReads


class Store:
    """Reads, writes and drafts; every method is a coroutine for the loop that opened it."""

    inbox: InboxReads
    timeline: TimelineReads
    contacts: ContactReads
    search: SearchReads
    cache: CacheWrites
    outbox: OutboxStore
    drafts: DraftStore
    notices: tuple[tuple[str, str], ...]

    @classmethod
    async def open(
        cls, data_dir: Path, outbox_dir: Path, cache_key: bytes, outbox_key: bytes, clock: Clock
    ) -> Store:
        """Open or make both databases with raw 32-byte keys; return when they can be read.

        A corrupt cache is set aside and made anew, a corrupt outbox salvaged: `notices` tells.
        Raises WrongKey (nothing is touched), UnknownVersion, DiskFull, StoreBusy.
        """
        raise NotImplementedError

    def subscribe(self, callback: Callable[[ChangeSet], None]) -> Callable[[], None]:
        """Call `callback` on the loop's thread after each commit; return how to end that."""
        raise NotImplementedError

    async def check(self) -> StoreCheck:
        """Look both files and the search index over (seconds on a large cache)."""
        raise NotImplementedError

    async def close(self) -> None:
        """Finish what was begun, write everything to the files and end the threads."""
        raise NotImplementedError
