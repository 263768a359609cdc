"""Owns what clients do: their messages, edits, deletions and reactions, archived first.

It never trusts a second copy: what the channel tells twice is recorded once.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select
from sqlalchemy.exc import NoResultFound

from backend.archive.entries import append_entry, entries_of_message, new_salt
from backend.directory.points import KnownPoint, PointAddress, ensure_point
from backend.inbox.conversations import ensure_direct_conversation
from backend.inbox.events import note_contact
from backend.inbox.messages import (
    NewMessage,
    add_message,
    add_version,
    find_by_external_id,
    message_row,
)
from backend.inbox.reacting import set_reaction
from backend.inbox.triage import look_after
from backend.storage.bulk import Prepared
from backend.storage.tables import (
    attachment_parts,
    attachments,
    channel_accounts,
)
from contract.ids import AttachmentId, ConversationId, MessageId, uuid7
from contract.names import shown_name
from contract.receipts.bodies import (
    KIND_EDITED_LATE,
    attachment_commitments,
    message_body,
)
from contract.receipts.canonical import canonical_json
from contract.wire import Direction, MessageKind

_FIRM_OF = Prepared(
    select(channel_accounts.c.firm_id).where(channel_accounts.c.account_id == bindparam("id")),
    "id",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A client's file whose bytes lie in the blob store already, as one part."""

    attachment_id: AttachmentId
    name: str
    media_type: str
    size_bytes: int
    sha256: str


def record_inbound(
    connection: Connection,
    *,
    account_id: str,
    external_message_id: str,
    contact_point: PointAddress,
    sender_name: str,
    text: str,
    occurred_at_utc_ms: int,
    received_at_utc_ms: int,
    kind: MessageKind = MessageKind.TEXT,
    attachments: Sequence[StoredFile] = (),
    quote_external_id: str | None = None,
    author_name: str = "",
) -> MessageId:
    """Archive a client's message, then write it; returns its id, the known one when seen before.

    An unknown sender becomes a contact, maybe for triage; `author_name` is who speaks in a group.
    """
    if known := find_by_external_id(connection, account_id, external_message_id):
        return known
    point, conversation_id = _chat_with(
        connection, account_id, contact_point, sender_name, received_at_utc_ms, text
    )
    text, author = _encodable(text), shown_name(author_name) or point.display_name
    quote = find_by_external_id(connection, account_id, quote_external_id or "", conversation_id)
    salt, digests = new_salt(), [file.sha256 for file in attachments]
    new = NewMessage(
        message_id=MessageId(uuid7(received_at_utc_ms, os.urandom(10))),
        firm_id=firm_of_account(connection, account_id),
        conversation_id=conversation_id,
        account_id=account_id,
        direction=Direction.IN,
        kind=kind,
        text=text,
        author_id=point.contact_id,
        author_name=author,
        place_at_utc_ms=received_at_utc_ms,
        occurred_at_utc_ms=occurred_at_utc_ms,
        entry_kind="message_in",
        body=_inbound_body(text, author, external_message_id, quote or "", digests),
        salt=salt,
        quote_message_id=quote,
        external_id=external_message_id,
        attachment_commitments=attachment_commitments(salt, digests),
    )
    add_message(connection, new, received_at_utc_ms)
    attach_files(connection, new.firm_id, new.message_id, attachments, received_at_utc_ms)
    look_after(connection, conversation_id, received_at_utc_ms)
    return new.message_id


def _chat_with(
    connection: Connection,
    account_id: str,
    point: PointAddress,
    name: str,
    now_utc_ms: int,
    said: str,
) -> tuple[KnownPoint, ConversationId]:
    known = ensure_point(connection, account_id, point, name, now_utc_ms, said)
    conversation_id = ensure_direct_conversation(
        connection,
        account_id=account_id,
        contact_id=known.contact_id,
        contact_point_id=known.contact_point_id,
        now_utc_ms=now_utc_ms,
    )
    if known.created:
        note_contact(connection, known.contact_id, now_utc_ms)
    return known, conversation_id


def record_edit(
    connection: Connection,
    *,
    account_id: str,
    external_message_id: str,
    text: str,
    occurred_at_utc_ms: int,
    received_at_utc_ms: int,
) -> MessageId | None:
    """Archive a client's edit as a new version; None when the message is not known.

    Vendors don't always keep the order: one made before the edit that is shown, or told after the
    message was taken back, is archived with its words and changes nothing.
    """
    message_id = find_by_external_id(connection, account_id, external_message_id)
    if message_id is None:
        return None
    text = _encodable(text)
    row = message_row(connection, message_id)
    if not row.deleted and row.text == text:
        return message_id
    if row.deleted or 0 < occurred_at_utc_ms < (row.edited_at_utc_ms or 0):
        _archive_late(connection, row, text, occurred_at_utc_ms, received_at_utc_ms)
        return message_id
    add_version(
        connection,
        message_id,
        kind="edited",
        actor_id=row.author_id,
        body=message_body(text, row.quote_message_id or "", ()),
        salt=new_salt(),
        occurred_at_utc_ms=occurred_at_utc_ms,
        now_utc_ms=received_at_utc_ms,
        changes={"text": text, "edited_at_utc_ms": occurred_at_utc_ms},
    )
    return message_id


def _archive_late(
    connection: Connection, row: Row[Any], text: str, occurred_at_utc_ms: int, now_utc_ms: int
) -> None:
    """Archive words that nobody is shown any more, unless they are archived already."""
    body = message_body(text, row.quote_message_id or "", ())
    known = entries_of_message(connection, row.message_id)
    if any(entry.kind in ("edited", KIND_EDITED_LATE) and entry.body == body for entry in known):
        return
    append_entry(
        connection,
        kind=KIND_EDITED_LATE,
        actor_id=row.author_id,
        conversation_id=row.conversation_id,
        message_id=row.message_id,
        revision=row.revision,
        occurred_at_utc_ms=occurred_at_utc_ms,
        salt=new_salt(),
        body=body,
        firm_id=row.firm_id,
        now_utc_ms=now_utc_ms,
    )


def record_delete(
    connection: Connection,
    *,
    account_id: str,
    external_message_id: str,
    occurred_at_utc_ms: int,
    received_at_utc_ms: int,
) -> MessageId | None:
    """Archive that a client took a message back; the original stays in the archive."""
    message_id = find_by_external_id(connection, account_id, external_message_id)
    if message_id is None:
        return None
    row = message_row(connection, message_id)
    if row.deleted:
        return message_id
    add_version(
        connection,
        message_id,
        kind="deleted",
        actor_id=row.author_id,
        body=canonical_json({"deleted": True}),
        salt=new_salt(),
        occurred_at_utc_ms=occurred_at_utc_ms,
        now_utc_ms=received_at_utc_ms,
        changes={"deleted": True},
    )
    return message_id


def record_reaction(
    connection: Connection,
    *,
    account_id: str,
    external_message_id: str,
    actor_id: str,
    emoji: str,
    occurred_at_utc_ms: int,
    received_at_utc_ms: int,
) -> MessageId | None:
    """Archive a reaction and show it; an empty emoji takes the actor's reactions back.

    `actor_id` is the contact's (or employee's) id. None when the message is not known.
    """
    message_id = find_by_external_id(connection, account_id, external_message_id)
    if message_id is None:
        return None
    set_reaction(
        connection,
        message_id,
        actor_id,
        _encodable(emoji),
        occurred_at_utc_ms=occurred_at_utc_ms,
        now_utc_ms=received_at_utc_ms,
    )
    return message_id


def attach_files(
    connection: Connection,
    firm_id: str,
    message_id: str,
    files: Sequence[StoredFile],
    now_utc_ms: int,
) -> None:
    """Write the rows of a message's stored files, in their order."""
    for position, file in enumerate(files):
        connection.execute(
            insert(attachments).values(
                attachment_id=file.attachment_id,
                firm_id=firm_id,
                owner_id="",
                message_id=message_id,
                position=position,
                name=file.name,
                media_type=file.media_type,
                size_bytes=file.size_bytes,
                sha256=file.sha256,
                offset_bytes=file.size_bytes,
                complete=True,
                created_at_utc_ms=now_utc_ms,
            )
        )
        connection.execute(
            insert(attachment_parts).values(
                attachment_id=file.attachment_id,
                start_byte=0,
                end_byte=file.size_bytes,
                firm_id=firm_id,
            )
        )


def firm_of_account(connection: Connection, account_id: str) -> str:
    """Return the firm a channel account belongs to."""
    firm_id: str | None = _FIRM_OF.scalar(connection, account_id)
    if firm_id is None:
        raise NoResultFound("there is no such account")
    return firm_id


def _inbound_body(
    text: str, author: str, external_id: str, quote: str, digests: Sequence[str]
) -> bytes:
    return canonical_json(
        {
            "attachments": list(digests),
            "author": author,
            "external_id": external_id,
            "quote": quote,
            "text": text,
        }
    )


def _encodable(text: str) -> str:
    """Replace lone surrogates, which no UTF-8 and no canonical form can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
