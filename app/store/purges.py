"""Removes from the cache what was revoked, erased or is missing in a new snapshot.

It never commits and never touches the outbox or drafts: what the user wrote stays theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, text

from app.store.cached_files import forget_all as forget_all_files
from app.store.cached_files import forget_conversation as forget_files
from app.store.first_frame import FIRST_FRAME
from app.store.payloads import id_list
from app.store.search_rows import put_title

CONVERSATION = "conversation"
MESSAGE = "message"

_ENTOMB = text(
    "INSERT INTO tombstones (kind, id, seq) VALUES (:kind, :id, :seq)"
    " ON CONFLICT (kind, id) DO UPDATE SET seq = max(seq, excluded.seq)"
)
_TOMBSTONES = text(
    "SELECT id, seq FROM tombstones WHERE kind = :kind"
    " AND id IN (SELECT value FROM json_each(:ids))"
)
_ERASED_ROWS = text(
    "SELECT row_id FROM messages WHERE message_id IN (SELECT value FROM json_each(:ids))"
    " AND applied_seq < :seq"
)
_HOME = text("SELECT row_id, applied_seq, title FROM conversations WHERE conversation_id = :id")
_ROWS_OF_HOME = text(
    "SELECT row_id FROM messages WHERE conversation_row = :home AND applied_seq < :seq"
)
_UNLIST = text(
    "UPDATE conversations SET version = -1, listed = 0, unread = 0, awaiting = 0, title = '',"
    " window_closes_at_utc_ms = NULL, payload = NULL WHERE row_id = :home"
)
_LEAVE = text("DELETE FROM memberships WHERE conversation_row = :home")
_ERASED_SEALS = text(
    "DELETE FROM seals WHERE message_id IN (SELECT value FROM json_each(:ids)) AND seq < :seq"
)
_REVOKED_SEALS = text("DELETE FROM seals WHERE conversation_id = :id AND seq < :seq")
_UNSEEN_CONVERSATIONS = text(
    "SELECT conversation_id FROM conversations WHERE generation < :generation"
)
_DROP_EMPTY = text(
    "DELETE FROM conversations WHERE generation < :generation AND listed = 0 AND NOT EXISTS"
    " (SELECT 1 FROM messages WHERE conversation_row = conversations.row_id)"
)
_FORGET_FRAME = text("DELETE FROM meta WHERE key = :key")
_UNSEEN_CONTACTS = text("SELECT row_id FROM contacts WHERE generation < :generation")
_UNSEEN_MESSAGES = text(
    "SELECT row_id FROM messages WHERE row_id >= :first AND row_id < :beyond"
    " AND generation < :generation"
)


def tombstones(connection: Connection, kind: str, ids: Collection[str]) -> dict[str, int]:
    """Return at which stream position those of the ids were revoked or erased that were."""
    if not ids:
        return {}
    rows = connection.execute(_TOMBSTONES, {"kind": kind, "ids": id_list(ids)})
    return {row[0]: int(row[1]) for row in rows}


def forget_first_frame(connection: Connection) -> None:
    """Remove the prepared first frame: whatever takes rows away takes their copies there too."""
    connection.execute(_FORGET_FRAME, {"key": FIRST_FRAME})


def revoke(connection: Connection, conversation_id: str, seq: int) -> None:
    """Remove what of a conversation is older than `seq`, and keep older events from returning."""
    forget_files(connection, conversation_id)
    forget_first_frame(connection)
    connection.execute(_ENTOMB, {"kind": CONVERSATION, "id": conversation_id, "seq": seq})
    connection.execute(_REVOKED_SEALS, {"id": conversation_id, "seq": seq})
    home = connection.execute(_HOME, {"id": conversation_id}).one_or_none()
    if home is None:
        return
    rows = connection.execute(_ROWS_OF_HOME, {"home": home[0], "seq": seq})
    delete_messages(connection, [int(row[0]) for row in rows])
    if home[1] < seq:
        connection.execute(_UNLIST, {"home": home[0]})
        put_title(connection, home[0], home[2], "")
        connection.execute(_LEAVE, {"home": home[0]})


def erase(
    connection: Connection, conversation_id: str, message_ids: Sequence[str], seq: int
) -> None:
    """Remove messages older than `seq` with index rows and files; keep them from returning."""
    tombs = [{"kind": MESSAGE, "id": key, "seq": seq} for key in message_ids]
    if not tombs:
        return
    forget_first_frame(connection)
    forget_files(connection, conversation_id)
    connection.execute(_ENTOMB, tombs)
    bound: dict[str, Any] = {"ids": id_list(message_ids), "seq": seq}
    connection.execute(_ERASED_SEALS, bound)
    delete_messages(connection, [int(row[0]) for row in connection.execute(_ERASED_ROWS, bound)])


def sweep_messages(connection: Connection, generation: int, first: int, beyond: int) -> int:
    """Remove messages of one row-id range that the snapshot did not hold; return how many."""
    bound = {"generation": generation, "first": first, "beyond": beyond}
    rows = [int(row[0]) for row in connection.execute(_UNSEEN_MESSAGES, bound)]
    if rows:
        forget_first_frame(connection)
        forget_all_files(connection)
    delete_messages(connection, rows)
    return len(rows)


def sweep_people(connection: Connection, generation: int, seq: int) -> list[str]:
    """Remove conversations and contacts the snapshot did not hold; return conversation ids.

    Tombstones up to the snapshot's position have done their work: nothing older comes again.
    """
    forget_first_frame(connection)
    bound = {"generation": generation}
    gone = [str(row[0]) for row in connection.execute(_UNSEEN_CONVERSATIONS, bound)]
    for conversation_id in gone:
        revoke(connection, conversation_id, seq + 1)
    connection.execute(_DROP_EMPTY, bound)
    contacts = connection.execute(_UNSEEN_CONTACTS, bound)
    delete_contacts(connection, [int(row[0]) for row in contacts])
    connection.exec_driver_sql("DELETE FROM tombstones WHERE seq <= ?", (seq + 1,))
    return gone


def delete_contacts(connection: Connection, row_ids: Iterable[int]) -> None:
    """Remove contacts with their index rows by row id."""
    rows = [(row_id,) for row_id in row_ids]
    _delete_each(connection, "DELETE FROM contact_search WHERE rowid = ?", rows)
    _delete_each(connection, "DELETE FROM contacts WHERE row_id = ?", rows)


def delete_messages(connection: Connection, row_ids: Iterable[int]) -> None:
    """Remove messages with their index rows by row id."""
    rows = [(row_id,) for row_id in row_ids]
    _delete_each(connection, "DELETE FROM message_search WHERE rowid = ?", rows)
    _delete_each(connection, "DELETE FROM messages WHERE row_id = ?", rows)


def _delete_each(connection: Connection, sql: str, rows: list[tuple[int]]) -> None:
    if rows:
        connection.exec_driver_sql(sql, rows)
