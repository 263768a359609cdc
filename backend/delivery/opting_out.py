"""Owns what follows when a client opts out: consent off, queue stopped, one confirmation queued.

It never asks whether the client meant it, and it never confirms twice.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from sqlalchemy import Connection, select

from backend.archive.entries import new_salt
from backend.directory.confirmations import confirmation_text, note_confirmation
from backend.directory.consents import record_consent
from backend.governance.stops import OPTED_OUT, stop_waiting
from backend.inbox.conversations import conversation_row
from backend.inbox.messages import NewMessage, add_message
from backend.inbox.queueing import queue_message
from backend.storage.tables import contacts, conversation_contacts, conversations
from contract.ids import EntryId, MessageId, idempotency_key, uuid7
from contract.receipts.bodies import KIND_MESSAGE_OUT, message_body
from contract.states import DeliveryState
from contract.wire import Channel, ConsentKind, ConsentStatus, Direction

SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """Who opted out of which channel, in which chat and when.

    `source` is the rule that recognised the words, or "channel"; it is archived.
    """

    contact_id: str
    conversation_id: str
    channel: Channel
    source: str
    at_utc_ms: int


def opt_out(connection: Connection, left: OptOut, now_utc_ms: int, *, confirm: bool) -> bool:
    """Switch the channel's consents of a client off; false when they were off already.

    Messages that wait on this channel are stopped. With `confirm` one confirmation is queued,
    which may go for five minutes.
    """
    changed = False
    for kind in (ConsentKind.RECORDING, ConsentKind.MARKETING):
        changed |= record_consent(
            connection,
            contact_id=left.contact_id,
            kind=kind,
            status=ConsentStatus.OPTED_OUT,
            channel=left.channel,
            actor_id=left.contact_id,
            at_utc_ms=left.at_utc_ms,
            now_utc_ms=now_utc_ms,
            text_version=left.source,
        )
    if not changed:
        return False
    chats = _chats(connection, left.contact_id, left.channel)
    stop_waiting(connection, chats, OPTED_OUT, now_utc_ms)
    if confirm:
        _confirm(connection, left.contact_id, left.conversation_id, now_utc_ms)
    return True


def _chats(connection: Connection, contact_id: str, channel: Channel) -> list[str]:
    people = conversation_contacts.c
    return list(
        connection.execute(
            select(people.conversation_id)
            .join(conversations, conversations.c.conversation_id == people.conversation_id)
            .where(
                people.contact_id == contact_id,
                conversations.c.channel == channel,
                conversations.c.is_group.is_(False),
            )
        ).scalars()
    )


def _confirm(
    connection: Connection, contact_id: str, conversation_id: str, now_utc_ms: int
) -> None:
    row = conversation_row(connection, conversation_id)
    language: str = connection.execute(
        select(contacts.c.language).where(contacts.c.contact_id == contact_id)
    ).scalar_one()
    text = confirmation_text(connection, row.firm_id, language)
    message_id = MessageId(uuid7(now_utc_ms, os.urandom(10)))
    new = NewMessage(
        message_id=message_id,
        firm_id=row.firm_id,
        conversation_id=conversation_id,
        account_id=row.account_id,
        direction=Direction.OUT,
        text=text,
        author_id=SYSTEM,
        author_name="",
        place_at_utc_ms=now_utc_ms,
        occurred_at_utc_ms=now_utc_ms,
        entry_kind=KIND_MESSAGE_OUT,
        body=message_body(text, "", ()),
        salt=new_salt(),
        entry_id=EntryId(idempotency_key(message_id, 0)),
        state=DeliveryState.ARCHIVED,
    )
    archived = add_message(connection, new, now_utc_ms)
    note_confirmation(connection, row.firm_id, message_id, conversation_id, now_utc_ms)
    queue_message(connection, message_id, archived, now_utc_ms)
