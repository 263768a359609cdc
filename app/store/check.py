"""The result of looking both local databases over.

It never holds content: counts and sizes only.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """What `Store.check` found; the problem lists are empty when a file is sound.

    Without `every_page` only the outbox was read to its last page, the cache's rows were counted.
    """

    cache_problems: tuple[str, ...]
    outbox_problems: tuple[str, ...]
    conversation_count: int
    message_count: int
    contact_count: int
    draft_count: int
    waiting_count: int
    refused_count: int
    cache_size_bytes: int
    outbox_size_bytes: int
    free_disk_bytes: int
    search_index_sound: bool
    every_page: bool = True

    @property
    def ok(self) -> bool:
        """Return True when both files and the search index are sound."""
        return not self.cache_problems and not self.outbox_problems and self.search_index_sound


@dataclass(frozen=True, slots=True)
class SnapshotProgress:
    """Where a first sync stands: stream position, next page's cursor and messages applied."""

    seq: int
    next_cursor: str
    applied_messages: int
    total_messages: int
