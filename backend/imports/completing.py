"""Owns the files that a later export brings for messages that came in without them.

It never replaces a file, and never changes what the archive holds: each is a version of its own.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

import msgspec
from sqlalchemy import Connection, select

from backend.archive.entries import new_salt
from backend.imports.wording import text_of, told_of
from backend.inbox.inbound import StoredFile, attach_files
from backend.inbox.messages import add_version, find_by_external_id, message_row
from backend.storage.custody_tables import erased_messages
from backend.storage.tables import attachments
from contract.ids import MessageId
from contract.imports.model import ImportedKind, ImportedMessage
from contract.receipts.bodies import KIND_FILE_ADDED, attachment_commitments
from contract.receipts.canonical import canonical_json


def lacks_files(
    connection: Connection,
    account_id: str,
    identity: str,
    message: ImportedMessage,
    held: Container[str],
) -> bool:
    """Tell whether a known message has no file at all, and an export that holds `held` has one."""
    if message.kind is ImportedKind.DELETED or not any(name in held for name in message.files):
        return False
    return _bare(connection, account_id, identity) is not None


def add_files(
    connection: Connection,
    account_id: str,
    identity: str,
    message: ImportedMessage,
    files: Sequence[StoredFile],
    provenance: dict[str, str],
    now_utc_ms: int,
) -> bool:
    """Archive that a known message had these files, and show them; false where it has some.

    Its own words stay; where the earlier export left them out they are this one's.
    """
    message_id = _bare(connection, account_id, identity)
    if message_id is None or not files:
        return False
    row = message_row(connection, message_id)
    words = told_of(row.text)[0] or message.text
    text = text_of(msgspec.structs.replace(message, text=words), [file.name for file in files])
    salt, digests = new_salt(), [file.sha256 for file in files]
    add_version(
        connection,
        message_id,
        kind=KIND_FILE_ADDED,
        actor_id=row.author_id,
        body=canonical_json(
            {
                "attachments": digests,
                "import": dict(provenance),
                "quote": row.quote_message_id or "",
                "text": text,
            }
        ),
        salt=salt,
        occurred_at_utc_ms=now_utc_ms,
        now_utc_ms=now_utc_ms,
        changes={"text": text},
        attachment_commitments=attachment_commitments(salt, digests),
    )
    attach_files(connection, row.firm_id, message_id, files, now_utc_ms)
    return True


def _bare(connection: Connection, account_id: str, identity: str) -> MessageId | None:
    """Return a known message that is shown, and without any file."""
    message_id = find_by_external_id(connection, account_id, identity)
    if message_id is None or message_row(connection, message_id).deleted:
        return None
    for table in (attachments, erased_messages):
        this = table.c.message_id == message_id
        if connection.execute(select(table.c.message_id).where(this).limit(1)).first():
            return None
    return message_id
