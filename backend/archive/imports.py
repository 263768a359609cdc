"""Owns the entry of each imported file: who brought in which file, for which account, and when.

It never reads the file and never records one twice for an account: importers ask first.

The leaf commits to the file's SHA-256, salted as an attachment's is; the body names it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, select

from backend.archive.entries import append_entry, new_salt, read_entry
from backend.archive.tree_audit import Fault
from backend.storage.tables import archive_bodies, archive_entries
from contract.ids import EntryId
from contract.receipts.bodies import attachment_commitments
from contract.receipts.canonical import canonical_json
from contract.receipts.leaf import Envelope

KIND_IMPORT_FILE = "import_file"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """A file as its importer found it; `importer` names the format, such as `whatsapp_txt`.

    `message_count` counts the messages it holds, known ones too.
    """

    account_id: str
    importer: str
    file_name: str
    file_sha256: str
    size_bytes: int
    message_count: int


class _Body(msgspec.Struct):
    file_sha256: str


def record_import(
    connection: Connection, firm_id: str, actor_id: str, file: ImportedFile, now_utc_ms: int
) -> EntryId | None:
    """Archive that a file is imported; returns its entry, None when the account had it before.

    Call it in the transaction that begins the import. Raises ValueError for a hash that is not
    64 lower-case hex digits or a name without canonical form.
    """
    if _SHA256.fullmatch(file.file_sha256) is None:
        raise ValueError("file_sha256 must be 64 lower-case hex digits")
    entry_id = import_entry_id(firm_id, file.account_id, file.file_sha256)
    if read_entry(connection, entry_id) is not None:
        return None
    salt = new_salt()
    return append_entry(
        connection,
        kind=KIND_IMPORT_FILE,
        actor_id=actor_id,
        conversation_id="",
        message_id="",
        revision=0,
        occurred_at_utc_ms=now_utc_ms,
        salt=salt,
        body=canonical_json(
            {
                "account_id": file.account_id,
                "file_name": file.file_name,
                "file_sha256": file.file_sha256,
                "importer": file.importer,
                "message_count": file.message_count,
                "size_bytes": file.size_bytes,
            }
        ),
        attachment_commitments=attachment_commitments(salt, [file.file_sha256]),
        firm_id=firm_id,
        now_utc_ms=now_utc_ms,
        entry_id=entry_id,
    ).entry_id


def import_entry_id(firm_id: str, account_id: str, file_sha256: str) -> EntryId:
    """Return the one id that the import of a file into an account can have."""
    told = f"{firm_id}\n{account_id}\n{file_sha256}".encode()
    return EntryId(f"import-{hashlib.sha256(told).hexdigest()}")


def audit_imports(connection: Connection) -> int:
    """Check each import's leaf against the file its body names; returns how many there are.

    Raises Fault for the first that commits to another file.
    """
    count = 0
    for sequence, leaf, salt, body in _stored(connection):
        count += 1
        if salt is None or body is None:
            continue  # lawfully erased, which the log's own audit has checked
        try:
            named = msgspec.json.decode(body, type=_Body).file_sha256
            committed = attachment_commitments(salt, [named])
            envelope = msgspec.json.decode(leaf, type=Envelope)
        except (msgspec.DecodeError, ValueError) as error:
            raise Fault(f"entry {sequence}: the import it tells of can't be read") from error
        if envelope.attachment_commitments != committed:
            raise Fault(f"entry {sequence}: it commits to another file than was imported", sequence)
    return count


def _stored(connection: Connection) -> Iterator[tuple[int, bytes, bytes | None, bytes | None]]:
    entries, bodies = archive_entries.c, archive_bodies.c
    rows = connection.execute(
        select(entries.sequence, entries.leaf, bodies.salt, bodies.body)
        .outerjoin(archive_bodies, bodies.entry_id == entries.entry_id)
        .where(entries.kind == KIND_IMPORT_FILE)
        .order_by(entries.sequence)
        .execution_options(yield_per=500)
    )
    for row in rows:
        yield row.sequence, row.leaf, row.salt, row.body
