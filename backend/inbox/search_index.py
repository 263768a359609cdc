"""Owns what the full-text index holds for each message, and how far the index has come.

It never searches. Rows are numbered by the archive's order of first versions, imported messages
below all others, so that the highest row is the newest message.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, text

from backend.inbox.rendering import message_attachments
from contract.search_tags import number_of, tags_of
from contract.search_terms import indexed_text
from contract.wire import Origin

LIVE_ROWS = 1 << 40
_CURSOR, _PURGE = "search_indexed_sequence", "search_purge_due"
_MERGE_PAGES = 64

_READ = text("SELECT value FROM properties WHERE name = :name")
_WRITE = text(
    "INSERT INTO properties (name, value) VALUES (:name, :value)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_NEW_ENTRIES = text(
    "SELECT sequence, message_id FROM archive_entries WHERE sequence > :after"
    " ORDER BY sequence LIMIT :most"
)
_LEFT = text("SELECT EXISTS (SELECT 1 FROM archive_entries WHERE sequence > :after)")
_MESSAGES = text(
    "SELECT m.message_id, m.conversation_id, m.author_id, m.text, m.place_at_utc_ms, m.origin,"
    " m.deleted, e.sequence, x.message_id IS NOT NULL FROM messages m"
    " JOIN message_versions v ON v.message_id = m.message_id AND v.n = 1"
    " JOIN archive_entries e ON e.entry_id = v.entry_id"
    " LEFT JOIN erased_messages x ON x.message_id = m.message_id"
    " WHERE m.message_id IN (SELECT value FROM json_each(:ids))"
)


def index_some(connection: Connection, most: int) -> bool:
    """Index the messages of the next `most` archive entries; returns whether more are left."""
    after = indexed_sequence(connection)
    entries = connection.execute(_NEW_ENTRIES, {"after": after, "most": most}).all()
    if not entries:
        return False
    index_messages(connection, [entry[1] for entry in entries if entry[1]])
    last = int(entries[-1][0])
    connection.execute(_WRITE, {"name": _CURSOR, "value": str(last)})
    return is_behind(connection)


def index_messages(connection: Connection, message_ids: Iterable[str]) -> None:
    """Write what is found of messages as they stand now; what was erased or deleted goes."""
    ids = list(dict.fromkeys(message_ids))
    bound = {"ids": json.dumps(ids)}
    rows = connection.execute(_MESSAGES, bound).all()
    files = message_attachments(connection, ids) if ids else {}
    bodies = sorted(
        (_row_of(row), _body(row, [file.name for file in files.get(row[0], ())])) for row in rows
    )
    if bodies:
        known = [(number,) for number, _ in bodies]
        connection.exec_driver_sql("DELETE FROM message_search WHERE rowid = ?", known)
    kept = [each for each in bodies if each[1]]
    if kept:
        connection.exec_driver_sql("INSERT INTO message_search (rowid, body) VALUES (?, ?)", kept)


def forget_message(connection: Connection, message_id: str) -> None:
    """Take an erased message out of the index, in the erasure's own transaction.

    Its words stay in the index's pages until these are merged: that is noted, and soon done.
    """
    index_messages(connection, [message_id])
    connection.execute(_WRITE, {"name": _PURGE, "value": "begin"})


def merge_some(connection: Connection) -> bool:
    """Merge a few pages of the index after an erasure; returns whether more are to be merged."""
    stage = connection.execute(_READ, {"name": _PURGE}).scalar()
    if not stage:
        return False
    # A negative number begins with all of the index, a positive one goes on with what was begun.
    pages = -_MERGE_PAGES if stage == "begin" else _MERGE_PAGES
    before = _changes(connection)
    connection.exec_driver_sql(
        "INSERT INTO message_search (message_search, rank) VALUES ('merge', ?)", (pages,)
    )
    # Fewer than two changed rows: there was nothing left to merge (SQLite, FTS5, section 6.6).
    is_done = stage != "begin" and _changes(connection) - before < 2
    connection.execute(_WRITE, {"name": _PURGE, "value": "" if is_done else "going on"})
    return not is_done


def is_merge_due(connection: Connection) -> bool:
    """Return True while an erasure's words may stand in the index's pages."""
    return bool(connection.execute(_READ, {"name": _PURGE}).scalar())


def indexed_sequence(connection: Connection) -> int:
    """Return the last archive entry whose message is in the index, -1 before the first."""
    value = connection.execute(_READ, {"name": _CURSOR}).scalar()
    return -1 if value is None else int(value)


def is_behind(connection: Connection) -> bool:
    """Return True while messages wait to be indexed."""
    after = indexed_sequence(connection)
    return bool(connection.execute(_LEFT, {"after": after}).scalar())


def _row_of(row: Sequence[Any]) -> int:
    return int(row[7]) + (0 if row[5] == Origin.IMPORTED.value else LIVE_ROWS)


def _body(row: Sequence[Any], files: Sequence[str]) -> str:
    _, home, author, words, at_utc_ms, _, deleted, _, erased = row
    if deleted or erased:
        return ""
    tags = tags_of(number_of(home), author, at_utc_ms, has_file=bool(files))
    return indexed_text("\n".join((words, *files))) + tags


def _changes(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT total_changes()").scalar_one())
