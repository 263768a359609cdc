"""Owns the archive's entries of who read the original file of an import.

It never hands out the file.
"""

from __future__ import annotations

from sqlalchemy import Connection

from backend.archive.entries import append_entry, new_salt
from backend.imports.rows import KnownImport
from contract.receipts.canonical import canonical_json
from contract.wire import Me

KIND_IMPORT_READ = "import_read"


def record_original_read(
    connection: Connection, me: Me, known: KnownImport, now_utc_ms: int
) -> None:
    """Archive that Compliance reads an original; call it before the first byte is given out."""
    append_entry(
        connection,
        kind=KIND_IMPORT_READ,
        actor_id=me.employee_id,
        conversation_id=known.status.conversation_id,
        message_id="",
        revision=0,
        occurred_at_utc_ms=now_utc_ms,
        salt=new_salt(),
        body=canonical_json(
            {"file_sha256": known.status.file_sha256, "import_id": known.import_id}
        ),
        firm_id=me.firm_id,
        now_utc_ms=now_utc_ms,
    )
