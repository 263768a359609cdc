"""Owns the archive's entries of who read the original file of an import.

It never hands out the file.
"""

from __future__ import annotations

from sqlalchemy import Connection

from backend.archive.entries import append_act
from backend.imports.rows import KnownImport
from contract.wire import Me

KIND_IMPORT_READ = "import_read"


def record_original_read(
    connection: Connection, me: Me, known: KnownImport, now_utc_ms: int
) -> None:
    """Archive that Compliance reads an original; call it before the first byte is given out."""
    append_act(
        connection,
        kind=KIND_IMPORT_READ,
        actor_id=me.employee_id,
        told={"file_sha256": known.status.file_sha256, "import_id": known.import_id},
        conversation_id=known.status.conversation_id,
        firm_id=me.firm_id,
        now_utc_ms=now_utc_ms,
    )
