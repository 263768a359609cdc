"""Owns which stream position last concerned each conversation, for each of its members.

It never decides what an event says: it notes the newest one's position beside the counter.

A client whose own position is too old to be streamed from reads from here which conversations
changed meanwhile, and fetches these alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, select, text

from backend.storage.bulk import Prepared
from backend.storage.tables import conversation_members, conversation_positions
from contract.events import ConversationUpserted, Erased, EventBody, MessageUpserted, Sealed

_NOTE = Prepared(
    text(
        "INSERT INTO conversation_positions (employee_id, conversation_id, firm_id, seq)"
        " VALUES (:employee, :home, :firm, :seq) ON CONFLICT (employee_id, conversation_id)"
        " DO UPDATE SET seq = excluded.seq"
    ),
    "employee",
    "home",
    "firm",
    "seq",
)
_members, _positions = conversation_members.c, conversation_positions.c
_POSITIONS = Prepared(
    select(_members.conversation_id, _positions.seq)
    .outerjoin(
        conversation_positions,
        (_positions.employee_id == _members.employee_id)
        & (_positions.conversation_id == _members.conversation_id),
    )
    .where(_members.employee_id == bindparam("employee")),
    "employee",
)


def home_of(body: EventBody) -> str | None:
    """Return the conversation an event concerns, None for an event of none."""
    if isinstance(body, MessageUpserted):
        return body.message.conversation_id
    if isinstance(body, ConversationUpserted):
        return body.conversation.conversation_id
    if isinstance(body, Sealed | Erased):
        return body.conversation_id
    return None


def note_positions(
    connection: Connection, employee_id: str, firm_id: str, newest: Mapping[str, int]
) -> None:
    """Note the position of the newest event of each conversation; it never falls."""
    for home, seq in newest.items():
        _NOTE.change(connection, employee_id, home, firm_id, seq)


def read_positions(connection: Connection, employee_id: str) -> dict[str, int]:
    """Return the newest position of each conversation of the employee; 0 where none was noted."""
    return {home: seq or 0 for home, seq in _POSITIONS.rows(connection, employee_id)}
