"""Owns the reading of conversations and messages by pages, from a key and never an offset.

It never changes a row.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, bindparam, or_, tuple_

from backend.inbox.conversations import is_member
from backend.inbox.rendering import (
    conversation_query,
    message_query,
    render_conversations,
    render_messages,
)
from backend.refusals import not_found
from backend.storage.bulk import Prepared
from backend.storage.tables import conversations, messages
from contract.wire import Conversation, Me, Message

ConversationKey = tuple[int, str]
MessageKey = tuple[int, int]
_END_OF_TIME_UTC_MS = 1 << 62
_NAMES = ("employee", "of", "at", "index", "most")


def _messages_before(of: ColumnElement[str]) -> Prepared:
    """Return the statement of messages where `of` has a value, newest first, before a place."""
    place = (messages.c.place_at_utc_ms, messages.c.place_index)
    query = message_query(bindparam("employee")).where(
        of == bindparam("of"), tuple_(*place) < tuple_(bindparam("at"), bindparam("index"))
    )
    newest_first = query.order_by(*(column.desc() for column in place))
    return Prepared(newest_first.limit(bindparam("most")), *_NAMES)


_OF_FIRM = _messages_before(messages.c.firm_id)
_OF_ONE = _messages_before(messages.c.conversation_id)


def conversation_page(
    connection: Connection, me: Me, after: ConversationKey | None, limit: int
) -> tuple[Conversation, ...]:
    """Return conversations by newest activity; `after` is (last_activity_utc_ms, id)."""
    columns = conversations.c
    activity, conversation_id = (_END_OF_TIME_UTC_MS, "") if after is None else after
    query = (
        conversation_query(me.employee_id)
        .where(
            columns.firm_id == me.firm_id,
            columns.last_activity_utc_ms <= activity,  # the index is entered here
            or_(
                columns.last_activity_utc_ms < activity,
                columns.conversation_id > conversation_id,
            ),
        )
        .order_by(columns.last_activity_utc_ms.desc(), columns.conversation_id)
    )
    rows = connection.execute(query.limit(limit)).all()
    return render_conversations(connection, me.employee_id, rows)


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
    at_utc_ms, index = (_END_OF_TIME_UTC_MS, 0) if after is None else after
    if conversation_id is None:
        rows = _OF_FIRM.rows(connection, me.employee_id, me.firm_id, at_utc_ms, index, limit)
    else:
        _require_member(connection, me.employee_id, conversation_id)
        rows = _OF_ONE.rows(connection, me.employee_id, conversation_id, at_utc_ms, index, limit)
    return render_messages(connection, me.employee_id, rows)


def _require_member(connection: Connection, employee_id: str, conversation_id: str) -> None:
    if not is_member(connection, conversation_id, employee_id):
        raise not_found("conversation")
