"""Owns the first sync: contacts, then conversations, then messages, page after page.

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

    `seq` is the stream position the snapshot began at; a key is that of the last row given.
    """

    seq: int
    stage: str = CONTACTS
    text_key: tuple[str, str] | None = None
    activity_key: tuple[int, str] | None = None
    place_key: tuple[int, int] | None = None


class Snapshot(NamedTuple):
    """What one page holds, and where the next begins: None on the last page."""

    seq: int
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
    at: SnapshotPosition | None = position or SnapshotPosition(
        stream_position(connection, me.employee_id)
    )
    assert at is not None
    seq = at.seq
    contacts: tuple[Contact, ...] = ()
    conversations_: tuple[Conversation, ...] = ()
    messages: tuple[Message, ...] = ()
    if at.stage == CONTACTS:
        contacts = contact_page(connection, me.employee_id, after=at.text_key, limit=limit)
        limit -= len(contacts)
        at = SnapshotPosition(seq, CONVERSATIONS)
        if limit == 0:
            last = contacts[-1]
            at = SnapshotPosition(seq, text_key=(last.display_name, last.contact_id))
    if at.stage == CONVERSATIONS and limit:
        conversations_ = conversation_page(connection, me.employee_id, at.activity_key, limit)
        limit -= len(conversations_)
        at = SnapshotPosition(seq, MESSAGES)
        if limit == 0:
            newest = conversations_[-1]
            key = (newest.last_activity_utc_ms, newest.conversation_id)
            at = SnapshotPosition(seq, CONVERSATIONS, activity_key=key)
    if at.stage == MESSAGES and limit:
        messages = message_page(connection, me, at.place_key, limit)
        at = None
        if len(messages) == limit:
            oldest = messages[-1]
            at = SnapshotPosition(
                seq, MESSAGES, place_key=(oldest.place_at_utc_ms, oldest.place_index)
            )
    total_messages, total_conversations = _totals(connection, me)
    return Snapshot(
        seq, at, total_messages, total_conversations, contacts, conversations_, messages
    )


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
