"""Owns the task that keeps the search index up with the archive, off every submission's commit.

It never takes more than a share of the writer's time: an old database is caught up beside the
work of the day, a day's messages within about a second.
"""

from __future__ import annotations

import asyncio
import time

from sqlalchemy import Connection

from backend.inbox.search_index import index_some, is_behind, is_merge_due, merge_some
from backend.storage.database import Database

_ENTRIES_AT_ONCE = 100
_GATHER_S = 1.0  # one commit of the index for many of the day's
_AT_MOST_SHARE = 0.25


class SearchIndexer:
    """Indexes what the archive took in; `run` goes on until it is cancelled."""

    def __init__(self, database: Database, *, gather_s: float = _GATHER_S) -> None:
        """`gather_s` is how long after a commit others are waited for, in seconds."""
        self._database = database
        self._gather_s = gather_s

    async def run(self) -> None:
        """Catch up, then index after each commit, until cancelled."""
        committed = asyncio.Event()
        unsubscribe = self._database.on_commit(committed.set)
        try:
            while True:
                committed.clear()
                await self.catch_up()
                await committed.wait()
                await asyncio.sleep(self._gather_s)
        finally:
            unsubscribe()

    async def catch_up(self) -> None:
        """Return once every archived message can be found and nothing erased is left."""
        for waits, step in ((is_behind, _index), (is_merge_due, merge_some)):
            # Looked at by the reader: a commit for nothing would cost the writer's others time.
            while await self._database.read(waits):
                began_s = time.monotonic()
                await self._database.write(step)
                took_s = time.monotonic() - began_s
                await asyncio.sleep(took_s * (1 - _AT_MOST_SHARE) / _AT_MOST_SHARE)


def _index(connection: Connection) -> bool:
    return index_some(connection, _ENTRIES_AT_ONCE)
