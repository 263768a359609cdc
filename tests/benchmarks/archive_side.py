"""Runs the archive as the embedded backend does: database, sequencer and a witness process.

It never replaces a part, and the entries it makes name nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, insert

from backend.archive.embedded import EmbeddedArchive
from backend.archive.entries import NewEntry
from backend.archive.sealing import KIND_PROBE
from backend.archive.signing import load_signer
from backend.storage.database import Database
from backend.storage.tables import firms
from contract.ids import uuid7
from contract.receipts.leaf import Envelope, body_commitment
from contract.receipts.signers import Signer
from tests.benchmarks.measuring import SEED

KEY = bytes(range(32))
FIRM = "firm-bench"
INSTANCE_ID = "0123456789abcdef" * 2  # as long as an installation's
_BODY = b'{"files":[],"quote":null,"reply":null,"text":"%s"}'


class RunningArchive(NamedTuple):
    """The archive and the database under it."""

    archive: EmbeddedArchive
    database: Database


class EntrySource:
    """Makes entries of the size a message's have, the same at every run but for the time.

    They are of the one kind that is given a receipt without an employee's event beside it, so
    that the archive alone is measured.
    """

    def __init__(self) -> None:
        self._random = random.Random(SEED)
        self._count = 0

    def next(self) -> NewEntry:
        """Return a new entry with a body of about 140 bytes."""
        self._count += 1
        salt, now = self._random.randbytes(32), now_utc_ms()
        body = _BODY % self._random.randbytes(43).hex().encode()
        envelope = Envelope(
            firm_id=FIRM,
            entry_id=uuid7(now, self._random.randbytes(10)),
            kind=KIND_PROBE,
            actor_id="emp-bench",
            conversation_id=f"conversation-{self._count % 1000}",
            message_id=uuid7(now, self._random.randbytes(10)),
            revision=0,
            occurred_at_utc_ms=now,
            body_commitment=body_commitment(salt, body),
        )
        return NewEntry(envelope, salt, body)


def now_utc_ms() -> int:
    """Return the time now."""
    return time.time_ns() // 1_000_000


def open_database(folder: Path) -> Database:
    """Open the archive's database in a folder, as its run left it."""
    return Database.open(folder / "backend.db", KEY)


@asynccontextmanager
async def running_archive(folder: Path) -> AsyncIterator[RunningArchive]:
    """Run the archive over a folder; at the end nothing of it is left running."""
    archive = EmbeddedArchive(folder, KEY)
    await archive.prepare()
    database = open_database(folder)
    try:
        signer = await database.write(_found)
        await archive.start(database, signer, now_utc_ms)
        task = asyncio.create_task(archive.run(), name="archive")
        try:
            yield RunningArchive(archive, database)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    finally:
        await archive.stop()
        await database.close()


def _found(connection: Connection) -> Signer:
    """Found the firm whose entries come, and make the log's key."""
    connection.execute(insert(firms).values(firm_id=FIRM, display_name="Bench"))
    return load_signer(connection, INSTANCE_ID, now_utc_ms())


def loop_runner() -> asyncio.Runner:
    """Return a runner with the backend's own loop, where there is one for this system."""
    try:
        import uvloop
    except ImportError:
        return asyncio.Runner()
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)
