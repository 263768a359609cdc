"""Owns the audit of the whole archive and the listing of a message's entries.

It never repairs anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, select

from backend.archive.entries import (
    StoredEntry,
    archive_size,
    entries_from,
    entries_of_message,
)
from backend.archive.erasure_audit import ErasureOrders
from backend.archive.tree_audit import Fault, TreeReplay
from backend.archive.witness_state import Seen
from backend.storage.tables import archive_bodies, archive_entries
from contract.receipts.canonical import canonical_json
from contract.receipts.leaf import Envelope, body_commitment, leaf_bytes, leaf_hash

_BATCH = 2_048
# Columns by which entries are found: what they say must be what the leaf commits to.
_in_leaf = attrgetter(
    "entry_id", "kind", "firm_id", "conversation_id", "message_id", "decision_hash"
)
_envelopes = msgspec.json.Decoder(Envelope)
Progress = Callable[[int, int], None]


class Audit(NamedTuple):
    """The outcome of a walk: how many entries are sound, and the first fault, if any.

    `in_log` of them have their place in the log and `sealed` are covered by the witnesses.
    """

    entries: int
    fault: str
    fault_index: int | None
    in_log: int = 0
    sealed: int = 0

    @property
    def ok(self) -> bool:
        """Tell whether every entry is sound."""
        return not self.fault


def verify_archive(
    connection: Connection, seen: Seen | None = None, progress: Progress | None = None
) -> Audit:
    """Recompute every leaf, body commitment, node and root, and check every signature.

    `seen` is what the witness signed last; `progress` is told the entries done and all there
    are. Stops at the first fault and names it.
    """
    total = archive_size(connection)
    replay, orders = TreeReplay(connection, seen), ErasureOrders(connection)
    done = 0
    try:
        while batch := entries_from(connection, done, _BATCH):
            _check_batch(batch, done, replay, orders)
            done += len(batch)
            if progress is not None:
                progress(done, total)
        replay.finish()
        orphans = _bodies_without_entry(connection)
        if orphans:
            raise Fault(f"{orphans} bodies have no entry")
    except Fault as fault:
        return Audit(done if fault.index is None else fault.index, str(fault), fault.index)
    return Audit(done, "", None, replay.size, replay.sealed_size)


def _check_batch(
    batch: Sequence[StoredEntry], first: int, replay: TreeReplay, orders: ErasureOrders
) -> None:
    hashes: list[bytes] = []
    waiting = first - 1 if replay.size < first else None
    for sequence, entry in enumerate(batch, start=first):
        fault = fault_of(entry, sequence)
        if not fault and entry.erased_by is not None:
            fault = orders.fault_of(entry)
        if fault:
            raise Fault(fault, sequence)
        if entry.leaf_index is None:
            waiting = sequence
            continue
        if waiting is not None:
            raise Fault(f"entry {waiting} was left out of the log", waiting)
        if entry.leaf_index != replay.size + len(hashes):
            raise Fault(f"entry {sequence} stands at another place in the log", sequence)
        hashes.append(entry.leaf_hash)
    if hashes:
        replay.add(hashes)


def fault_of(entry: StoredEntry, sequence: int) -> str:
    """Return what is wrong with one entry in plain words, or an empty text."""
    if entry.sequence != sequence:
        return f"entry {sequence} is missing"
    if leaf_hash(entry.leaf) != entry.leaf_hash:
        return f"entry {sequence}: the leaf does not have the stored hash"
    try:
        envelope = read_envelope(entry.leaf)
    except (msgspec.DecodeError, ValueError):
        return f"entry {sequence}: the leaf is not an envelope"
    if leaf_bytes(envelope) != entry.leaf:
        return f"entry {sequence}: the leaf is not in canonical form"
    if _in_leaf(envelope) != _in_leaf(entry):
        return f"entry {sequence}: its columns differ from its leaf"
    if entry.salt is None or entry.body is None:
        return "" if entry.erased_by else f"entry {sequence}: its body is missing"
    try:
        committed = body_commitment(entry.salt, entry.body)
    except ValueError:
        return f"entry {sequence}: the salt is not whole"
    if committed != envelope.body_commitment:
        return f"entry {sequence}: the body is not the one committed to"
    return ""


def read_envelope(leaf: bytes) -> Envelope:
    """Return the envelope a leaf's canonical bytes hold; raises msgspec.DecodeError."""
    return _envelopes.decode(leaf)


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
        "sequence": entry.sequence,
        "index": entry.leaf_index,
        "sealed": entry.sealed,
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
        "fault": fault_of(entry, entry.sequence),
        "erased_by": entry.erased_by,
        "body": None if entry.body is None else msgspec.json.decode(entry.body),
    }


def _bodies_without_entry(connection: Connection) -> int:
    bodies = archive_bodies.c
    return len(
        connection.execute(
            select(bodies.entry_id)
            .outerjoin(archive_entries, archive_entries.c.entry_id == bodies.entry_id)
            .where(archive_entries.c.entry_id.is_(None))
        ).all()
    )
