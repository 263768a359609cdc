"""Owns the write-once copy of every sealed entry and file in a locked object store.

It never copies an entry twice, and removes a copy only when its entry was erased and unlocked.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from backend.archive.letters import FileRef, attachment_hashes, files_of
from backend.archive.retention import Schedule, add_months
from backend.archive.selection import PAGE, Record, Selection, sealed_records
from backend.archive.worm import StoredVersion, WormRefused, WormStore
from backend.storage.custody_tables import archive_erasures, worm_copies
from backend.storage.database import Database
from contract.receipts.canonical import canonical_json

# How long an entry is locked that no retention class names (FINRA Rule 4511(b): six years).
MONTHS_WITHOUT_CLASS = 72
ReadFile = Callable[[str], bytes]


class WormRun(NamedTuple):
    """What one run did: objects written, and copies of erased entries removed or still locked."""

    written: int
    removed: int
    locked: int


class _Planned(NamedTuple):
    record: Record
    files: tuple[FileRef, ...]
    retain_until_utc_ms: int


def copy_sealed(
    database: Database, store: WormStore, read_file: ReadFile, now: Callable[[], int]
) -> WormRun:
    """Copy what is sealed and not copied yet, then remove copies of what was erased; it blocks.

    Each object is noted once the store has locked it: a crash in between writes it once more,
    as another version. Raises WormNotReady, and what the store's client raises.
    """
    store.check()
    written, first = 0, 0
    while True:
        plan = functools.partial(_plan, bucket=store.bucket, first=first, now_utc_ms=now())
        page = database.read_now(plan)
        for planned in page.todo:
            written += _write(database, store, planned, read_file, now)
        if page.next_index is None:
            break
        first = page.next_index
    removed, locked = _remove_erased(database, store, now)
    return WormRun(written, removed, locked)


class _Page(NamedTuple):
    todo: tuple[_Planned, ...]
    next_index: int | None


def _plan(connection: Connection, bucket: str, first: int, now_utc_ms: int) -> _Page:
    records = sealed_records(connection, Selection(first_index=first), PAGE)
    done = set(
        connection.execute(
            select(worm_copies.c.name).where(
                worm_copies.c.bucket == bucket,
                worm_copies.c.name.in_([_entry_name(record) for record in records]),
            )
        ).scalars()
    )
    schedules: dict[str, Schedule] = {}
    todo = []
    for record in records:
        if record.body is None or _entry_name(record) in done:
            continue
        if record.firm_id not in schedules:
            schedules[record.firm_id] = Schedule(connection, record.firm_id)
        until = schedules[record.firm_id].kept_until(
            record.kind, record.conversation_id, record.message_id, record.archived_at_utc_ms
        ) or add_months(record.archived_at_utc_ms, MONTHS_WITHOUT_CLASS)
        if until > now_utc_ms:
            files = files_of(connection, record, attachment_hashes(record.body))
            todo.append(_Planned(record, files, until))
    following = records[-1].leaf_index + 1 if len(records) == PAGE else None
    return _Page(tuple(todo), following)


def _write(
    database: Database,
    store: WormStore,
    planned: _Planned,
    read_file: ReadFile,
    now: Callable[[], int],
) -> int:
    """Write the files first, the entry last: its note says that all of it is there."""
    record, until = planned.record, planned.retain_until_utc_ms
    stored = []
    for number, ref in enumerate(planned.files):
        data = read_file(ref.attachment_id)
        name = f"{_entry_name(record)}.file{number}"
        stored.append(store.put(name, data, retain_until_utc_ms=until, now_utc_ms=now()))
    data = entry_object(record)
    stored.append(store.put(_entry_name(record), data, retain_until_utc_ms=until, now_utc_ms=now()))
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
