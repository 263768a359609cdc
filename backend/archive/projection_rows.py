"""Owns the reading of messages, a page at a time, with all that the archive holds about each.

It never judges what it reads, and never holds more than one page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Row, Select, Table, func, select

from backend.storage.custody_tables import erased_messages
from backend.storage.tables import (
    archive_bodies,
    archive_entries,
    attachments,
    attempts,
    decisions,
    jobs,
    message_versions,
    messages,
    reactions,
)
from contract.receipts.leaf import Envelope

PAGE = 256
# The kinds of entries that are versions of a message, the first one and those that replace it.
FIRST_KINDS = frozenset({"message_out", "message_in", "message_system", "import", "native"})
VERSION_KINDS = FIRST_KINDS | {"edited", "deleted", "file_added"}


class Body(msgspec.Struct):
    """What bodies about messages hold; each kind leaves out what it has not."""

    text: str | None = None
    quote: str = ""
    author: str | None = None
    external_id: str | None = None
    attachments: tuple[str, ...] = ()
    justification: str = ""
    emoji: str = ""
    reported: str = ""


@dataclass(frozen=True, slots=True)
class AboutEntry:
    """One entry about a message; `body` is None once it was lawfully erased."""

    sequence: int
    entry_id: str
    kind: str
    leaf_hash: bytes
    archived_at_utc_ms: int
    envelope: Envelope
    salt: bytes | None
    body: Body | None


@dataclass(slots=True)
class MessageFacts:
    """One message's row with its entries in the archive's order, and the rows that hang on it."""

    row: Row[Any]
    entries: list[AboutEntry] = field(default_factory=list)
    versions: list[Row[Any]] = field(default_factory=list)
    reactions: list[Row[Any]] = field(default_factory=list)
    decisions: list[Row[Any]] = field(default_factory=list)
    files: list[Row[Any]] = field(default_factory=list)
    erased: bool = False
    taken: bool = False

    @property
    def history(self) -> list[AboutEntry]:
        """Return the entries that are versions of the message."""
        return [entry for entry in self.entries if entry.kind in VERSION_KINDS]


def count_messages(connection: Connection) -> int:
    """Return how many messages there are."""
    return int(connection.execute(select(func.count()).select_from(messages)).scalar_one())


def message_pages(connection: Connection) -> Iterator[list[MessageFacts]]:
    """Yield every message in the order of its id, in pages; raises msgspec.DecodeError."""
    after = ""
    while True:
        rows = connection.execute(
            select(messages)
            .where(messages.c.message_id > after)
            .order_by(messages.c.message_id)
            .limit(PAGE)
        ).all()
        if not rows:
            return
        after = rows[-1].message_id
        yield _with_facts(connection, rows)


def _with_facts(connection: Connection, rows: Sequence[Row[Any]]) -> list[MessageFacts]:
    facts = {row.message_id: MessageFacts(row) for row in rows}
    ids = list(facts)
    for entry in connection.execute(_entries_query().where(_in(archive_entries, ids))):
        facts[entry.message_id].entries.append(_about(entry))
    for row in _rows(connection, message_versions, ids, message_versions.c.n):
        facts[row.message_id].versions.append(row)
    for row in _rows(connection, reactions, ids, reactions.c.actor_id):
        facts[row.message_id].reactions.append(row)
    for row in _rows(connection, decisions, ids, decisions.c.decision_id):
        facts[row.message_id].decisions.append(row)
    for row in _rows(connection, attachments, ids, attachments.c.position):
        facts[row.message_id].files.append(row)
    for row in connection.execute(select(erased_messages).where(_in(erased_messages, ids))):
        facts[row.message_id].erased = True
    taken = (
        select(jobs.c.message_id)
        .join(attempts, attempts.c.job_id == jobs.c.job_id)
        .where(_in(jobs, ids), attempts.c.outcome == "accepted")
    )
    for row in connection.execute(taken):
        facts[row.message_id].taken = True
    return list(facts.values())


def _entries_query() -> Select[Any]:
    entries, bodies = archive_entries.c, archive_bodies.c
    return (
        select(
            entries.sequence,
            entries.entry_id,
            entries.kind,
            entries.leaf,
            entries.leaf_hash,
            entries.message_id,
            entries.archived_at_utc_ms,
            bodies.salt,
            bodies.body,
        )
        .outerjoin(archive_bodies, bodies.entry_id == entries.entry_id)
        .order_by(entries.sequence)
    )


def _about(row: Row[Any]) -> AboutEntry:
    return AboutEntry(
        sequence=row.sequence,
        entry_id=row.entry_id,
        kind=row.kind,
        leaf_hash=row.leaf_hash,
        archived_at_utc_ms=row.archived_at_utc_ms,
        envelope=msgspec.json.decode(row.leaf, type=Envelope),
        salt=row.salt,
        body=None if row.body is None else msgspec.json.decode(row.body, type=Body),
    )


def _in(table: Table, ids: Sequence[str]) -> Any:
    return table.c.message_id.in_(ids)


def _rows(
    connection: Connection, table: Table, ids: Sequence[str], order: Column[Any]
) -> Sequence[Row[Any]]:
    found: Sequence[Row[Any]] = connection.execute(
        select(table).where(_in(table, ids)).order_by(table.c.message_id, order)
    ).all()
    return found
