"""Owns the write-once copy of every sealed entry and file in a locked object store.

It never copies an entry twice, and removes a copy only when its entry was erased and unlocked.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from backend.archive.letters import FileRef, attachment_hashes, files_of
from backend.archive.retention import Schedule, add_months
from backend.archive.selection import PAGE, Record, Selection, sealed_records
from backend.archive.worm import StoredVersion, WormRefused, WormStore
from backend.archive.worm_holds import HeldCopies, mirror_holds
from backend.storage.custody_tables import archive_erasures, worm_copies
from backend.storage.database import Database
from contract.receipts.canonical import canonical_json

# How long an entry is locked that no retention class names (FINRA Rule 4511(b): six years).
MONTHS_WITHOUT_CLASS = 72
ReadFile = Callable[[str], bytes]


class WormRun(NamedTuple):
    """What one run did: objects written, locks extended, erased copies removed or still locked.

    `held` copies were put on a legal hold, from `lifted` ones it was taken.
    """

    written: int
    extended: int
    removed: int
    locked: int
    held: int = 0
    lifted: int = 0


class _Planned(NamedTuple):
    record: Record
    files: tuple[FileRef, ...]
    retain_until_utc_ms: int
    held: bool


def copy_sealed(
    database: Database, store: WormStore, read_file: ReadFile, now: Callable[[], int]
) -> WormRun:
    """Mirror the holds, copy what is sealed and not copied yet, remove copies of what was erased.

    Each object is noted once the store has locked it: a crash in between writes it once more,
    as another version. It blocks. Raises WormNotReady, and what the store's client raises.
    """
    store.check()
    holds = mirror_holds(database, store)
    written, extended, first = 0, 0, 0
    while True:
        plan = functools.partial(_plan, bucket=store.bucket, first=first, now_utc_ms=now())
        page = database.read_now(plan)
        for planned in page.todo:
            written += _write(database, store, planned, read_file, now)
        extended += _extend(database, store, page.too_short, now)
        if page.next_index is None:
            break
        first = page.next_index
    removed, locked = _remove_erased(database, store, now)
    return WormRun(written, extended, removed, locked, *holds)


class _TooShort(NamedTuple):
    name: str
    version_id: str
    retain_until_utc_ms: int


class _Page(NamedTuple):
    todo: tuple[_Planned, ...]
    too_short: tuple[_TooShort, ...]
    next_index: int | None


def _plan(connection: Connection, bucket: str, first: int, now_utc_ms: int) -> _Page:
    records = sealed_records(connection, Selection(first_index=first), PAGE)
    copies = _copies(connection, bucket, records)
    schedules: dict[str, Schedule] = {}
    holds = HeldCopies(connection, bucket)
    todo: list[_Planned] = []
    too_short: list[_TooShort] = []
    for record in records:
        if record.body is None:
            continue
        if record.firm_id not in schedules:
            schedules[record.firm_id] = Schedule(connection, record.firm_id)
        until = schedules[record.firm_id].kept_until(
            record.kind, record.conversation_id, record.message_id, record.archived_at_utc_ms
        ) or add_months(record.archived_at_utc_ms, MONTHS_WITHOUT_CLASS)
        if until <= now_utc_ms:
            continue
        if record.entry_id not in copies:
            files = files_of(connection, record, attachment_hashes(record.body))
            about = (record.entry_id, record.conversation_id, record.message_id)
            held = holds.is_held(record.firm_id, *about)
            todo.append(_Planned(record, files, until, held))
        too_short += [
            _TooShort(copy.name, copy.version_id, until)
            for copy in copies.get(record.entry_id, ())
            if copy.retain_until_utc_ms < until
        ]
    following = records[-1].leaf_index + 1 if len(records) == PAGE else None
    return _Page(tuple(todo), tuple(too_short), following)


def _copies(
    connection: Connection, bucket: str, records: list[Record]
) -> dict[str, list[StoredVersion]]:
    columns = worm_copies.c
    rows = connection.execute(
        select(
            columns.entry_id,
            columns.name,
            columns.version_id,
            columns.sha256,
            columns.retain_until_utc_ms,
        ).where(
            columns.bucket == bucket,
            columns.entry_id.in_([record.entry_id for record in records]),
        )
    )
    found: dict[str, list[StoredVersion]] = {}
    for row in rows:
        found.setdefault(row.entry_id, []).append(StoredVersion(*row[1:]))
    return found


def _extend(
    database: Database,
    store: WormStore,
    too_short: tuple[_TooShort, ...],
    now: Callable[[], int],
) -> int:
    """Lock copies for as long as a class that came later asks; returns how many."""
    for name, version_id, until in too_short:
        store.extend(name, version_id, retain_until_utc_ms=until, now_utc_ms=now())
        database.write_now(
            functools.partial(_note_until, bucket=store.bucket, name=name, until_utc_ms=until)
        )
    return len(too_short)


def _note_until(connection: Connection, bucket: str, name: str, until_utc_ms: int) -> None:
    connection.execute(
        update(worm_copies)
        .where(worm_copies.c.bucket == bucket, worm_copies.c.name == name)
        .values(retain_until_utc_ms=until_utc_ms)
    )


def _write(
    database: Database,
    store: WormStore,
    planned: _Planned,
    read_file: ReadFile,
    now: Callable[[], int],
) -> int:
    """Write the files first, the entry last: its note says that all of it is there."""
    record, stored = planned.record, []
    objects = [
        (f"{_entry_name(record)}.file{number}", functools.partial(read_file, ref.attachment_id))
        for number, ref in enumerate(planned.files)
    ]
    objects.append((_entry_name(record), functools.partial(entry_object, record)))
    for name, read in objects:
        stored.append(
            store.put(
                name,
                read(),
                retain_until_utc_ms=planned.retain_until_utc_ms,
                now_utc_ms=now(),
                held=planned.held,
            )
        )
    database.write_now(lambda c: _note(c, store.bucket, record, stored, now()))
    return len(stored)


def entry_object(record: Record) -> bytes:
    """Return what is stored of an entry: all that is needed to check its leaf again."""
    assert record.salt is not None and record.body is not None, "an erased entry is not copied"
    return canonical_json(
        {
            "archived_at_utc_ms": record.archived_at_utc_ms,
            "body": base64.b64encode(record.body).decode(),
            "entry_id": record.entry_id,
            "index": record.leaf_index,
            "leaf": base64.b64encode(record.leaf).decode(),
            "salt": record.salt.hex(),
        }
    )


def _note(
    connection: Connection,
    bucket: str,
    record: Record,
    stored: list[StoredVersion],
    now_utc_ms: int,
) -> None:
    for version in stored:
        connection.execute(
            insert(worm_copies).values(
                bucket=bucket,
                name=version.name,
                firm_id=record.firm_id,
                entry_id=record.entry_id,
                version_id=version.version_id,
                sha256=version.sha256,
                retain_until_utc_ms=version.retain_until_utc_ms,
                stored_at_utc_ms=now_utc_ms,
            )
        )


def _remove_erased(database: Database, store: WormStore, now: Callable[[], int]) -> tuple[int, int]:
    """Remove the copies of erased entries; the locked ones wait for their day."""
    removed = locked = 0
    for version in database.read_now(lambda c: _erased_copies(c, store.bucket)):
        try:
            store.delete(version.name, version.version_id, now_utc_ms=now())
        except WormRefused:
            locked += 1
            continue
        database.write_now(functools.partial(_forget, bucket=store.bucket, name=version.name))
        removed += 1
    return removed, locked


def _forget(connection: Connection, bucket: str, name: str) -> None:
    columns = worm_copies.c
    connection.execute(delete(worm_copies).where(columns.bucket == bucket, columns.name == name))


def _erased_copies(connection: Connection, bucket: str) -> list[StoredVersion]:
    columns = worm_copies.c
    rows = connection.execute(
        select(columns.name, columns.version_id, columns.sha256, columns.retain_until_utc_ms)
        .join(archive_erasures, archive_erasures.c.entry_id == columns.entry_id)
        .where(columns.bucket == bucket)
        .order_by(columns.name)
    )
    return [StoredVersion(*row) for row in rows]


def _entry_name(record: Record) -> str:
    return f"entries/{record.leaf_index // 1_000_000:06d}/{record.leaf_index}.json"
