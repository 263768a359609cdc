"""Applies contacts and conversations to the cache, by version and stream position.

It never commits and never derives a conversation's state from its messages: the server tells it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from app.store.apply_messages import conversation_rows
from app.store.payloads import encode, id_list, searched_contact
from app.store.search_rows import put_title
from contract.ids import ContactId, ConversationId
from contract.search_terms import indexed_text
from contract.wire import Contact, Conversation

_KNOWN_CONTACTS = text(
    "SELECT contact_id, row_id, version FROM contacts"
    " WHERE contact_id IN (SELECT value FROM json_each(:ids))"
)
_NEXT_CONTACT_ROW = text("SELECT coalesce(max(row_id), 0) + 1 FROM contacts")
_INSERT_CONTACT = (
    "INSERT INTO contacts (row_id, contact_id, version, generation, name_key, payload)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_UPDATE_CONTACT = (
    "UPDATE contacts SET version = ?, generation = ?, name_key = ?, payload = ? WHERE row_id = ?"
)
_TOUCH_CONTACT = "UPDATE contacts SET generation = ? WHERE row_id = ?"
_UNINDEX_CONTACT = "DELETE FROM contact_search WHERE rowid = ?"
_INDEX_CONTACT = "INSERT INTO contact_search (rowid, body) VALUES (?, ?)"
_KNOWN_CONVERSATIONS = text(
    "SELECT conversation_id, row_id, version, title FROM conversations"
    " WHERE conversation_id IN (SELECT value FROM json_each(:ids))"
)
_UPDATE_CONVERSATION = (
    "UPDATE conversations SET version = ?, applied_seq = max(applied_seq, ?), generation = ?,"
    " listed = 1, channel = ?, title = ?, last_activity_utc_ms = ?, unread = ?, awaiting = ?,"
    " window_closes_at_utc_ms = ?, payload = ?, floor_at_utc_ms = max(floor_at_utc_ms, ?)"
    " WHERE row_id = ?"
)
_TOUCH_CONVERSATION = (
    "UPDATE conversations SET applied_seq = max(applied_seq, ?), generation = ? WHERE row_id = ?"
)
_MEMBERS = text(
    "SELECT contact_id, conversation_row FROM memberships"
    " WHERE conversation_row IN (SELECT value FROM json_each(:rows))"
)
_LEAVE = "DELETE FROM memberships WHERE contact_id = ? AND conversation_row = ?"
_JOIN = "INSERT OR IGNORE INTO memberships (contact_id, conversation_row) VALUES (?, ?)"


class Told(NamedTuple):
    """A conversation with the stream position it came with (0: an answer to a call).

    One that appears by an event of the stream may have a past that no event tells (`streamed`).
    """

    conversation: Conversation
    seq: int
    streamed: bool = False


def name_key(contact: Contact) -> str:
    """Return what contacts are ordered by."""
    return contact.display_name.casefold()


def apply_contacts(
    connection: Connection, contacts: Iterable[Contact], generation: int
) -> set[ContactId]:
    """Apply contacts whose version is higher; return the ids that changed."""
    newest: dict[str, Contact] = {}
    for contact in contacts:
        known = newest.get(contact.contact_id)
        if known is None or contact.version > known.version:
            newest[contact.contact_id] = contact
    if not newest:
        return set()
    rows = connection.execute(_KNOWN_CONTACTS, {"ids": id_list(newest)})
    existing = {row[0]: (int(row[1]), int(row[2])) for row in rows}
    next_row = int(connection.execute(_NEXT_CONTACT_ROW).scalar_one())
    inserted, updated, touched, unindexed, indexed = _lists(5)
    changed = set()
    for contact_id, contact in newest.items():
        row_id, version = existing.get(contact_id, (0, -1))
        if contact.version <= version:
            touched.append((generation, row_id))
            continue
        values = (contact.version, generation, name_key(contact), encode(contact))
        if row_id:
            updated.append((*values, row_id))
            unindexed.append((row_id,))
        else:
            row_id, next_row = next_row, next_row + 1
            inserted.append((row_id, contact_id, *values))
        indexed.append((row_id, indexed_text(searched_contact(contact))))
        changed.add(contact.contact_id)
    _write(connection, (_INSERT_CONTACT, inserted), (_UPDATE_CONTACT, updated))
    _write(connection, (_TOUCH_CONTACT, touched), (_UNINDEX_CONTACT, unindexed))
    _write(connection, (_INDEX_CONTACT, indexed))
    return changed


def apply_conversations(
    connection: Connection, told: Iterable[Told], generation: int
) -> set[ConversationId]:
    """Apply conversations whose version is higher; return the ids that changed."""
    newest: dict[str, Told] = {}
    for each in told:
        home = each.conversation.conversation_id
        known = newest.get(home, each)
        best = max(known, each, key=lambda one: one.conversation.version)
        newest[home] = Told(best.conversation, max(known.seq, each.seq), each.streamed)
    if not newest:
        return set()
    homes = conversation_rows(connection, newest.keys(), generation)
    rows = connection.execute(_KNOWN_CONVERSATIONS, {"ids": id_list(newest)})
    before = {row[0]: (int(row[2]), str(row[3])) for row in rows}
    updated, touched = _lists(2)
    changed: dict[int, Conversation] = {}
    for key, (conversation, seq, streamed) in newest.items():
        version, title = before[key]
        row_id = homes[key]
        if conversation.version > version:
            put_title(connection, row_id, title, conversation.title)
            appears = streamed and version < 0
            floor = conversation.last_activity_utc_ms if appears else 0
            updated.append(_conversation_row(conversation, seq, generation, floor, row_id))
            changed[row_id] = conversation
        else:
            touched.append((seq, generation, row_id))
    _write(connection, (_UPDATE_CONVERSATION, updated), (_TOUCH_CONVERSATION, touched))
    _set_members(connection, changed)
    return {conversation.conversation_id for conversation in changed.values()}


def _conversation_row(
    conversation: Conversation, seq: int, generation: int, floor_utc_ms: int, row_id: int
) -> tuple[Any, ...]:
    return (
        *(conversation.version, seq, generation, conversation.channel.value, conversation.title),
        conversation.last_activity_utc_ms,
        int(conversation.unread_count > 0),
        int(conversation.awaiting),
        conversation.window_closes_at_utc_ms,
        encode(conversation),
        floor_utc_ms,
        row_id,
    )


def _set_members(connection: Connection, changed: Mapping[int, Conversation]) -> None:
    """Write which contacts take part, where that differs from what stands here."""
    if not changed:
        return
    found = connection.execute(_MEMBERS, {"rows": json.dumps(list(changed))})
    before = {(str(row[0]), int(row[1])) for row in found}
    after = {(str(key), row_id) for row_id, one in changed.items() for key in one.contact_ids}
    _write(connection, (_LEAVE, list(before - after)), (_JOIN, list(after - before)))


def _lists(count: int) -> tuple[list[tuple[Any, ...]], ...]:
    return tuple([] for _ in range(count))


def _write(connection: Connection, *statements: tuple[str, list[tuple[Any, ...]]]) -> None:
    for sql, rows in statements:
        if rows:
            connection.exec_driver_sql(sql, rows)
