"""Owns the adding of entries to the archive and the reading of single ones.

It never changes or deletes an entry, and it never commits: the caller's transaction does.

The index is given here, under the writer's lock; the sequencer of several processes will take
this step over without changing an entry.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, insert, select

from backend.storage.tables import archive_bodies, archive_entries
from contract.ids import EntryId, uuid7
from contract.receipts.leaf import SALT_BYTES, Envelope, body_commitment, leaf_bytes, leaf_hash
from contract.wire import ArchiveRef


class StoredEntry(NamedTuple):
    """One entry as it lies in the archive, with its body and salt."""

    leaf_index: int
    entry_id: EntryId
    kind: str
    leaf: bytes
    leaf_hash: bytes
    salt: bytes
    body: bytes
    archived_at_utc_ms: int
    firm_id: str
    conversation_id: str
    message_id: str
    decision_hash: str

    @property
    def ref(self) -> ArchiveRef:
        """Return what clients are told of this entry."""
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
) -> ArchiveRef:
    """Add one entry with the next index and return where it stands.

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
    return _insert(connection, envelope, salt, body, now_utc_ms)


def _insert(
    connection: Connection, envelope: Envelope, salt: bytes, body: bytes, now_utc_ms: int
) -> ArchiveRef:
    leaf = leaf_bytes(envelope)
    digest = leaf_hash(leaf)
    entry_id, firm_id = envelope.entry_id, envelope.firm_id
    index = archive_size(connection)
    connection.execute(
        insert(archive_entries).values(
            leaf_index=index,
            entry_id=entry_id,
            firm_id=firm_id,
            kind=envelope.kind,
            conversation_id=envelope.conversation_id,
            message_id=envelope.message_id,
            leaf=leaf,
            leaf_hash=digest,
            decision_hash=envelope.decision_hash,
            archived_at_utc_ms=now_utc_ms,
        )
    )
    connection.execute(
        insert(archive_bodies).values(entry_id=entry_id, firm_id=firm_id, salt=salt, body=body)
    )
    return ArchiveRef(
        index=index, entry_id=entry_id, entry_hash=digest.hex(), archived_at_utc_ms=now_utc_ms
    )


def archive_size(connection: Connection) -> int:
    """Return the number of entries, which is also the next index."""
    newest = connection.execute(select(func.max(archive_entries.c.leaf_index))).scalar()
    return 0 if newest is None else newest + 1


def stored_entries() -> Select[Any]:
    """Return the query of all StoredEntry rows in the order of the archive."""
    entries, bodies = archive_entries.c, archive_bodies.c
    return (
        select(
            entries.leaf_index,
            entries.entry_id,
            entries.kind,
            entries.leaf,
            entries.leaf_hash,
            bodies.salt,
            bodies.body,
            entries.archived_at_utc_ms,
            entries.firm_id,
            entries.conversation_id,
            entries.message_id,
            entries.decision_hash,
        )
        .join(archive_bodies, bodies.entry_id == entries.entry_id)
        .order_by(entries.leaf_index)
    )


def read_entry(connection: Connection, entry_id: str) -> StoredEntry | None:
    """Return one entry with its body, or None."""
    found = entries_where(connection, entry_id=entry_id)
    return found[0] if found else None


def entries_of_message(connection: Connection, message_id: str) -> tuple[StoredEntry, ...]:
    """Return every entry about a message in the order of the archive."""
    return entries_where(connection, message_id=message_id)


def entries_where(
    connection: Connection, *, entry_id: str | None = None, message_id: str | None = None
) -> tuple[StoredEntry, ...]:
    """Return the entries with this id, or about this message, in the order of the archive."""
    entries, query = archive_entries.c, stored_entries()
    if entry_id is not None:
        query = query.where(entries.entry_id == entry_id)
    if message_id is not None:
        query = query.where(entries.message_id == message_id)
    return tuple(StoredEntry(*row) for row in connection.execute(query))
