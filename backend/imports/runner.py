"""Owns when the running backend works on imports: one at a time, what a restart left first.

It never touches an import that a command works on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection

from backend.imports.original import drop_original
from backend.imports.rows import (
    KnownImport,
    find_import,
    next_import,
    set_status,
    stale_imports,
)
from backend.storage.blobs import BlobStore
from backend.storage.database import Database, StorageFull
from contract.import_wire import ImportPhase

if TYPE_CHECKING:
    from backend.imports.desk import ImportWork

KEPT_DAYS = 30
_IDLE_S = 60.0
_DAY_MS = 86_400_000
_STORAGE_RETRY_S = 2.0
_MOST_FAILURES = 3
_BROKEN = "This file could not be read here. Export the chat anew, or tell your administrator."
_log = logging.getLogger(__name__)


class ImportRunner:
    """Looks for work when woken, and once a minute."""

    def __init__(self, database: Database, blobs: BlobStore, *, now: Callable[[], int]) -> None:
        self._database = database
        self._blobs = blobs
        self._now = now
        self._wake = asyncio.Event()
        self._failures: Counter[str] = Counter()
        self._work: ImportWork | None = None

    def wake(self) -> None:
        """Tell that an import was staged or confirmed."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled; a batch under way ends first."""
        try:
            while True:
                self._wake.clear()
                while (known := await self._next()) is not None:
                    await self._advance(await self._ready(), known)
                await self._drop_stale()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_IDLE_S):
                        await self._wake.wait()
        finally:
            if self._work is not None:
                self._work.stop()

    async def _ready(self) -> ImportWork:
        """Return what carries imports out; its readers of exports are loaded with the first."""
        if self._work is None:
            desk = await asyncio.to_thread(import_module, "backend.imports.desk")
            self._work = desk.ImportWork(self._database, self._blobs, self._now)
        return self._work

    async def _next(self) -> KnownImport | None:
        broken = [each for each, count in self._failures.items() if count >= _MOST_FAILURES]
        return await self._database.read(lambda c: next_import(c, broken))

    async def _advance(self, work: ImportWork, known: KnownImport) -> None:
        """Work on one; a file that breaks its reading is refused, and holds up no other.

        One that breaks again and again while it is recorded goes on at the next start.
        """
        try:
            await asyncio.to_thread(work.advance, known.import_id)
        except StorageFull:
            _log.error("an import waits: the disk is full")
            await asyncio.sleep(_STORAGE_RETRY_S)
        except Exception as error:  # noqa: BLE001 - one bad file must not stop the others
            self._failures[known.import_id] += 1
            told = {"import_id": known.import_id, "error": type(error).__name__}
            _log.error("an import could not be carried out", extra=told)
            if known.phase is ImportPhase.READING:
                await self._database.write(lambda c: _refuse(c, known.import_id))
                gone = self._database, self._blobs, known.attachment_id
                await asyncio.to_thread(drop_original, *gone)

    async def _drop_stale(self) -> None:
        before_utc_ms = self._now() - KEPT_DAYS * _DAY_MS
        for stale in await self._database.read(lambda c: stale_imports(c, before_utc_ms)):
            await asyncio.to_thread((await self._ready()).discard, stale)


def _refuse(connection: Connection, import_id: str) -> None:
    known = find_import(connection, import_id)
    if known is not None and known.phase is ImportPhase.READING:
        refused = msgspec.structs.replace(known.status, phase=ImportPhase.REFUSED, problem=_BROKEN)
        set_status(connection, refused)
