"""Owns commit A's part of the archive: the adding of entries, and the reading of single ones.

It never changes or deletes an entry, never gives an index in the log, and never commits: the
caller's transaction does, and the sequencer takes each entry into the log afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, false, func, select

from backend.storage.bulk import Prepared, insert_rows
from backend.storage.custody_tables import archive_erasures
from backend.storage.tables import archive_bodies, archive_entries, archive_head, archive_leaves
from contract.ids import EntryId, uuid7
from contract.receipts.canonical import Canonical, canonical_json
from contract.receipts.leaf import SALT_BYTES, Envelope, body_commitment, leaf_bytes, leaf_hash
from contract.wire import ArchiveRef

_ENTRY_COLUMNS = (
    "sequence",
    "entry_id",
    "firm_id",
    "kind",
    "conversation_id",
    "message_id",
    "leaf",
    "leaf_hash",
    "decision_hash",
    "archived_at_utc_ms",
)
_NEWEST = Prepared(select(func.max(archive_entries.c.sequence)))
_BODY_COLUMNS = ("entry_id", "firm_id", "salt", "body")


class NewEntry(NamedTuple):
    """One entry about to be recorded: its envelope, and the body with the salt it commits to."""

    envelope: Envelope
    salt: bytes
    body: bytes


class Recorded(NamedTuple):
    """One entry that commit A will hold; `sequence` is its place among all entries."""

    sequence: int
    entry_id: EntryId
    leaf_hash: bytes
    archived_at_utc_ms: int


class StoredEntry(NamedTuple):
    """One entry as it lies in the archive, with its body and salt.

    `leaf_index` is None until the sequencer took it into the log, and `sealed` tells whether
    the quorum of witnesses has cosigned a checkpoint over it. Salt and body are None once they
    were lawfully erased, under the order in the entry `erased_by`.
    """

    sequence: int
    entry_id: EntryId
    kind: str
    leaf: bytes
    leaf_hash: bytes
    salt: bytes | None
    body: bytes | None
    archived_at_utc_ms: int
    leaf_index: int | None
    sealed: bool
    firm_id: str
    conversation_id: str
    message_id: str
    decision_hash: str
    erased_by: str | None = None

    @property
    def ref(self) -> ArchiveRef | None:
        """Return what clients are told of this entry: None before it is sealed."""
        if self.leaf_index is None or not self.sealed:
            return None
        return ArchiveRef(
            index=self.leaf_index,
            entry_id=self.entry_id,
            entry_hash=self.leaf_hash.hex(),
            archived_at_utc_ms=self.archived_at_utc_ms,
        )


def new_salt() -> bytes:
    """Return 32 random bytes for a body commitment."""
    return os.urandom(SALT_BYTES)


def append_entry(
    connection: Connection,
    *,
    kind: str,
    actor_id: str,
    conversation_id: str,
    message_id: str,
    revision: int,
    occurred_at_utc_ms: int,
    salt: bytes,
    body: bytes,
    attachment_commitments: Sequence[str] = (),
    decision_hash: str = "",
    previous: str = "",
    firm_id: str,
    now_utc_ms: int,
    entry_id: EntryId | None = None,
) -> Recorded:
    """Record one entry and return where it stands.

    `kind` is one of contract.receipts.leaf's events; `previous` is the leaf hash of the version
    replaced; `entry_id` is made anew when not given. Raises ValueError for a salt of another
    length or a value without canonical form.
    """
    envelope = Envelope(
        firm_id=firm_id,
        entry_id=entry_id or EntryId(uuid7(now_utc_ms, os.urandom(10))),
        kind=kind,
        actor_id=actor_id,
        conversation_id=conversation_id,
        message_id=message_id,
        revision=revision,
        occurred_at_utc_ms=occurred_at_utc_ms,
        body_commitment=body_commitment(salt, body),
        attachment_commitments=tuple(attachment_commitments),
        decision_hash=decision_hash,
        previous=previous,
    )
    return append_entries(connection, [NewEntry(envelope, salt, body)], now_utc_ms)[0]


def append_act(
    connection: Connection,
    *,
    kind: str,
    actor_id: str,
    told: Canonical,
    firm_id: str,
    now_utc_ms: int,
    occurred_at_utc_ms: int | None = None,
    conversation_id: str = "",
    message_id: str = "",
) -> Recorded:
    """Record what somebody did that is no version of a message, and return where it stands.

    `told` becomes the body in canonical form, under a salt of its own; it happened now unless told
    otherwise. Raises ValueError for what has no canonical form.
    """
    return append_entry(
        connection,
        kind=kind,
        actor_id=actor_id,
        conversation_id=conversation_id,
        message_id=message_id,
        revision=0,
        occurred_at_utc_ms=now_utc_ms if occurred_at_utc_ms is None else occurred_at_utc_ms,
        salt=new_salt(),
        body=canonical_json(told),
        firm_id=firm_id,
        now_utc_ms=now_utc_ms,
    )


def append_entries(
    connection: Connection, new: Sequence[NewEntry], now_utc_ms: int
) -> list[Recorded]:
    """Record entries in their order; raises ValueError for one without canonical form."""
    first = archive_size(connection)
    recorded: list[Recorded] = []
    rows: list[tuple[int | str | bytes, ...]] = []
    bodies: list[tuple[int | str | bytes, ...]] = []
    for sequence, (envelope, salt, body) in enumerate(new, start=first):
        leaf = leaf_bytes(envelope)
        digest = leaf_hash(leaf)
        entry_id, firm_id = EntryId(envelope.entry_id), envelope.firm_id
        recorded.append(Recorded(sequence, entry_id, digest, now_utc_ms))
        about = (envelope.kind, envelope.conversation_id, envelope.message_id)
        proof = (leaf, digest, envelope.decision_hash, now_utc_ms)
        rows.append((sequence, entry_id, firm_id, *about, *proof))
        bodies.append((entry_id, firm_id, salt, body))
    insert_rows(connection, archive_entries, _ENTRY_COLUMNS, rows)
    insert_rows(connection, archive_bodies, _BODY_COLUMNS, bodies)
    return recorded


def archive_size(connection: Connection) -> int:
    """Return the number of recorded entries, which is also the next sequence."""
    newest = _NEWEST.first(connection)
    return 0 if newest is None or newest[0] is None else int(newest[0]) + 1


def sealed_leaf() -> Any:
    """Return the condition that a leaf's entry is covered by a quorum-cosigned checkpoint."""
    sealed_size = select(archive_head.c.sealed_size).scalar_subquery()
    return archive_leaves.c.leaf_index < sealed_size


def read_entry(connection: Connection, entry_id: str) -> StoredEntry | None:
    """Return one entry with its body, or None."""
    row = _ENTRY.record(connection, entry_id)
    return None if row is None else StoredEntry._make(row)


def entries_of_message(connection: Connection, message_id: str) -> tuple[StoredEntry, ...]:
    """Return every entry about a message in the order of the archive."""
    return tuple(map(StoredEntry._make, _ENTRIES_OF.records(connection, message_id)))


def entries_from(connection: Connection, first: int, limit: int) -> tuple[StoredEntry, ...]:
    """Return up to `limit` entries from a sequence on, in the order of the archive."""
    rows = _ENTRIES_FROM.rows(connection, first, limit)
    return tuple(map(StoredEntry._make, rows))


def _entry_query() -> Select[Any]:
    entries, bodies, leaves = archive_entries.c, archive_bodies.c, archive_leaves.c
    return (
        select(
            entries.sequence,
            entries.entry_id,
            entries.kind,
            entries.leaf,
            entries.leaf_hash,
            bodies.salt,
            bodies.body,
            entries.archived_at_utc_ms,
            leaves.leaf_index,
            func.coalesce(sealed_leaf(), false()).label("sealed"),
            entries.firm_id,
            entries.conversation_id,
            entries.message_id,
            entries.decision_hash,
            archive_erasures.c.order_entry_id,
        )
        .outerjoin(archive_bodies, bodies.entry_id == entries.entry_id)
        .outerjoin(archive_erasures, archive_erasures.c.entry_id == entries.entry_id)
        .outerjoin(archive_leaves, leaves.sequence == entries.sequence)
        .order_by(entries.sequence)
    )


_ENTRIES_FROM = Prepared(
    _entry_query().where(archive_entries.c.sequence >= bindparam("first")).limit(bindparam("most")),
    "first",
    "most",
)
_ENTRY = Prepared(_entry_query().where(archive_entries.c.entry_id == bindparam("id")), "id")
_ENTRIES_OF = Prepared(_entry_query().where(archive_entries.c.message_id == bindparam("id")), "id")
