"""Owns the archive's self-test: a synthetic entry, written, sealed, read back and proved.

It never touches a message.
"""

from __future__ import annotations

from sqlalchemy import Connection

from backend.archive.entries import append_entry, new_salt, read_entry
from backend.archive.sealing import KIND_PROBE, SealedEntry
from backend.archive.verify import fault_of
from contract.ids import EntryId
from contract.receipts.canonical import canonical_json
from contract.receipts.encoding import encode_base64
from contract.receipts.errors import ReceiptError
from contract.receipts.keys import VerifierKey
from contract.receipts.tlog_proof import verify_receipt
from contract.wire import ArchiveKeys, ArchiveProbe


class ProbeFailed(Exception):
    """The archive did not give back what was written; the text names the fault."""


def write_probe(
    connection: Connection, firm_id: str, actor_id: str, entry_id: str, now_utc_ms: int
) -> bool:
    """Record one diagnostics entry; false when there is one with this id already."""
    if read_entry(connection, entry_id) is not None:
        return False
    append_entry(
        connection,
        kind=KIND_PROBE,
        actor_id=actor_id,
        conversation_id="",
        message_id="",
        revision=0,
        occurred_at_utc_ms=now_utc_ms,
        salt=new_salt(),
        body=canonical_json({"probe": True}),
        firm_id=firm_id,
        now_utc_ms=now_utc_ms,
        entry_id=EntryId(entry_id),
    )
    return True


def check_probe(connection: Connection, sealed: SealedEntry, keys: ArchiveKeys) -> ArchiveProbe:
    """Read a sealed probe back and verify body, leaf and receipt; raises ProbeFailed."""
    stored = read_entry(connection, sealed.entry_id)
    if stored is None:
        raise ProbeFailed("the entry can't be read back")
    fault = fault_of(stored, stored.sequence)
    if fault or stored.ref != sealed.archive:
        raise ProbeFailed(fault or "the entry read back is not the one written")
    try:
        verify_receipt(
            sealed.receipt.encode(),
            stored.leaf,
            VerifierKey.parse(keys.log_key),
            [VerifierKey.parse(key) for key in keys.witness_keys],
            keys.quorum,
        )
    except ReceiptError as error:
        raise ProbeFailed(f"the receipt does not hold: {error}") from error
    return ArchiveProbe(
        archive=sealed.archive,
        entries=sealed.archive.index + 1,
        receipt=sealed.receipt,
        leaf=encode_base64(stored.leaf),
    )
