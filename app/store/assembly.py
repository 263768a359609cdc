"""Builds the parts of the store over one pair of databases.

It never opens a file: that happens on the store's threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.domain.clock import Clock
from app.store.archive import ArchiveStore
from app.store.attachment_cache import AttachmentCache
from app.store.book import BookReads
from app.store.cache_writes import CacheWrites
from app.store.contacts import ContactReads
from app.store.databases import Databases
from app.store.drafts import DraftStore
from app.store.feed import ChangeFeed
from app.store.first_frame import CACHE_FILE, OUTBOX_FILE
from app.store.first_frames import FirstFrames
from app.store.gaps import GapWrites
from app.store.inbox import InboxReads
from app.store.opening import FileSpec
from app.store.outbox import OutboxStore
from app.store.search import SearchReads
from app.store.search_archive import ArchiveSearchReads
from app.store.timeline import TimelineReads
from app.store.upkeep import Upkeep

FILES_FOLDER = "attachments"


@dataclass(frozen=True, slots=True)
class StoreParts:
    """Everything behind the facade."""

    databases: Databases
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


def assemble(
    cache: tuple[Path, bytes], outbox: tuple[Path, bytes], clock: Clock, feed: ChangeFeed
) -> StoreParts:
    """Return the parts for `cache` and `outbox`, each a folder with its 32-byte key."""
    databases = Databases(
        FileSpec(cache[0] / CACHE_FILE, cache[1]),
        FileSpec(outbox[0] / OUTBOX_FILE, outbox[1]),
        clock,
        feed,
    )
    inbox, timeline = InboxReads(databases), TimelineReads(databases)
    contacts = ContactReads(databases)
    return StoreParts(
        databases=databases,
        inbox=inbox,
        timeline=timeline,
        contacts=contacts,
        book=BookReads(databases),
        search=SearchReads(databases, clock),
        archive_search=ArchiveSearchReads(databases, clock),
        cache=CacheWrites(databases),
        gaps=GapWrites(databases),
        outbox=OutboxStore(databases, clock),
        drafts=DraftStore(databases),
        archive=ArchiveStore(databases),
        frames=FirstFrames(databases, inbox, timeline, contacts),
        upkeep=Upkeep(databases),
        files=AttachmentCache(databases, cache[0] / FILES_FOLDER, cache[1], clock),
    )
