"""Owns the document that proves and tells of one archived version of a message.

It never checks who asks: the API does.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select

from backend.archive.decision_hashes import disclosed_decision
from backend.archive.entries import StoredEntry, read_entry
from backend.archive.journal_queue import journal_confirmed_at
from backend.archive.nodes import NodeCache
from backend.archive.proofs import build_receipt, covering_checkpoint
from backend.archive.retention import Schedule
from backend.archive.signing import WitnessPolicy
from backend.archive.verify import read_envelope
from backend.storage.tables import conversations, decisions, message_versions
from contract.receipts.encoding import encode_base64
from contract.wire import Message, ReceiptDocument


class _Version(NamedTuple):
    entry: StoredEntry
    decision_hash: str


def receipt_document(
    connection: Connection,
    cache: NodeCache,
    policy: WitnessPolicy,
    message: Message,
    revision: int,
) -> ReceiptDocument | None:
    """Return the document of a message's revision; None while there is none or it is not sealed."""
    version = _version(connection, message.message_id, revision)
    if version is None or version.entry.leaf_index is None or not version.entry.sealed:
        return None
    checkpoint = covering_checkpoint(connection, version.entry.leaf_index, policy.quorum)
    if checkpoint is None:
        return None
    receipt = build_receipt(connection, cache, version.entry.leaf_index, checkpoint)
    stated = connection.execute(
        select(conversations.c.kept_until_utc_ms).where(
            conversations.c.conversation_id == message.conversation_id
        )
    ).scalar_one_or_none()
    salt, body = _committed(version.entry) if revision == message.revision else ("", "")
    return ReceiptDocument(
        receipt=receipt.decode(),
        leaf=encode_base64(version.entry.leaf),
        decision_hash=version.decision_hash,
        archived_at_utc_ms=version.entry.archived_at_utc_ms,
        versions=message.versions_archived,
        witnesses_confirmed=checkpoint.witnesses,
        witnesses_total=len({key.name for key in policy.keys}),
        justification=_justification(connection, message.message_id, revision),
        kept_until_utc_ms=_kept_until(connection, version.entry, stated),
        journal_confirmed_at_utc_ms=journal_confirmed_at(connection, version.entry.entry_id),
        salt=salt,
        body=body,
        decision=_decision(connection, version),
    )


def _committed(entry: StoredEntry) -> tuple[str, str]:
    """Return salt and body as the document tells them, empty once they were erased."""
    if entry.salt is None or entry.body is None:
        return "", ""
    return entry.salt.hex(), encode_base64(entry.body)


def _decision(connection: Connection, version: _Version) -> str:
    """Return the decision's text while its message was not erased: it may quote from it."""
    if version.entry.body is None:
        return ""
    return disclosed_decision(connection, version.entry.entry_id, version.decision_hash)


def _version(connection: Connection, message_id: str, revision: int) -> _Version | None:
    """Return the newest version of a message whose leaf names this revision."""
    columns = message_versions.c
    ids = connection.execute(
        select(columns.entry_id).where(columns.message_id == message_id).order_by(columns.n.desc())
    ).scalars()
    for entry_id in ids.all():
        entry = read_entry(connection, entry_id)
        if entry is None:
            continue
        envelope = read_envelope(entry.leaf)
        if envelope.revision == revision:
            return _Version(entry, envelope.decision_hash)
    return None


def _justification(connection: Connection, message_id: str, revision: int) -> str:
    columns = decisions.c
    found: str | None = connection.execute(
        select(columns.justification)
        .where(columns.message_id == message_id, columns.revision == revision)
        .limit(1)
    ).scalar_one_or_none()
    return found or ""


def _kept_until(connection: Connection, entry: StoredEntry, stated: int | None) -> int | None:
    """Return when the entry's retention ends by its classes, else as the conversation states."""
    envelope = read_envelope(entry.leaf)
    until = Schedule(connection, envelope.firm_id).kept_until(
        entry.kind, envelope.conversation_id, envelope.message_id, entry.archived_at_utc_ms
    )
    return stated if until is None else until
