"""Owns the order in which the whole archive is audited: keys, log, times, imports, messages, files.

It never repairs anything, and stops at the first fault.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection

from backend.archive.blob_audit import audit_files
from backend.archive.decision_audit import audit_later_decisions, check_no_stray_decision
from backend.archive.imports import audit_imports
from backend.archive.key_audit import TrustedKeys, check_keys
from backend.archive.projection_audit import audit_messages
from backend.archive.time_audit import audit_times
from backend.archive.tree_audit import Fault
from backend.archive.verify import Audit, verify_archive
from backend.archive.witness_state import Seen
from backend.imports.audit import audit_originals
from backend.storage.blobs import BlobStore

Tell = Callable[[str, int, int], None]
"""Is told what is counted (`entries`, `messages`, `files`), how many are done, and all."""


class WholeAudit(NamedTuple):
    """What was verified until the end, or until the first fault; see Audit for the log's part."""

    log: Audit
    messages: int = 0
    files: int = 0
    imports: int = 0

    @property
    def ok(self) -> bool:
        """Tell whether nothing was found."""
        return self.log.ok


def audit_whole(
    connection: Connection,
    blobs: BlobStore,
    seen: Seen | None,
    tell: Tell,
    trusted: TrustedKeys | None = None,
) -> WholeAudit:
    """Audit everything the archive rests on and everything shown from it, files included.

    `seen` is what the witness signed last; with `trusted` keys the database's own must be those.
    """
    log, messages, files, imports = Audit(0, "", None), 0, 0, 0
    try:
        if trusted is not None:
            check_keys(connection, trusted)
        log = verify_archive(connection, seen, lambda done, all_: tell("entries", done, all_))
        if log.ok:
            audit_times(connection)
            imports = audit_imports(connection)
            audit_originals(connection, blobs)
            check_no_stray_decision(connection)
            audit_later_decisions(connection)
            messages = audit_messages(connection, lambda done, all_: tell("messages", done, all_))
            files = audit_files(connection, blobs, lambda done, all_: tell("files", done, all_))
    except Fault as fault:
        log = log._replace(fault=str(fault), fault_index=fault.index)
    return WholeAudit(log, messages, files, imports)
