"""Owns the reading of sealed entries in the log's order, narrowed by time, kind and conversation.

It never reads an entry the witnesses have not sealed yet, and never changes one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, select

from backend.storage.tables import (
    archive_bodies,
    archive_entries,
    archive_head,
    archive_leaves,
    conversation_contacts,
)
from contract.receipts.leaf import Envelope

PAGE = 500
# What clients and employees said to each other, with what became of it.
COMMUNICATIONS = (
    *("message_out", "message_in", "import", "native"),
    *("edited", "edited_late", "file_added", "deleted", "reaction"),
)


class Record(NamedTuple):
    """One sealed entry; `salt` and `body` are None once it was lawfully erased."""

    leaf_index: int
    entry_id: str
    firm_id: str
    kind: str
    conversation_id: str
    message_id: str
    leaf: bytes
    leaf_hash: bytes
    archived_at_utc_ms: int
    salt: bytes | None
    body: bytes | None

    @property
    def envelope(self) -> Envelope:
        """Return what the leaf commits to; raises msgspec.DecodeError when it is damaged."""
        return msgspec.json.decode(self.leaf, type=Envelope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which entries: archived in [from, to), of these kinds, in these conversations; all if None.

    The indexes in [first_index, end_index) are read; times are UTC milliseconds.
    """

    first_index: int = 0
    end_index: int | None = None
    from_utc_ms: int | None = None
    to_utc_ms: int | None = None
    kinds: tuple[str, ...] | None = None
    conversation_ids: tuple[str, ...] | None = None


def sealed_size(connection: Connection) -> int:
    """Return how many entries a quorum-cosigned checkpoint covers."""
    sealed = connection.execute(select(archive_head.c.sealed_size)).scalar_one_or_none()
    return sealed or 0


def sealed_records(connection: Connection, chosen: Selection, limit: int) -> list[Record]:
    """Return up to `limit` sealed entries of a selection in the order of the log."""
    leaves, entries = archive_leaves.c, archive_entries.c
    end_index = sealed_size(connection)
    if chosen.end_index is not None:
        end_index = min(end_index, chosen.end_index)
    query = _query().where(leaves.leaf_index >= chosen.first_index, leaves.leaf_index < end_index)
    if chosen.from_utc_ms is not None:
        query = query.where(entries.archived_at_utc_ms >= chosen.from_utc_ms)
    if chosen.to_utc_ms is not None:
        query = query.where(entries.archived_at_utc_ms < chosen.to_utc_ms)
    if chosen.kinds is not None:
        query = query.where(entries.kind.in_(chosen.kinds))
    if chosen.conversation_ids is not None:
        query = query.where(entries.conversation_id.in_(chosen.conversation_ids))
    rows = connection.execute(query.order_by(leaves.leaf_index).limit(limit))
    return [Record(*row) for row in rows]


def all_records(connection: Connection, chosen: Selection) -> Iterator[Record]:
    """Yield every sealed entry of a selection, page by page."""
    first = chosen.first_index
    while True:
        page = sealed_records(connection, replace(chosen, first_index=first), PAGE)
        yield from page
        if len(page) < PAGE:
            return
        first = page[-1].leaf_index + 1


def record_of(connection: Connection, entry_id: str) -> Record | None:
    """Return one entry that has its place in the log, or None."""
    query = _query().where(archive_entries.c.entry_id == entry_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else Record(*row)


def conversations_of_client(connection: Connection, contact_id: str) -> tuple[str, ...]:
    """Return the conversations a client takes part in."""
    columns = conversation_contacts.c
    rows = connection.execute(
        select(columns.conversation_id).where(columns.contact_id == contact_id).distinct()
    )
    return tuple(rows.scalars())


def _query() -> Select[Any]:
    entries, bodies = archive_entries.c, archive_bodies.c
    return (
        select(
            archive_leaves.c.leaf_index,
            entries.entry_id,
            entries.firm_id,
            entries.kind,
            entries.conversation_id,
            entries.message_id,
            entries.leaf,
            entries.leaf_hash,
            entries.archived_at_utc_ms,
            bodies.salt,
            bodies.body,
        )
        .join(archive_leaves, archive_leaves.c.sequence == entries.sequence)
        .outerjoin(archive_bodies, bodies.entry_id == entries.entry_id)
    )
