"""Applies contacts and conversations to the cache, by version and stream position.

It never commits and never derives a conversation's state from its messages: the server tells it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
_INSERT_CONTACT = text(
    "INSERT INTO contacts (contact_id, version, generation, name_key, payload)"
    " VALUES (:contact_id, :version, :generation, :name_key, :payload)"
)
_UPDATE_CONTACT = text(
    "UPDATE contacts SET version = :version, generation = :generation, name_key = :name_key,"
    " payload = :payload WHERE row_id = :row_id"
)
_TOUCH_CONTACT = text("UPDATE contacts SET generation = :generation WHERE row_id = :row_id")
_KNOWN_CONVERSATIONS = text(
    "SELECT conversation_id, row_id, version, title FROM conversations"
    " WHERE conversation_id IN (SELECT value FROM json_each(:ids))"
)
_UPDATE_CONVERSATION = text(
    "UPDATE conversations SET version = :version, applied_seq = max(applied_seq, :seq),"
    " generation = :generation, listed = 1, channel = :channel, title = :title,"
    " last_activity_utc_ms = :last_activity, unread = :unread, awaiting = :awaiting,"
    " window_closes_at_utc_ms = :window, payload = :payload WHERE row_id = :row_id"
)
_TOUCH_CONVERSATION = text(
    "UPDATE conversations SET applied_seq = max(applied_seq, :seq), generation = :generation"
    " WHERE row_id = :row_id"
)
_LEAVE = text("DELETE FROM memberships WHERE conversation_row = :row_id")
_JOIN = text(
    "INSERT OR IGNORE INTO memberships (contact_id, conversation_row) VALUES (:contact, :row_id)"
)


@dataclass(frozen=True, slots=True)
class Told:
    """A conversation with the stream position it came with (0: an answer to a call)."""

    conversation: Conversation
    seq: int


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
    changed = set()
    for contact_id, contact in newest.items():
        row_id, version = existing.get(contact_id, (None, -1))
        if contact.version > version:
            _write_contact(connection, contact, row_id, generation)
            changed.add(contact.contact_id)
        elif row_id is not None:
            connection.execute(_TOUCH_CONTACT, {"generation": generation, "row_id": row_id})
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
        newest[home] = Told(best.conversation, max(known.seq, each.seq))
    if not newest:
        return set()
    homes = conversation_rows(connection, newest.keys(), generation)
    rows = connection.execute(_KNOWN_CONVERSATIONS, {"ids": id_list(newest)})
    before = {row[0]: (int(row[2]), str(row[3])) for row in rows}
    changed = set()
    for key, each in newest.items():
        version, title = before[key]
        if each.conversation.version > version:
            _write_conversation(connection, each, homes, generation)
            put_title(connection, homes[key], title, each.conversation.title)
            changed.add(each.conversation.conversation_id)
        else:
            values = {"seq": each.seq, "generation": generation, "row_id": homes[key]}
            connection.execute(_TOUCH_CONVERSATION, values)
    return changed


def _write_contact(
    connection: Connection, contact: Contact, row_id: int | None, generation: int
) -> None:
    values = {
        "contact_id": contact.contact_id,
        "version": contact.version,
        "generation": generation,
        "name_key": name_key(contact),
        "payload": encode(contact),
    }
    if row_id is None:
        row_id = connection.execute(_INSERT_CONTACT, values).lastrowid
    else:
        connection.execute(_UPDATE_CONTACT, {**values, "row_id": row_id})
        connection.exec_driver_sql("DELETE FROM contact_search WHERE rowid = ?", (row_id,))
    connection.exec_driver_sql(
        "INSERT INTO contact_search (rowid, body) VALUES (?, ?)",
        (row_id, indexed_text(searched_contact(contact))),
    )


def _write_conversation(
    connection: Connection, told: Told, homes: Mapping[str, int], generation: int
) -> None:
    conversation = told.conversation
    row_id = homes[conversation.conversation_id]
    connection.execute(
        _UPDATE_CONVERSATION,
        {
            "row_id": row_id,
            "version": conversation.version,
            "seq": told.seq,
            "generation": generation,
            "channel": conversation.channel.value,
            "title": conversation.title,
            "last_activity": conversation.last_activity_utc_ms,
            "unread": int(conversation.unread_count > 0),
            "awaiting": int(conversation.awaiting),
            "window": conversation.window_closes_at_utc_ms,
            "payload": encode(conversation),
        },
    )
    connection.execute(_LEAVE, {"row_id": row_id})
    joins = [{"contact": key, "row_id": row_id} for key in conversation.contact_ids]
    if joins:
        connection.execute(_JOIN, joins)
