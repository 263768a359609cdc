"""Owns when the running backend works on imports: one at a time, what a restart left first.

It never touches an import that a command works on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from backend.imports.desk import ImportWork
from backend.imports.rows import next_import, stale_imports
from backend.storage.blobs import BlobStore
from backend.storage.database import Database

KEPT_DAYS = 30
_IDLE_S = 60.0
_DAY_MS = 86_400_000


class ImportRunner:
    """Looks for work when woken, and once a minute."""

    def __init__(self, database: Database, blobs: BlobStore, *, now: Callable[[], int]) -> None:
        self._database = database
        self._blobs = blobs
        self._now = now
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Tell that an import was staged or confirmed."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled; a batch under way ends first."""
        work = ImportWork(self._database, self._blobs, self._now)
        try:
            while True:
                self._wake.clear()
                while (known := await self._database.read(next_import)) is not None:
                    await asyncio.to_thread(work.advance, known.import_id)
                await self._drop_stale(work)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_IDLE_S):
                        await self._wake.wait()
        finally:
            work.stop()

    async def _drop_stale(self, work: ImportWork) -> None:
        before_utc_ms = self._now() - KEPT_DAYS * _DAY_MS
        for stale in await self._database.read(lambda c: stale_imports(c, before_utc_ms)):
            await asyncio.to_thread(work.discard, stale)
