"""Measures how many entries a second the archive takes in with receipts, and is audited at.

It never counts an entry whose receipt was not built, and audits the very log it has written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

from sqlalchemy import Connection

from backend.archive.embedded import WITNESS_FOLDER
from backend.archive.entries import NewEntry, append_entries
from backend.archive.log import MAX_BATCH, read_head
from backend.archive.tree_audit import audit_log
from backend.archive.verify import verify_archive
from backend.archive.witness_state import Seen, read_seen
from backend.storage.database import Database
from tests.benchmarks.archive_side import (
    EntrySource,
    RunningArchive,
    loop_runner,
    now_utc_ms,
    open_database,
    running_archive,
)
from tests.benchmarks.lines import Group, Line, at_least
from tests.benchmarks.measuring import steady

ROUNDS = 3
ROUND_BATCHES = 60

LINES = (
    Line(
        "archive: durable appends, a receipt each",
        "entries/s",
        at_least(20_000),
        f"commits of {MAX_BATCH} entries into SQLCipher, the embedded sequencer and its witness's"
        f" process; until the last of {ROUND_BATCHES * MAX_BATCH} receipts; median of {ROUNDS}",
    ),
    Line(
        "archive: re-audit, the log",
        "entries/s",
        at_least(200_000),
        "leaves hashed anew, tree, stored nodes, checkpoints, cosignatures, the witness's memory;"
        f" median of {ROUNDS}",
    ),
    Line(
        "archive: re-audit, the log with rows and bodies",
        "entries/s",
        at_least(200_000),
        "`parley-backend archive verify` whole: also columns, canonical form, bodies, erasures",
    ),
)


def measure(folder: Path) -> Iterator[float]:
    """Yield the figures of LINES."""
    with loop_runner() as runner, steady():
        yield median(runner.run(_appends(folder)))
    database = open_database(folder)
    try:
        seen = read_seen(folder / WITNESS_FOLDER)
        yield median(_rate(database, seen, audit_log) for _ in range(ROUNDS))
        yield _rate(database, seen, _audit_whole)
    finally:
        database.close_now()


async def _appends(folder: Path) -> list[float]:
    source, rates = EntrySource(), []
    async with running_archive(folder) as running:
        for number in range(ROUNDS + 1):
            count = ROUND_BATCHES if number else 2
            batches = [[source.next() for _ in range(MAX_BATCH)] for _ in range(count)]
            began = time.perf_counter()
            await _append(running, batches)
            if number:  # the first warms caches and connections up
                rates.append(count * MAX_BATCH / (time.perf_counter() - began))
    return rates


async def _append(running: RunningArchive, batches: list[list[NewEntry]]) -> None:
    """Record all batches, and return once the receipt of every entry was posted."""
    board = running.archive.desk.board
    last = batches[-1][-1].envelope.entry_id
    with board.expect(last) as future:
        for batch in batches:
            await running.database.write(partial(_record, batch))
        sealed = await future
    assert sealed is not None and sealed.receipt, "the archive stopped before the last receipt"
    head = await running.database.read(read_head)
    assert head.announced_size == head.size, "an entry was left without its receipt"


def _record(batch: list[NewEntry], connection: Connection) -> None:
    append_entries(connection, batch, now_utc_ms())


def _rate(
    database: Database, seen: Seen | None, audit: Callable[[Connection, Seen | None], int]
) -> float:
    began = time.perf_counter()
    entries = database.read_now(lambda c: audit(c, seen))
    return entries / (time.perf_counter() - began)


def _audit_whole(connection: Connection, seen: Seen | None) -> int:
    audit = verify_archive(connection, seen)
    assert audit.ok, audit.fault
    return audit.entries


GROUP = Group(LINES, measure)
