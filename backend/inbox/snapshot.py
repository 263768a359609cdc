"""Owns the first sync: conversations, then contacts, then messages, page after page.

It never holds a page open: what changes meanwhile comes by the event stream from `seq` on.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from backend.directory.people import contact_page
from backend.inbox.events import stream_position
from backend.inbox.pages import conversation_page, message_page
from backend.storage.tables import conversation_members, conversations
from contract.wire import Contact, Conversation, Me, Message

CONTACTS, CONVERSATIONS, MESSAGES = "contacts", "conversations", "messages"


class SnapshotPosition(NamedTuple):
    """Where a snapshot stands; exactly the key of its stage may be set.

    `seq` is the stream position the snapshot began at, `totals` counts the messages and the
    conversations there were then; a key is that of the last row given.
    """

    seq: int
    totals: tuple[int, int]
    stage: str = CONVERSATIONS
    text_key: tuple[str, str] | None = None
    activity_key: tuple[int, str] | None = None
    place_key: tuple[int, int] | None = None


class Snapshot(NamedTuple):
    """What one page holds, and where the next begins: None on the last page.

    `at_seq` is the stream position the page itself was read at.
    """

    seq: int
    at_seq: int
    following: SnapshotPosition | None
    total_messages: int
    total_conversations: int
    contacts: tuple[Contact, ...]
    conversations: tuple[Conversation, ...]
    messages: tuple[Message, ...]


def read_snapshot(
    connection: Connection, me: Me, position: SnapshotPosition | None, limit: int
) -> Snapshot:
    """Return the next `limit` rows of a snapshot; a page goes over from one stage to the next."""
    at_seq = stream_position(connection, me.employee_id)
    begun = position or SnapshotPosition(at_seq, _totals(connection, me))
    at: SnapshotPosition | None = begun
    contacts: tuple[Contact, ...] = ()
    conversations_: tuple[Conversation, ...] = ()
    messages: tuple[Message, ...] = ()
    if begun.stage == CONVERSATIONS:
        conversations_, at = _conversations(connection, me, begun, limit)
        limit -= len(conversations_)
    if at is not None and at.stage == CONTACTS and limit:
        contacts, at = _contacts(connection, me, at, limit)
        limit -= len(contacts)
    if at is not None and at.stage == MESSAGES and limit:
        messages, at = _messages(connection, me, at, limit)
    return Snapshot(begun.seq, at_seq, at, *begun.totals, contacts, conversations_, messages)


def _conversations(
    connection: Connection, me: Me, at: SnapshotPosition, limit: int
) -> tuple[tuple[Conversation, ...], SnapshotPosition]:
    found = conversation_page(connection, me, at.activity_key, limit)
    if len(found) < limit:
        return found, SnapshotPosition(at.seq, at.totals, CONTACTS)
    key = (found[-1].last_activity_utc_ms, found[-1].conversation_id)
    return found, SnapshotPosition(at.seq, at.totals, CONVERSATIONS, activity_key=key)


def _contacts(
    connection: Connection, me: Me, at: SnapshotPosition, limit: int
) -> tuple[tuple[Contact, ...], SnapshotPosition]:
    found = contact_page(connection, me.employee_id, after=at.text_key, limit=limit)
    if len(found) < limit:
        return found, SnapshotPosition(at.seq, at.totals, MESSAGES)
    key = (found[-1].display_name, found[-1].contact_id)
    return found, SnapshotPosition(at.seq, at.totals, CONTACTS, text_key=key)


def _messages(
    connection: Connection, me: Me, at: SnapshotPosition, limit: int
) -> tuple[tuple[Message, ...], SnapshotPosition | None]:
    found = message_page(connection, me, at.place_key, limit)
    if len(found) < limit:
        return found, None
    key = (found[-1].place_at_utc_ms, found[-1].place_index)
    return found, SnapshotPosition(at.seq, at.totals, MESSAGES, place_key=key)


def _totals(connection: Connection, me: Me) -> tuple[int, int]:
    row = connection.execute(
        select(func.coalesce(func.sum(conversations.c.message_count), 0), func.count())
        .join(
            conversation_members,
            conversation_members.c.conversation_id == conversations.c.conversation_id,
        )
        .where(conversation_members.c.employee_id == me.employee_id)
    ).one()
    return int(row[0]), int(row[1])
