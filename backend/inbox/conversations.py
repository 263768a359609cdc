"""Owns the conversation row: its making, its counters, its reply window and its read marks.

It never writes a message and never decides whether one may be sent.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import NoResultFound

from backend.directory.assignment import employees_for
from backend.directory.points import GROUP
from backend.inbox.events import append_event, note_conversation
from backend.storage.bulk import Prepared, Value
from backend.storage.tables import (
    channel_accounts,
    contact_points,
    contacts,
    conversation_contacts,
    conversation_members,
    conversations,
    employee_contacts,
    messages,
)
from contract.events import AccessRevoked
from contract.ids import ContactPointId, ConversationId, EmployeeId, uuid7
from contract.wire import Direction, Mode

# Built once: building a statement costs as much as running it.
_BY_ID = Prepared(
    select(conversations).where(conversations.c.conversation_id == bindparam("id")), "id"
)
_BUMP = Prepared(
    update(conversations)
    .where(conversations.c.conversation_id == bindparam("id"))
    .values(version=conversations.c.version + 1),
    "id",
)


def conversation_row(connection: Connection, conversation_id: str) -> Any:
    """Return the stored row; raises sqlalchemy.exc.NoResultFound when there is none."""
    row = _BY_ID.record(connection, conversation_id)
    if row is None:
        raise NoResultFound("there is no such conversation")
    return row


def is_member(connection: Connection, conversation_id: str, employee_id: str) -> bool:
    """Tell whether the employee takes part in the conversation."""
    columns = conversation_members.c
    found = connection.execute(
        select(columns.employee_id).where(
            columns.conversation_id == conversation_id, columns.employee_id == employee_id
        )
    ).first()
    return found is not None


def ensure_direct_conversation(
    connection: Connection,
    *,
    account_id: str,
    contact_id: str,
    contact_point_id: ContactPointId,
    now_utc_ms: int,
) -> ConversationId:
    """Return the chat of an account with one contact point, made when there is none.

    Its members are those who write from the account, on a pooled one those of them whose book
    holds the contact (directory.assignment), maybe nobody; the contact enters their books.
    """
    columns = conversations.c
    known = connection.execute(
        select(columns.conversation_id).where(
            columns.account_id == account_id, columns.thread_key == contact_point_id
        )
    ).scalar_one_or_none()
    if known is not None:
        return ConversationId(known)
    account = connection.execute(
        select(channel_accounts).where(channel_accounts.c.account_id == account_id)
    ).one()
    contact = connection.execute(select(contacts).where(contacts.c.contact_id == contact_id)).one()
    conversation_id = ConversationId(uuid7(now_utc_ms, os.urandom(10)))
    connection.execute(
        insert(conversations).values(
            conversation_id=conversation_id,
            firm_id=account.firm_id,
            channel=account.channel,
            account_id=account_id,
            thread_key=contact_point_id,
            title=contact.display_name,
            mode=account.mode,
            is_group=_is_group(connection, contact_point_id),
            color=contact.color,
            initials=contact.initials,
            last_activity_utc_ms=now_utc_ms,
            window_closes_at_utc_ms=None if account.window_s is None else 0,
            window_messages_left=account.window_max_messages,
        )
    )
    _add_participants(connection, account, conversation_id, contact_id, contact_point_id)
    note_conversation(connection, conversation_id, now_utc_ms)
    return conversation_id


def add_member(
    connection: Connection, conversation_id: str, employee_id: str, now_utc_ms: int
) -> None:
    """Give an employee access to a conversation; twice is the same as once."""
    if is_member(connection, conversation_id, employee_id):
        return
    firm_id = conversation_row(connection, conversation_id).firm_id
    connection.execute(
        insert(conversation_members).values(
            conversation_id=conversation_id, employee_id=employee_id, firm_id=firm_id
        )
    )
    participants = conversation_contacts.c
    for contact_id in connection.execute(
        select(participants.contact_id)
        .where(participants.conversation_id == conversation_id)
        .distinct()
    ).scalars():
        add_to_book(connection, firm_id, employee_id, contact_id)
    bump_conversation(connection, conversation_id, now_utc_ms)


def remove_member(
    connection: Connection, conversation_id: str, employee_id: EmployeeId, now_utc_ms: int
) -> bool:
    """Take an employee's access away, and have their client forget all of it; false without any."""
    columns = conversation_members.c
    gone = connection.execute(
        delete(conversation_members).where(
            columns.conversation_id == conversation_id, columns.employee_id == employee_id
        )
    )
    if not gone.rowcount:
        return False
    body = AccessRevoked(conversation_id=ConversationId(conversation_id))
    append_event(connection, employee_id, body, now_utc_ms)
    return True


def add_to_book(connection: Connection, firm_id: str, employee_id: str, contact_id: str) -> None:
    """Put a contact into an employee's book; twice is the same as once."""
    book = employee_contacts.c
    known = connection.execute(
        select(book.contact_id).where(
            book.employee_id == employee_id, book.contact_id == contact_id
        )
    ).first()
    if known is None:
        connection.execute(
            insert(employee_contacts).values(
                employee_id=employee_id, contact_id=contact_id, firm_id=firm_id
            )
        )


def record_activity(
    connection: Connection,
    conversation_id: str,
    *,
    message_id: str,
    direction: Direction,
    at_utc_ms: int,
    now_utc_ms: int,
    counts_as_contact: bool = True,
) -> None:
    """Count a new archived message and move preview, awaiting, unread and window along.

    A client's message opens the channel's window, counts as unread and awaits an answer; the
    employee's ends the waiting and uses the window up, unless it was refused or is held
    (`counts_as_contact` False). History older than the newest message changes no preview.
    """
    row = conversation_row(connection, conversation_id)
    changes: dict[str, Value] = {}
    newest = at_utc_ms >= row.last_activity_utc_ms or row.preview_message_id is None
    if newest:
        changes |= {"last_activity_utc_ms": at_utc_ms, "preview_message_id": message_id}
    if direction is Direction.IN:
        changes |= _after_inbound(connection, row, at_utc_ms)
    elif direction is Direction.OUT and counts_as_contact and row.window_messages_left is not None:
        changes["window_messages_left"] = max(0, row.window_messages_left - 1)
    if newest and direction is not Direction.SYSTEM and counts_as_contact:
        # What is read-only here is answered in the channel's own app.
        changes["awaiting"] = direction is Direction.IN and row.mode != Mode.NATIVE.value
    _count_up(tuple(changes)).change(connection, conversation_id, *changes.values())
    bump_conversation(connection, conversation_id, now_utc_ms)


@lru_cache(maxsize=64)
def _count_up(columns: tuple[str, ...]) -> Prepared:
    """Return the statement that counts a message and changes these columns."""
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns}
    statement = update(conversations).where(conversations.c.conversation_id == bindparam("id"))
    statement = statement.values(
        message_count=conversations.c.message_count + 1,
        archived_count=conversations.c.archived_count + 1,
        **values,
    )
    return Prepared(statement, "id", *(f"new_{name}" for name in columns))


def count_contact(connection: Connection, conversation_id: str, now_utc_ms: int) -> None:
    """Count a message that was held until now: it ends the waiting and uses the window up."""
    left = conversation_row(connection, conversation_id).window_messages_left
    connection.execute(
        update(conversations)
        .where(conversations.c.conversation_id == conversation_id)
        .values(awaiting=False, window_messages_left=None if left is None else max(0, left - 1))
    )
    bump_conversation(connection, conversation_id, now_utc_ms)


def mark_read(
    connection: Connection,
    conversation_id: str,
    employee_id: EmployeeId,
    upto_utc_ms: int,
    now_utc_ms: int,
) -> None:
    """Move the employee's read mark forward, never back, and count anew what is unread."""
    columns = conversation_members.c
    mine = (columns.conversation_id == conversation_id, columns.employee_id == employee_id)
    before = connection.execute(
        select(columns.read_upto_utc_ms, columns.unread_count).where(*mine)
    ).one()
    upto_utc_ms = max(before.read_upto_utc_ms, min(upto_utc_ms, now_utc_ms))
    unread = connection.execute(
        select(func.count())
        .select_from(messages)
        .where(
            messages.c.conversation_id == conversation_id,
            messages.c.direction == Direction.IN,
            messages.c.place_at_utc_ms > upto_utc_ms,
        )
    ).scalar_one()
    if (upto_utc_ms, unread) == (before.read_upto_utc_ms, before.unread_count):
        return
    connection.execute(
        update(conversation_members)
        .where(*mine)
        .values(read_upto_utc_ms=upto_utc_ms, unread_count=unread)
    )
    bump_conversation(connection, conversation_id, now_utc_ms)


def bump_conversation(connection: Connection, conversation_id: str, now_utc_ms: int) -> None:
    """Raise the version and tell the members at the transaction's end."""
    _BUMP.change(connection, conversation_id)
    note_conversation(connection, conversation_id, now_utc_ms)


def _is_group(connection: Connection, contact_point_id: str) -> bool:
    columns = contact_points.c
    id_type = connection.execute(
        select(columns.id_type).where(columns.contact_point_id == contact_point_id)
    ).scalar()
    return bool(id_type == GROUP)


def _after_inbound(connection: Connection, row: Any, at_utc_ms: int) -> dict[str, Value]:
    columns = conversation_members.c
    connection.execute(
        update(conversation_members)
        .where(columns.conversation_id == row.conversation_id, columns.read_upto_utc_ms < at_utc_ms)
        .values(unread_count=columns.unread_count + 1)
    )
    account = connection.execute(
        select(channel_accounts.c.window_s, channel_accounts.c.window_max_messages).where(
            channel_accounts.c.account_id == row.account_id
        )
    ).one()
    changes: dict[str, Value] = {}
    if account.window_s is not None:
        closes = at_utc_ms + account.window_s * 1000
        changes["window_closes_at_utc_ms"] = max(closes, row.window_closes_at_utc_ms or 0)
        changes["window_messages_left"] = account.window_max_messages
    return changes


def _add_participants(
    connection: Connection,
    account: Row[Any],
    conversation_id: str,
    contact_id: str,
    contact_point_id: str,
) -> None:
    connection.execute(
        insert(conversation_contacts).values(
            conversation_id=conversation_id,
            contact_point_id=contact_point_id,
            contact_id=contact_id,
            firm_id=account.firm_id,
        )
    )
    for employee_id in employees_for(connection, account.account_id, contact_id):
        connection.execute(
            insert(conversation_members).values(
                conversation_id=conversation_id,
                employee_id=employee_id,
                firm_id=account.firm_id,
            )
        )
        add_to_book(connection, account.firm_id, employee_id, contact_id)
