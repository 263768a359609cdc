"""Owns the reading of what stands around one message, so that it can be shown in its place.

It never changes a row and never answers for a conversation the employee is no member of.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, tuple_

from backend.inbox.rendering import message_query, read_messages, render_messages
from backend.refusals import not_found
from backend.storage.tables import messages
from contract.wire import Message


def read_surroundings(
    connection: Connection, employee_id: str, message_id: str, limit: int
) -> tuple[Message, ...]:
    """Return a message with up to `limit` before and `limit` after it, newest first.

    Raises Refused when the employee can't see it.
    """
    found = read_messages(connection, employee_id, [message_id])
    if not found:
        raise not_found("message")
    anchor = found[0]
    columns = (messages.c.place_at_utc_ms, messages.c.place_index)
    place = tuple_(*columns)
    at: tuple[Any, Any] = (anchor.place_at_utc_ms, anchor.place_index)
    query = message_query(employee_id).where(messages.c.conversation_id == anchor.conversation_id)
    older = query.where(place < at).order_by(*(each.desc() for each in columns)).limit(limit)
    newer = query.where(place > at).order_by(*columns).limit(limit)
    after = list(connection.execute(newer).all())
    before = list(connection.execute(older).all())
    return (
        *render_messages(connection, employee_id, after[::-1]),
        anchor,
        *render_messages(connection, employee_id, before),
    )
