"""Keeps the list of attachments that lie encrypted beside the cache, by last use.

It never touches a file and never commits.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, text

_PUT = text(
    "INSERT INTO cached_files (attachment_id, conversation_id, size_bytes, used_at_utc_ms)"
    " VALUES (:id, :home, :size, :now) ON CONFLICT (attachment_id) DO UPDATE SET"
    " conversation_id = excluded.conversation_id, size_bytes = excluded.size_bytes,"
    " used_at_utc_ms = excluded.used_at_utc_ms"
)
_USED = text("UPDATE cached_files SET used_at_utc_ms = :now WHERE attachment_id = :id")
_HELD = text("SELECT value FROM counters WHERE name = 'cached_bytes'")
_LONGEST_UNUSED = text(
    "SELECT attachment_id, size_bytes FROM cached_files"
    " ORDER BY used_at_utc_ms, attachment_id LIMIT :limit"
)
_IS_LISTED = text("SELECT 1 FROM cached_files WHERE attachment_id = :id")
_PAGE = text(
    "SELECT attachment_id FROM cached_files WHERE attachment_id > :after"
    " ORDER BY attachment_id LIMIT :limit"
)
_OF_CONVERSATION = text("DELETE FROM cached_files WHERE conversation_id IN (:home, '')")
_REMOVE = "DELETE FROM cached_files WHERE attachment_id = ?"
_PER_STEP = 50


def put(
    connection: Connection, attachment_id: str, home: str, size_bytes: int, now_utc_ms: int
) -> None:
    """Note a file just written; `home` is its conversation, "" when that is not known."""
    values = {"id": attachment_id, "home": home, "size": size_bytes, "now": now_utc_ms}
    connection.execute(_PUT, values)


def used(connection: Connection, attachment_id: str, now_utc_ms: int) -> None:
    """Note that a file was opened."""
    connection.execute(_USED, {"id": attachment_id, "now": now_utc_ms})


def is_listed(connection: Connection, attachment_id: str) -> bool:
    """Tell whether a file may be there."""
    return connection.execute(_IS_LISTED, {"id": attachment_id}).scalar() is not None


def held_bytes(connection: Connection) -> int:
    """Return the size of all files together; nothing is added up for it."""
    return int(connection.execute(_HELD).scalar_one())


def trim(connection: Connection, limit_bytes: int) -> list[str]:
    """Take the longest unused off the list until the rest fits; return them."""
    gone: list[str] = []
    while (held := held_bytes(connection)) > limit_bytes:
        batch = []
        for attachment_id, size_bytes in connection.execute(_LONGEST_UNUSED, {"limit": _PER_STEP}):
            if held <= limit_bytes:
                break
            held -= int(size_bytes)
            batch.append(str(attachment_id))
        if not batch:
            break
        remove(connection, batch)
        gone += batch
    return gone


def remove(connection: Connection, attachment_ids: Iterable[str]) -> None:
    """Take files off the list."""
    rows = [(each,) for each in attachment_ids]
    if rows:
        connection.exec_driver_sql(_REMOVE, rows)


def page(connection: Connection, after: str, limit: int) -> list[str]:
    """Return the ids that follow `after` ("" begins)."""
    rows = connection.execute(_PAGE, {"after": after, "limit": limit}).scalars()
    return [str(each) for each in rows]


def forget_conversation(connection: Connection, conversation_id: str) -> None:
    """Take off the list what a conversation's messages held, and what nobody knows the home of.

    Also for one erased message: the others' files can be fetched again.
    """
    connection.execute(_OF_CONVERSATION, {"home": conversation_id})


def forget_all(connection: Connection) -> None:
    """Empty the list: messages are gone of which it is not known what they held."""
    connection.exec_driver_sql("DELETE FROM cached_files")
