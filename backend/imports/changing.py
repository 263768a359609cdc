"""Owns what a later export tells of messages that are known: other words, or taken back.

It never changes what the archive holds: each change is a version of its own.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from backend.imports.wording import text_of
from backend.inbox.inbound import record_delete, record_edit
from backend.inbox.messages import find_by_external_id, message_row
from backend.storage.tables import attachments
from contract.imports.model import ImportedKind, ImportedMessage


def is_changed(
    connection: Connection, account_id: str, identity: str, message: ImportedMessage
) -> bool:
    """Tell whether an export says other words than a known message, or that it was taken back."""
    return _other_words(connection, account_id, identity, message) is not None


def follow_change(
    connection: Connection,
    account_id: str,
    identity: str,
    message: ImportedMessage,
    now_utc_ms: int,
) -> bool:
    """Archive how a known message was changed since it was imported; false where it was not.

    Only apps that give a message an id of its own tell that it is the same one. Told a second
    time, nothing changes.
    """
    text = _other_words(connection, account_id, identity, message)
    if text is None:
        return False
    at_utc_ms = message.edited_at_utc_ms or now_utc_ms
    if message.kind is ImportedKind.DELETED:
        record_delete(
            connection,
            account_id=account_id,
            external_message_id=identity,
            occurred_at_utc_ms=at_utc_ms,
            received_at_utc_ms=now_utc_ms,
        )
    else:
        record_edit(
            connection,
            account_id=account_id,
            external_message_id=identity,
            text=text,
            occurred_at_utc_ms=at_utc_ms,
            received_at_utc_ms=now_utc_ms,
        )
    return True


def _other_words(
    connection: Connection, account_id: str, identity: str, message: ImportedMessage
) -> str | None:
    """Return what a known message says now, None where it says what it said."""
    edited = message.edited or message.edited_at_utc_ms is not None
    if not message.native_id or not (edited or message.kind is ImportedKind.DELETED):
        return None
    message_id = find_by_external_id(connection, account_id, identity)
    if message_id is None:
        return None
    row = message_row(connection, message_id)
    if message.kind is not ImportedKind.DELETED and _is_older(message, row.edited_at_utc_ms):
        return None  # an export from before the edit that is shown
    names = connection.execute(
        select(attachments.c.name).where(attachments.c.message_id == message_id)
    ).scalars()
    text = text_of(message, names.all())
    return None if row.deleted or row.text == text else text


def _is_older(message: ImportedMessage, shown_at_utc_ms: int | None) -> bool:
    """Tell whether an export's words were written before those that are shown."""
    if message.edited_at_utc_ms is None or shown_at_utc_ms is None:
        return False
    return message.edited_at_utc_ms < shown_at_utc_ms
