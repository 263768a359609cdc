"""Owns the finding of erased words in what is kept beside messages: events, replies, raw bytes.

It never removes a row: streams keep their numbers, and known keys stay known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, select, update

from backend.inbox.rendering import read_conversation, read_messages
from backend.storage.tables import events, idempotency, inbound_raw
from contract.events import ConversationUpserted, Erased, EventBody, MessageUpserted
from contract.ids import MessageId

_NAMED = re.compile(rb'"message_id":"([^"]+)"')
_WORDS: dict[str, object] = {"text": "", "author_name": "", "quote": None, "attachments": []}
_PAGE = 1_000


def redact_stored_copies(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    """Take the words of erased messages (their rows) out of streams, replies and raw bytes."""
    if not rows:
        return
    _redact_events(connection, frozenset(row.message_id for row in rows))
    for row in rows:
        _redact_replies(connection, row)
        if row.external_id:
            columns = inbound_raw.c
            connection.execute(
                update(inbound_raw)
                .where(
                    columns.account_id == row.account_id,
                    columns.parsed,
                    func.instr(columns.raw, row.external_id.encode()) > 0,
                )
                .values(raw=b"")
            )


def _redact_events(connection: Connection, erased: frozenset[str]) -> None:
    columns = events.c
    for employee_id in connection.execute(select(columns.employee_id).distinct()).scalars().all():
        after = -1
        while True:
            page = connection.execute(
                select(columns.seq, columns.body)
                .where(columns.employee_id == employee_id, columns.seq > after)
                .order_by(columns.seq)
                .limit(_PAGE)
            ).all()
            if not page:
                break
            after = page[-1].seq
            for seq, body in page:
                named = {name.decode() for name in _NAMED.findall(body)}
                if named & erased:
                    _replace_event(connection, employee_id, seq, body, erased)


def _replace_event(
    connection: Connection, employee_id: str, seq: int, stored: bytes, erased: frozenset[str]
) -> None:
    body = _without_words(connection, employee_id, stored, erased)
    if body is not None:
        connection.execute(
            update(events)
            .where(events.c.employee_id == employee_id, events.c.seq == seq)
            .values(body=msgspec.json.encode(body))
        )


def _without_words(
    connection: Connection, employee_id: str, stored: bytes, erased: frozenset[str]
) -> EventBody | None:
    """Return what an event says now; None when it holds no words. Only its number must stay."""
    body = msgspec.json.decode(stored, type=EventBody)
    if isinstance(body, MessageUpserted):
        message_id, conversation_id = body.message.message_id, body.message.conversation_id
        if message_id not in erased:  # it quotes an erased one
            for message in read_messages(connection, employee_id, [message_id]):
                return MessageUpserted(message=message)
        return Erased(conversation_id=conversation_id, message_ids=(MessageId(message_id),))
    if isinstance(body, ConversationUpserted):
        conversation_id = body.conversation.conversation_id
        conversation = read_conversation(connection, employee_id, conversation_id)
        if conversation is not None:
            return ConversationUpserted(conversation=conversation)
        return Erased(conversation_id=conversation_id, message_ids=())
    return None


def _redact_replies(connection: Connection, row: Row[Any]) -> None:
    columns = idempotency.c
    mine = (
        columns.employee_id == row.author_id,
        columns.key >= f"{row.message_id}.",
        columns.key < f"{row.message_id}/",
    )
    for key, stored in connection.execute(select(columns.key, columns.body).where(*mine)).all():
        reply = msgspec.json.decode(stored)
        if isinstance(reply.get("message"), dict):
            reply["message"] |= _WORDS
            connection.execute(
                update(idempotency)
                .where(columns.employee_id == row.author_id, columns.key == key)
                .values(body=msgspec.json.encode(reply))
            )
