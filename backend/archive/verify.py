"""Owns the audit of the whole archive and the listing of a message's entries.

It never repairs anything.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, select

from backend.archive.entries import StoredEntry, entries_of_message, stored_entries
from backend.storage.tables import archive_bodies, archive_entries
from contract.receipts.canonical import canonical_json
from contract.receipts.leaf import Envelope, body_commitment, leaf_bytes, leaf_hash

_BATCH = 1_000
# Columns by which entries are found: what they say must be what the leaf commits to.
_IN_LEAF = ("entry_id", "kind", "firm_id", "conversation_id", "message_id", "decision_hash")


class Audit(NamedTuple):
    """The outcome of a walk: how many entries are sound, and the first fault, if any."""

    entries: int
    fault: str
    fault_index: int | None

    @property
    def ok(self) -> bool:
        """Tell whether every entry is sound."""
        return not self.fault


def verify_archive(connection: Connection) -> Audit:
    """Recompute every entry's leaf hash and body commitment and check that no index is missing.

    Stops at the first fault and names it.
    """
    expected = 0
    while True:
        batch = _entries_from(connection, expected)
        if not batch:
            break
        for entry in batch:
            fault = fault_of(entry, expected)
            if fault:
                return Audit(expected, fault, expected)
            expected += 1
    orphans = _bodies_without_entry(connection)
    if orphans:
        return Audit(expected, f"{orphans} bodies have no entry", None)
    return Audit(expected, "", None)


def fault_of(entry: StoredEntry, expected_index: int) -> str:
    """Return what is wrong with one entry in plain words, or an empty text."""
    if entry.leaf_index != expected_index:
        return f"entry {expected_index} is missing"
    if leaf_hash(entry.leaf) != entry.leaf_hash:
        return f"entry {expected_index}: the leaf does not have the stored hash"
    try:
        envelope = read_envelope(entry.leaf)
    except (msgspec.DecodeError, ValueError):
        return f"entry {expected_index}: the leaf is not an envelope"
    if leaf_bytes(envelope) != entry.leaf:
        return f"entry {expected_index}: the leaf is not in canonical form"
    if any(getattr(envelope, name) != getattr(entry, name) for name in _IN_LEAF):
        return f"entry {expected_index}: its columns differ from its leaf"
    try:
        committed = body_commitment(entry.salt, entry.body)
    except ValueError:
        return f"entry {expected_index}: the salt is not whole"
    if committed != envelope.body_commitment:
        return f"entry {expected_index}: the body is not the one committed to"
    return ""


def read_envelope(leaf: bytes) -> Envelope:
    """Return the envelope a leaf's canonical bytes hold; raises msgspec.DecodeError."""
    return msgspec.json.decode(leaf, type=Envelope)


def describe_message(connection: Connection, message_id: str) -> bytes:
    """Return JSON of every entry about a message: index, kind, hashes, soundness and body.

    The body is the canonical JSON that was committed to; it holds the message's text, so the
    output is for the archive's own readers only.
    """
    return canonical_json(
        [_described(entry) for entry in entries_of_message(connection, message_id)]
    )


def _described(entry: StoredEntry) -> dict[str, Any]:
    envelope = read_envelope(entry.leaf)
    return {
        "index": entry.leaf_index,
        "entry_id": entry.entry_id,
        "kind": entry.kind,
        "entry_hash": entry.leaf_hash.hex(),
        "archived_at_utc_ms": entry.archived_at_utc_ms,
        "actor_id": envelope.actor_id,
        "conversation_id": envelope.conversation_id,
        "message_id": envelope.message_id,
        "revision": envelope.revision,
        "occurred_at_utc_ms": envelope.occurred_at_utc_ms,
        "decision_hash": envelope.decision_hash,
        "previous": envelope.previous,
        "fault": fault_of(entry, entry.leaf_index),
        "body": msgspec.json.decode(entry.body),
    }


def _entries_from(connection: Connection, first: int) -> list[StoredEntry]:
    query = stored_entries().where(archive_entries.c.leaf_index >= first).limit(_BATCH)
    rows = connection.execute(query)
    return [StoredEntry(*row) for row in rows]


def _bodies_without_entry(connection: Connection) -> int:
    bodies = archive_bodies.c
    return len(
        connection.execute(
            select(bodies.entry_id)
            .outerjoin(archive_entries, archive_entries.c.entry_id == bodies.entry_id)
            .where(archive_entries.c.entry_id.is_(None))
        ).all()
    )
