"""Owns the archive's self-test: a synthetic entry, written, read back and hashed again.

It never touches a message.
"""

from __future__ import annotations

from sqlalchemy import Connection

from backend.archive.entries import append_entry, archive_size, new_salt, read_entry
from backend.archive.verify import fault_of
from contract.receipts.canonical import canonical_json
from contract.wire import ArchiveProbe

PROBE_KIND = "diagnostics"


class ProbeFailed(Exception):
    """The archive did not give back what was written; the text names the fault."""


def probe_archive(
    connection: Connection, firm_id: str, actor_id: str, now_utc_ms: int
) -> ArchiveProbe:
    """Write one diagnostics entry, read it back and check it; raises ProbeFailed."""
    archived = append_entry(
        connection,
        kind=PROBE_KIND,
        actor_id=actor_id,
        conversation_id="",
        message_id="",
        revision=0,
        occurred_at_utc_ms=now_utc_ms,
        salt=new_salt(),
        body=canonical_json({"probe": True}),
        firm_id=firm_id,
        now_utc_ms=now_utc_ms,
    )
    stored = read_entry(connection, archived.entry_id)
    if stored is None:
        raise ProbeFailed("the entry can't be read back")
    fault = fault_of(stored, archived.index)
    if fault or stored.ref != archived:
        raise ProbeFailed(fault or "the entry read back is not the one written")
    return ArchiveProbe(archive=archived, entries=archive_size(connection))
