"""Owns the recording notice: its sending at the first contact on a channel, and clients' answers.

It never sends a second one to somebody who was told or asked, and it asks nothing in a group.
"""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from backend.archive.entries import new_salt
from backend.directory.consent_answers import Answer, answer_in
from backend.directory.consent_texts import text_for
from backend.directory.consents import record_consent
from backend.directory.notices import last_notice
from backend.directory.templates import read_templates
from backend.governance.stops import stop_waiting
from backend.inbox.messages import NewMessage, add_message
from backend.inbox.queueing import queue_message
from backend.storage.account_tables import NO_NOTICE, NOTICE, OPT_IN, consent_notices
from backend.storage.bulk import Prepared
from backend.storage.tables import (
    channel_accounts,
    consents,
    contacts,
    conversation_contacts,
    conversations,
)
from contract.ids import EntryId, MessageId, idempotency_key, uuid7
from contract.receipts.bodies import KIND_MESSAGE_OUT, message_body
from contract.receipts.canonical import canonical_json
from contract.states import DeliveryState
from contract.wire import Channel, ConsentKind, ConsentStatus, Direction, Mode

SYSTEM = "system"
TEMPLATE_NAME = "recording_notice"
REFUSED = "The client refused to be recorded before this message was sent."
_STATUS = {NOTICE: ConsentStatus.NOTIFIED, OPT_IN: ConsentStatus.PENDING}
_OFF = (ConsentStatus.OPTED_OUT, ConsentStatus.REFUSED)
_people = conversation_contacts.c
_CONVERSATION = Prepared(
    select(conversations, channel_accounts.c.consent_mode, _people.contact_id, contacts.c.language)
    .join(channel_accounts, channel_accounts.c.account_id == conversations.c.account_id)
    .join(conversation_contacts, _people.conversation_id == conversations.c.conversation_id)
    .join(contacts, contacts.c.contact_id == _people.contact_id)
    .where(conversations.c.conversation_id == bindparam("id"))
    .order_by(_people.position)
    .limit(1),
    "id",
)


def first_contact(connection: Connection, conversation_id: str, now_utc_ms: int) -> bool:
    """Send the notice, or the question, that an account's clients get first; true when it went.

    It goes once for a client and channel, in the client's language, archived like any message.
    Where the channel's window is closed it goes as the approved template `recording_notice`, or
    waits for the client's first message. On an account that asks first, groups get nothing.
    """
    row = _conversation(connection, conversation_id)
    if row is None or row.consent_mode == NO_NOTICE or row.mode == Mode.NATIVE.value:
        return False
    if row.is_group and row.consent_mode == OPT_IN:
        return False
    channel = Channel(row.channel)
    if recording_status(connection, row.contact_id, channel) is not ConsentStatus.NOT_ASKED:
        return False
    words = _words(connection, row, channel, now_utc_ms)
    if words is None:
        return False
    text, version, template_id = words
    message_id = _send(connection, row, text, template_id, now_utc_ms)
    record_consent(
        connection,
        contact_id=row.contact_id,
        kind=ConsentKind.RECORDING,
        status=_STATUS[row.consent_mode],
        channel=channel,
        actor_id=SYSTEM,
        at_utc_ms=now_utc_ms,
        now_utc_ms=now_utc_ms,
        text_version=version,
    )
    connection.execute(
        insert(consent_notices).values(
            message_id=message_id,
            firm_id=row.firm_id,
            contact_id=row.contact_id,
            conversation_id=conversation_id,
            channel=channel.value,
            kind=row.consent_mode,
            text_version=version,
            given_at_utc_ms=now_utc_ms,
        )
    )
    return True


def take_answer(
    connection: Connection, conversation_id: str, text: str, at_utc_ms: int, now_utc_ms: int
) -> ConsentStatus | None:
    """Record a client's answer to what they were asked on this channel; returns it, None for none.

    A yes or no counts while the question stands, a yes after a refusal, too; it is kept with the
    version of the text that was asked. After an opt-out only a word such as START counts: the
    client is told, or asked, anew. A refusal stops what waits.
    """
    row = _conversation(connection, conversation_id)
    answer = answer_in(text)
    if row is None or row.is_group or answer is None:
        return None
    channel = Channel(row.channel)
    status = recording_status(connection, row.contact_id, channel)
    if answer is Answer.AGAIN:
        return _again(connection, row, channel, at_utc_ms, now_utc_ms) if status in _OFF else None
    asked = last_notice(connection, row.contact_id, channel, (OPT_IN,))
    wanted = ConsentStatus.ACCEPTED if answer is Answer.ACCEPTED else ConsentStatus.REFUSED
    stands = (ConsentStatus.PENDING, ConsentStatus.REFUSED)
    if asked is None or status not in stands or status is wanted:
        return None
    _record(connection, row.contact_id, channel, wanted, at_utc_ms, now_utc_ms, asked.text_version)
    connection.execute(
        update(consent_notices)
        .where(consent_notices.c.message_id == asked.message_id)
        .values(answered=True)
    )
    if wanted is ConsentStatus.REFUSED:
        stop_waiting(connection, [conversation_id], REFUSED, now_utc_ms)
    return wanted


def recording_status(connection: Connection, contact_id: str, channel: Channel) -> ConsentStatus:
    """Return where the recording notice stands; the channel's own word counts before all."""
    columns = consents.c
    rows = connection.execute(
        select(columns.channel, columns.status).where(
            columns.contact_id == contact_id,
            columns.kind == ConsentKind.RECORDING.value,
            columns.channel.in_(("", channel.value)),
        )
    ).all()
    found = {row.channel: ConsentStatus(row.status) for row in rows}
    return found.get(channel.value, found.get("", ConsentStatus.NOT_ASKED))


def _conversation(connection: Connection, conversation_id: str) -> Row[Any] | None:
    return _CONVERSATION.record(connection, conversation_id)


def _words(
    connection: Connection, row: Row[Any], channel: Channel, now_utc_ms: int
) -> tuple[str, str, str] | None:
    """Return the text, its version and its template (empty: free text); None: it must wait."""
    closes_at = row.window_closes_at_utc_ms
    if closes_at is None or closes_at > now_utc_ms:
        text = text_for(connection, row.firm_id, row.consent_mode, channel, row.language)
        return text.body, text.version_id, ""
    language = row.language.partition("-")[0]
    for template in read_templates(connection, row.firm_id, channel.value):
        named = template.name == TEMPLATE_NAME and not template.parameters
        if named and template.language.partition("_")[0].partition("-")[0] == language:
            return template.body, f"template/{template.template_id}", template.template_id
    return None


def _send(
    connection: Connection, row: Row[Any], text: str, template_id: str, now_utc_ms: int
) -> MessageId:
    message_id = MessageId(uuid7(now_utc_ms, os.urandom(10)))
    body = message_body(text, "", ())
    if template_id:
        body = canonical_json(
            {"attachments": [], "quote": "", "template": template_id, "text": text}
        )
    new = NewMessage(
        message_id=message_id,
        firm_id=row.firm_id,
        conversation_id=row.conversation_id,
        account_id=row.account_id,
        direction=Direction.OUT,
        text=text,
        author_id=SYSTEM,
        author_name="",
        place_at_utc_ms=now_utc_ms,
        occurred_at_utc_ms=now_utc_ms,
        entry_kind=KIND_MESSAGE_OUT,
        body=body,
        salt=new_salt(),
        entry_id=EntryId(idempotency_key(message_id, 0)),
        state=DeliveryState.ARCHIVED,
    )
    archived = add_message(connection, new, now_utc_ms)
    queue_message(connection, message_id, archived, now_utc_ms)
    # A notice is no answer: who waited for one waits still.
    connection.execute(
        update(conversations)
        .where(conversations.c.conversation_id == row.conversation_id)
        .values(awaiting=row.awaiting)
    )
    return message_id


def _again(
    connection: Connection, row: Row[Any], channel: Channel, at_utc_ms: int, now_utc_ms: int
) -> ConsentStatus:
    for kind in ConsentKind:
        record_consent(
            connection,
            contact_id=row.contact_id,
            kind=kind,
            status=ConsentStatus.NOT_ASKED,
            channel=channel,
            actor_id=row.contact_id,
            at_utc_ms=at_utc_ms,
            now_utc_ms=now_utc_ms,
        )
    return ConsentStatus.NOT_ASKED


def _record(
    connection: Connection,
    contact_id: str,
    channel: Channel,
    status: ConsentStatus,
    at_utc_ms: int,
    now_utc_ms: int,
    version: str,
) -> None:
    record_consent(
        connection,
        contact_id=contact_id,
        kind=ConsentKind.RECORDING,
        status=status,
        channel=channel,
        actor_id=contact_id,
        at_utc_ms=at_utc_ms,
        now_utc_ms=now_utc_ms,
        text_version=version,
    )
