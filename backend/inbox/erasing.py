"""Owns what an erasure takes from the live rows: words, names, files, stored replies, raw bytes.

It never touches the archive's entries, and it never leaves a copy that a client could be sent.

The emptied message row stays, so that the channel's second copy is known and not recorded anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from backend.governance.attachments import drop_inspection
from backend.governance.forgetting import forget_words
from backend.inbox.conversations import bump_conversation
from backend.inbox.events import append_event, members_of
from backend.inbox.messages import update_message
from backend.inbox.search_index import forget_message
from backend.inbox.stale_copies import redact_stored_copies
from backend.storage.blobs import BlobStore
from backend.storage.change_tables import EDIT, REACT, message_changes
from backend.storage.custody_tables import erased_messages
from backend.storage.database import Database
from backend.storage.tables import (
    archive_bodies,
    archive_entries,
    attachment_parts,
    attachments,
    conversations,
    decisions,
    messages,
    reactions,
)
from contract.events import Erased
from contract.ids import ConversationId, EmployeeId, MessageId
from contract.states import DeliveryState


def erase_messages(connection: Connection, message_ids: Sequence[str], now_utc_ms: int) -> None:
    """Empty messages whose bodies were erased, and tell their members with `erased` events."""
    rows = [row for row in map(_row_of, [connection] * len(message_ids), message_ids) if row]
    touched: dict[str, list[MessageId]] = {}
    for row in rows:
        _empty(connection, row, now_utc_ms)
        touched.setdefault(row.conversation_id, []).append(MessageId(row.message_id))
    for row in rows:
        _refresh_quotes(connection, row.message_id, now_utc_ms)
    for conversation_id, gone in touched.items():
        _mend_conversation(connection, conversation_id, gone, now_utc_ms)
        told = Erased(conversation_id=ConversationId(conversation_id), message_ids=tuple(gone))
        for employee_id in members_of(connection, conversation_id):
            append_event(connection, EmployeeId(employee_id), told, now_utc_ms)
    redact_stored_copies(connection, rows)


def sweep_files(database: Database, blobs: BlobStore) -> int:
    """Delete the bytes of files that no kept entry names, then their rows; returns how many parts.

    It blocks. A crash in between leaves rows that the next sweep finishes.
    """
    doomed = database.read_now(_orphaned_parts)
    for attachment_id, start_byte in doomed:
        blobs.remove(attachment_id, start_byte)
    if doomed:
        database.write_now(lambda c: _forget_parts(c, doomed))
    return len(doomed)


def _row_of(connection: Connection, message_id: str) -> Row[Any] | None:
    return connection.execute(
        select(messages).where(messages.c.message_id == message_id)
    ).one_or_none()


def _empty(connection: Connection, row: Row[Any], now_utc_ms: int) -> None:
    message_id = row.message_id
    connection.execute(
        insert(erased_messages).values(
            message_id=message_id, firm_id=row.firm_id, erased_at_utc_ms=now_utc_ms
        )
    )
    connection.execute(
        update(messages)
        .where(messages.c.message_id == message_id)
        .values(
            text="",
            author_name="",
            state_detail="",
            change_note="",
            quote_message_id=None,
            version=messages.c.version + 1,
        )
    )
    connection.execute(delete(reactions).where(reactions.c.message_id == message_id))
    connection.execute(
        update(decisions)
        .where(decisions.c.message_id == message_id, decisions.c.justification != "")
        .values(justification="")
    )
    forget_words(connection, message_id)
    _forget_changes(connection, message_id)
    for file in connection.execute(
        select(attachments).where(attachments.c.message_id == message_id)
    ).all():
        _drop_reference(connection, file)
    forget_message(connection, message_id)


def _forget_changes(connection: Connection, message_id: str) -> None:
    """Take the words of edits and reactions, and tell the vendor none of them any more.

    A deletion that waits still goes: it holds no words.
    """
    columns = message_changes.c
    mine = columns.message_id == message_id
    connection.execute(
        update(message_changes)
        .where(mine, columns.kind.in_((EDIT, REACT)), columns.state == "ready")
        .values(state="failed")
    )
    connection.execute(update(message_changes).where(mine).values(value="", detail=""))


def _drop_reference(connection: Connection, file: Row[Any]) -> None:
    """Give a file to another entry that names it, or empty its row for the sweep."""
    mine = attachments.c.attachment_id == file.attachment_id
    heir = _other_holder(connection, file)
    if heir is not None:
        connection.execute(update(attachments).where(mine).values(message_id=heir))
        return
    connection.execute(update(attachments).where(mine).values(name="", sha256="", complete=False))
    drop_inspection(connection, file.attachment_id)


def _other_holder(connection: Connection, file: Row[Any]) -> str | None:
    """Return another message of the uploader whose kept entry names the file.

    Only a refused submission can: its file may go with the mended one.
    """
    if not file.owner_id:
        return None
    return connection.execute(
        select(messages.c.message_id)
        .join(archive_entries, archive_entries.c.message_id == messages.c.message_id)
        .join(archive_bodies, archive_bodies.c.entry_id == archive_entries.c.entry_id)
        .where(
            messages.c.author_id == file.owner_id,
            messages.c.state == DeliveryState.BLOCKED.value,
            messages.c.message_id != file.message_id,
            func.instr(archive_bodies.c.body, file.sha256.encode()) > 0,
        )
        .limit(1)
    ).scalar()


def _orphaned_parts(connection: Connection) -> list[tuple[str, int]]:
    parts, files = attachment_parts.c, attachments.c
    rows = connection.execute(
        select(parts.attachment_id, parts.start_byte)
        .join(attachments, files.attachment_id == parts.attachment_id)
        .join(erased_messages, erased_messages.c.message_id == files.message_id)
        .where(files.sha256 == "")
    )
    return [(row.attachment_id, row.start_byte) for row in rows]


def _forget_parts(connection: Connection, doomed: Iterable[tuple[str, int]]) -> None:
    columns = attachment_parts.c
    for attachment_id, start_byte in doomed:
        connection.execute(
            delete(attachment_parts).where(
                columns.attachment_id == attachment_id, columns.start_byte == start_byte
            )
        )


def _refresh_quotes(connection: Connection, message_id: str, now_utc_ms: int) -> None:
    """Raise the version of messages that quote an erased one: their clients hold its words."""
    for quoting in (
        connection.execute(
            select(messages.c.message_id).where(messages.c.quote_message_id == message_id)
        )
        .scalars()
        .all()
    ):
        update_message(connection, quoting, now_utc_ms)


def _mend_conversation(
    connection: Connection, conversation_id: str, gone: Sequence[str], now_utc_ms: int
) -> None:
    """Show the newest kept message as preview and count what is left."""
    newest = connection.execute(
        select(messages.c.message_id)
        .where(
            messages.c.conversation_id == conversation_id,
            messages.c.message_id.not_in(select(erased_messages.c.message_id)),
        )
        .order_by(messages.c.place_at_utc_ms.desc(), messages.c.place_index.desc())
        .limit(1)
    ).scalar()
    columns = conversations.c
    connection.execute(
        update(conversations)
        .where(columns.conversation_id == conversation_id)
        .values(
            preview_message_id=newest,
            message_count=func.max(0, columns.message_count - len(gone)),
            archived_count=func.max(0, columns.archived_count - len(gone)),
        )
    )
    bump_conversation(connection, conversation_id, now_utc_ms)
