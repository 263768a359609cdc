"""Owns what stands in the search indexes for a message and for a conversation.

It never searches and never commits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, text

from app.store.payloads import decode_contact, decode_message, searched_contact, searched_text
from contract.search_tags import tags_of
from contract.search_terms import indexed_text
from contract.wire import Message

# Messages from before the tags have them written in steps, from the newest downwards: this is the
# row below which none has them yet (version 2 of the cache).
TAGLESS_BELOW = "search_tagless_below"

# While a first sync fills in, and otherwise (FTS5's own choice).
FILLING_SEGMENTS = 8
USUAL_SEGMENTS = 4

_PUT_MARK = text(
    "INSERT INTO meta (key, value) VALUES (:key, :value)"
    " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
_GET_MARK = text("SELECT value FROM meta WHERE key = :key")
_DROP_MARK = text("DELETE FROM meta WHERE key = :key")
_HIGHEST = text("SELECT max(row_id) FROM messages")
_TAGLESS = text(
    "SELECT row_id, conversation_row, payload FROM messages WHERE row_id < :below"
    " ORDER BY row_id DESC LIMIT :limit"
)
_INDEX_TITLE = "INSERT INTO conversation_search (rowid, body) VALUES (?, ?)"
_INDEX_CONTACT = "INSERT INTO contact_search (rowid, body) VALUES (?, ?)"
_CONTACTS = text("SELECT row_id, payload FROM contacts")
_TITLES = text("SELECT row_id, title FROM conversations WHERE listed = 1")


def message_body(message: Message, conversation_row: int) -> str:
    """Return what the index holds for a message: its words, its files' names and its tags."""
    if message.deleted:
        return ""
    tags = tags_of(
        conversation_row,
        message.author_id,
        message.place_at_utc_ms,
        has_file=bool(message.attachments),
    )
    return indexed_text(searched_text(message)) + tags


def is_found_alike(one: Message, other: Message) -> bool:
    """Return True when two versions of a message have the same row in the index."""
    return (
        searched_text(one) == searched_text(other)
        and one.deleted == other.deleted
        and one.author_id == other.author_id
        and one.place_at_utc_ms == other.place_at_utc_ms
    )


def set_merging(connection: Connection, segments: int) -> None:
    """Let the messages' index hold so many parts of a size before it merges them.

    More of them make writing cheaper and finding dearer (https://sqlite.org/fts5.html#automerge).
    """
    sql = "INSERT INTO message_search (message_search, rank) VALUES ('automerge', ?)"
    connection.exec_driver_sql(sql, (segments,))


def put_title(connection: Connection, row_id: int, before: str, after: str) -> None:
    """Have a conversation found by another title; empty: it was, or is, not to be found."""
    if before == after:
        return
    if before:
        connection.exec_driver_sql("DELETE FROM conversation_search WHERE rowid = ?", (row_id,))
    if after:
        connection.exec_driver_sql(_INDEX_TITLE, (row_id, indexed_text(after)))


def index_titles(connection: Connection) -> None:
    """Fill the index of titles of a cache that had none."""
    rows = [(row[0], indexed_text(row[1])) for row in connection.execute(_TITLES)]
    if rows:
        connection.exec_driver_sql(_INDEX_TITLE, rows)


def index_contacts(connection: Connection) -> None:
    """Fill the empty index of people from the contacts there are."""
    rows = [
        (row[0], indexed_text(searched_contact(decode_contact(row[1]))))
        for row in connection.execute(_CONTACTS)
    ]
    if rows:
        connection.exec_driver_sql(_INDEX_CONTACT, rows)


def note_tagless(connection: Connection) -> None:
    """Note that the messages there are were indexed without tags."""
    highest = connection.execute(_HIGHEST).scalar()
    if highest is not None:
        _put_mark(connection, int(highest) + 1)


def tagless_below(connection: Connection) -> int | None:
    """Return the row below which messages have no tags yet, None when all have."""
    value = connection.execute(_GET_MARK, {"key": TAGLESS_BELOW}).scalar()
    return None if value is None else int(value)


def tag_some(connection: Connection, limit: int) -> bool:
    """Index the next `limit` tagless messages anew; return True when more are left."""
    below = tagless_below(connection)
    if below is None:
        return False
    rows = connection.execute(_TAGLESS, {"below": below, "limit": limit}).all()
    _index_again(connection, rows)
    if len(rows) < limit:
        connection.execute(_DROP_MARK, {"key": TAGLESS_BELOW})
        return False
    _put_mark(connection, int(rows[-1][0]))
    return True


def _index_again(connection: Connection, rows: Iterable[Any]) -> None:
    # Written upwards: rows of the index that descend cost more.
    bodies = sorted((row[0], message_body(decode_message(row[2]), row[1])) for row in rows)
    if bodies:
        gone = [(row_id,) for row_id, _ in bodies]
        connection.exec_driver_sql("DELETE FROM message_search WHERE rowid = ?", gone)
        connection.exec_driver_sql("INSERT INTO message_search (rowid, body) VALUES (?, ?)", bodies)


def _put_mark(connection: Connection, below: int) -> None:
    connection.execute(_PUT_MARK, {"key": TAGLESS_BELOW, "value": str(below).encode()})
