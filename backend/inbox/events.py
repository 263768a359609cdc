"""Owns each employee's event stream: its numbered events, their order and their reading.

It never sends anything: waking the streams after the commit is the notifier's work.

Events of one transaction are collected and appended at its end, the counter row last, because
numbers taken earlier could commit out of order. What changed is rendered then, once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, select, update

from backend.directory.people import contact_watchers, read_contacts
from backend.inbox.positions import home_of, note_positions, read_positions
from backend.inbox.rendering import read_conversation, read_messages
from backend.storage.bulk import Prepared, insert_rows
from backend.storage.database import Database, transaction_notes
from backend.storage.tables import (
    conversation_members,
    employees,
    event_counters,
    events,
    messages,
)
from contract.events import ContactUpserted, ConversationUpserted, EventBody, MessageUpserted
from contract.ids import EmployeeId

KEEP_EVENTS = 200_000
_TRIM_EVERY = 1_000
_NOTES = "events"
_encoder = msgspec.json.Encoder()
# Built once: building a statement costs as much as running it.
_MEMBERS = Prepared(
    select(conversation_members.c.employee_id)
    .where(conversation_members.c.conversation_id == bindparam("id"))
    .order_by(conversation_members.c.employee_id),
    "id",
)
_WATCHERS = Prepared(
    select(conversation_members.c.employee_id)
    .join(messages, messages.c.conversation_id == conversation_members.c.conversation_id)
    .where(messages.c.message_id.in_(bindparam("ids", expanding=True)))
    .distinct(),
    "ids",
)
_COUNT_UP = Prepared(
    update(event_counters)
    .where(event_counters.c.employee_id == bindparam("id"))
    .values(seq=event_counters.c.seq + bindparam("more"))
    .returning(event_counters.c.seq, event_counters.c.firm_id),
    *("id", "more"),
)
_FIRM_OF = Prepared(
    select(employees.c.firm_id).where(employees.c.employee_id == bindparam("id")), "id"
)
_COUNTER_COLUMNS = ("employee_id", "firm_id", "seq")
_EVENT_COLUMNS = (*_COUNTER_COLUMNS, "at_utc_ms", "body")


@dataclass(slots=True)
class _Pending:
    contact_ids: dict[str, None] = field(default_factory=dict)
    conversation_ids: dict[str, None] = field(default_factory=dict)
    message_ids: dict[str, None] = field(default_factory=dict)
    bodies: list[tuple[EmployeeId, EventBody]] = field(default_factory=list)
    at_utc_ms: int = 0


class StoredEvent(NamedTuple):
    """One event of a stream; `body` is the JSON of its contract.events body."""

    seq: int
    at_utc_ms: int
    body: bytes

    def to_json(self) -> bytes:
        """Return the JSON of contract.events.Event."""
        head = f'{{"seq":{self.seq},"at_utc_ms":{self.at_utc_ms},"body":'
        return head.encode() + self.body + b"}"


class CursorGone(Exception):
    """The asked position is older than what is kept, or was never reached: re-sync."""


def open_database(path: Path, key: bytes) -> Database:
    """Open the backend's database with the event stream attached to its transactions.

    Raises what Database.open raises.
    """
    database = Database.open(path, key)
    database.before_commit(flush_events)
    return database


def note_contact(connection: Connection, contact_id: str, at_utc_ms: int) -> None:
    """Tell everyone whose book holds the contact, at the transaction's end."""
    _pending(connection, at_utc_ms).contact_ids[contact_id] = None


def note_conversation(connection: Connection, conversation_id: str, at_utc_ms: int) -> None:
    """Tell the conversation's members of its newest version, at the transaction's end."""
    _pending(connection, at_utc_ms).conversation_ids[conversation_id] = None


def note_message(connection: Connection, message_id: str, at_utc_ms: int) -> None:
    """Tell the members of the message's newest version, at the transaction's end."""
    _pending(connection, at_utc_ms).message_ids[message_id] = None


def append_event(
    connection: Connection, employee_id: EmployeeId, body: EventBody, at_utc_ms: int
) -> None:
    """Add an event to one employee's stream, at the transaction's end."""
    _pending(connection, at_utc_ms).bodies.append((employee_id, body))


def flush_events(connection: Connection) -> dict[EmployeeId, int]:
    """Append what was noted; returns the newest seq of each employee told.

    Contacts come before conversations and those before messages, so that nothing refers to what
    the client does not know. Runs by itself before each commit.
    """
    pending = transaction_notes(connection).pop(_NOTES, None)
    if not isinstance(pending, _Pending):
        return {}
    streams: dict[EmployeeId, list[EventBody]] = {}
    for employee_id, body in _bodies(connection, pending):
        streams.setdefault(employee_id, []).append(body)
    return {
        employee_id: _append(connection, employee_id, streams[employee_id], pending.at_utc_ms)
        for employee_id in sorted(streams)  # one order for all transactions: no dead lock
    }


def stream_position(connection: Connection, employee_id: str) -> int:
    """Return the newest seq of the employee's stream, 0 when it is empty."""
    counter = event_counters.c
    return (
        connection.execute(
            select(counter.seq).where(counter.employee_id == employee_id)
        ).scalar_one_or_none()
        or 0
    )


def read_events(
    connection: Connection, employee_id: str, after_seq: int, limit: int
) -> tuple[StoredEvent, ...]:
    """Return up to `limit` events after a position.

    Raises CursorGone when the position is older than what is kept or newer than the counter.
    """
    newest = stream_position(connection, employee_id)
    oldest = connection.execute(
        select(func.min(events.c.seq)).where(events.c.employee_id == employee_id)
    ).scalar()
    first_kept = newest + 1 if oldest is None else oldest
    if not first_kept - 1 <= after_seq <= newest:
        raise CursorGone
    rows = connection.execute(
        select(events.c.seq, events.c.at_utc_ms, events.c.body)
        .where(events.c.employee_id == employee_id, events.c.seq > after_seq)
        .order_by(events.c.seq)
        .limit(limit)
    )
    return tuple(StoredEvent(*row) for row in rows)


def changed_since(
    connection: Connection, employee_id: str, after_seq: int
) -> tuple[int, dict[str, int]]:
    """Return the stream's position, and that of the newest event of each conversation there is.

    Raises CursorGone when the asked position was never reached: nothing can be told of it then.
    """
    newest = stream_position(connection, employee_id)
    if after_seq > newest:
        raise CursorGone
    return newest, read_positions(connection, employee_id)


def trim_events(connection: Connection, employee_id: str, keep: int) -> None:
    """Forget all but the newest `keep` events; clients further behind re-sync."""
    newest = stream_position(connection, employee_id)
    connection.execute(
        delete(events).where(events.c.employee_id == employee_id, events.c.seq <= newest - keep)
    )


def members_of(connection: Connection, conversation_id: str) -> tuple[EmployeeId, ...]:
    """Return the employees who take part in a conversation."""
    return tuple(EmployeeId(each) for each in _MEMBERS.scalars(connection, conversation_id))


def _pending(connection: Connection, at_utc_ms: int) -> _Pending:
    pending = transaction_notes(connection).setdefault(_NOTES, _Pending())
    assert isinstance(pending, _Pending)
    pending.at_utc_ms = max(pending.at_utc_ms, at_utc_ms)
    return pending


def _bodies(connection: Connection, pending: _Pending) -> Iterator[tuple[EmployeeId, EventBody]]:
    for contact_id in pending.contact_ids:
        for employee_id in contact_watchers(connection, contact_id):
            for contact in read_contacts(connection, employee_id, [contact_id]):
                yield employee_id, ContactUpserted(contact=contact)
    for conversation_id in pending.conversation_ids:
        for employee_id in members_of(connection, conversation_id):
            conversation = read_conversation(connection, employee_id, conversation_id)
            if conversation is not None:
                yield employee_id, ConversationUpserted(conversation=conversation)
    yield from _message_bodies(connection, list(pending.message_ids))
    yield from pending.bodies


def _message_bodies(
    connection: Connection, message_ids: list[str]
) -> Iterator[tuple[EmployeeId, EventBody]]:
    if not message_ids:
        return
    for employee_id in _WATCHERS.scalars(connection, message_ids):
        for message in read_messages(connection, employee_id, message_ids):
            yield EmployeeId(employee_id), MessageUpserted(message=message)


def _append(
    connection: Connection, employee_id: EmployeeId, bodies: list[EventBody], at_utc_ms: int
) -> int:
    taken, firm_id = len(bodies), ""
    counted = _COUNT_UP.rows(connection, employee_id, taken)
    if counted:
        taken, firm_id = counted[0]
    else:
        firm_id = str(_FIRM_OF.scalar(connection, employee_id))
        insert_rows(connection, event_counters, _COUNTER_COLUMNS, [(employee_id, firm_id, taken)])
    first = taken - len(bodies) + 1
    rows = [
        (employee_id, firm_id, first + offset, at_utc_ms, _encoder.encode(body))
        for offset, body in enumerate(bodies)
    ]
    insert_rows(connection, events, _EVENT_COLUMNS, rows)
    homes = {home_of(body): first + offset for offset, body in enumerate(bodies)}
    newest = {home: seq for home, seq in homes.items() if home is not None}
    note_positions(connection, employee_id, firm_id, newest)
    if first // _TRIM_EVERY != taken // _TRIM_EVERY:
        trim_events(connection, employee_id, KEEP_EVENTS)
    return taken
