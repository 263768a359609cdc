"""Owns the reading of conversations and messages by pages, from a key and never an offset.

It never changes a row.
"""

from __future__ import annotations

from sqlalchemy import Connection, and_, or_, tuple_

from backend.inbox.conversations import is_member
from backend.inbox.rendering import (
    conversation_query,
    message_query,
    render_conversations,
    render_messages,
)
from backend.refusals import not_found
from backend.storage.tables import conversations, messages
from contract.wire import Conversation, Me, Message

ConversationKey = tuple[int, str]
MessageKey = tuple[int, int]


def conversation_page(
    connection: Connection, employee_id: str, after: ConversationKey | None, limit: int
) -> tuple[Conversation, ...]:
    """Return conversations by newest activity; `after` is (last_activity_utc_ms, id)."""
    columns = conversations.c
    query = conversation_query(employee_id).order_by(
        columns.last_activity_utc_ms.desc(), columns.conversation_id
    )
    if after is not None:
        activity, conversation_id = after
        query = query.where(
            or_(
                columns.last_activity_utc_ms < activity,
                and_(
                    columns.last_activity_utc_ms == activity,
                    columns.conversation_id > conversation_id,
                ),
            )
        )
    rows = connection.execute(query.limit(limit)).all()
    return render_conversations(connection, employee_id, rows)


def message_page(
    connection: Connection,
    me: Me,
    after: MessageKey | None,
    limit: int,
    conversation_id: str | None = None,
) -> tuple[Message, ...]:
    """Return messages newest first; `after` is (place_at_utc_ms, place_index).

    Over all conversations unless one is named; raises Refused when that one is not theirs.
    """
    place = (messages.c.place_at_utc_ms, messages.c.place_index)
    query = message_query(me.employee_id)
    if conversation_id is None:
        query = query.where(messages.c.firm_id == me.firm_id)
    else:
        _require_member(connection, me.employee_id, conversation_id)
        query = query.where(messages.c.conversation_id == conversation_id)
    if after is not None:
        query = query.where(tuple_(*place) < after)
    query = query.order_by(*(column.desc() for column in place)).limit(limit)
    return render_messages(connection, me.employee_id, connection.execute(query).all())


def _require_member(connection: Connection, employee_id: str, conversation_id: str) -> None:
    if not is_member(connection, conversation_id, employee_id):
        raise not_found("conversation")
