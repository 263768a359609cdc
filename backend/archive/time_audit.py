"""Owns the audit of when entries say they were archived: against their ids and their witnesses.

It never believes a row's time by itself: the leaf holds an id made in that millisecond, and the
first checkpoint over it holds the time at which its witnesses signed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, select

from backend.archive.signing import read_policy
from backend.archive.tree_audit import Fault
from backend.archive.witness_times import ALLOWANCE_MS
from backend.storage.tables import archive_cosignatures, archive_entries, archive_leaves
from contract.receipts.errors import NoteError
from contract.receipts.keys import TIMESTAMP_BYTES
from contract.receipts.notes import split_note

_PAGE = 2_048


class _Signed(NamedTuple):
    size: int
    at_utc_ms: int


def audit_times(connection: Connection) -> None:
    """Check the time of every entry; raises Fault for the first that can't be true."""
    policy = read_policy(connection)
    signed = _sealing(connection, 1 if policy is None else policy.quorum)
    seal = next(signed, None)
    for page in _entries(connection):
        for row in page:
            made_utc_ms = _made_at(row.entry_id)
            if made_utc_ms is not None and made_utc_ms != row.archived_at_utc_ms:
                raise Fault(
                    f"entry {row.sequence}: its time is not the one its id was made at",
                    row.sequence,
                )
            if row.leaf_index is None:
                continue
            while seal is not None and seal.size <= row.leaf_index:
                seal = next(signed, None)
            if seal is not None and row.archived_at_utc_ms > seal.at_utc_ms + ALLOWANCE_MS:
                raise Fault(
                    f"entry {row.sequence}: its time lies after its witnesses' signatures",
                    row.sequence,
                )


def _made_at(entry_id: str) -> int | None:
    """Return the time in a UUIDv7; None for a submission, whose id its sender made."""
    digits = entry_id.replace("-", "")
    if "." in entry_id or len(digits) != 32 or digits[12] != "7":
        return None
    try:
        return int(digits[:12], 16)
    except ValueError:
        return None


def _entries(connection: Connection) -> Iterator[Sequence[Row[Any]]]:
    entries, leaves, after = archive_entries.c, archive_leaves.c, -1
    query: Select[Any] = (
        select(entries.sequence, entries.entry_id, entries.archived_at_utc_ms, leaves.leaf_index)
        .outerjoin(archive_leaves, leaves.sequence == entries.sequence)
        .order_by(entries.sequence)
        .limit(_PAGE)
    )
    while page := connection.execute(query.where(entries.sequence > after)).all():
        yield page
        after = page[-1].sequence


def _sealing(connection: Connection, quorum: int) -> Iterator[_Signed]:
    """Yield the checkpoints that a quorum signed, smallest first, with the latest time in each."""
    columns, after = archive_cosignatures.c, -1
    while True:
        sizes = connection.execute(
            select(columns.size)
            .where(columns.size > after)
            .distinct()
            .order_by(columns.size)
            .limit(_PAGE)
        ).scalars()
        last = max(sizes, default=None)
        if last is None:
            return
        rows = connection.execute(
            select(columns.size, columns.line)
            .where(columns.size > after, columns.size <= last)
            .order_by(columns.size)
        ).all()
        for size, lines in groupby(rows, key=lambda row: int(row.size)):
            times = [_time_in(row.line) for row in lines]
            if len(times) >= quorum:
                yield _Signed(size, max(times))
        after = last


def _time_in(line: str) -> int:
    """Return the time a cosignature states, in UTC milliseconds; the log's audit verified it."""
    try:
        (only,) = split_note(b"checkpoint\n\n" + line.encode()).lines
    except (NoteError, ValueError) as error:
        raise Fault("a cosignature can't be read: audit the log first") from error
    return int.from_bytes(only.signature[:TIMESTAMP_BYTES], "big") * 1000
