"""Applies messages to the cache and its search index, by version and stream position.

It never commits and never brings back what was revoked or erased later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, text

from app.store.payloads import (
    decode_archive_ref,
    decode_message,
    encode,
    id_list,
)
from app.store.search_rows import is_found_alike, message_body
from app.store.sync_rows import SyncState
from contract.ids import ConversationId, MessageId
from contract.wire import Message, Origin

_EXISTING = text(
    "SELECT message_id, row_id, version, applied_seq, payload, conversation_row, generation"
    " FROM messages"
    " WHERE message_id IN (SELECT value FROM json_each(:ids))"
)
_FLOORS = text(
    "SELECT conversation_id, floor_at_utc_ms FROM conversations WHERE floor_at_utc_ms > 0"
    " AND conversation_id IN (SELECT value FROM json_each(:ids))"
)
_ROWS_OF_CONVERSATIONS = text(
    "SELECT conversation_id, row_id FROM conversations"
    " WHERE conversation_id IN (SELECT value FROM json_each(:ids))"
)
_ANY_SEAL = text("SELECT 1 FROM seals LIMIT 1")
_SEALS = text(
    "SELECT message_id, payload FROM seals WHERE message_id IN (SELECT value FROM json_each(:ids))"
)
_DROP_SEALS = text("DELETE FROM seals WHERE message_id IN (SELECT value FROM json_each(:ids))")
_INSERT = (
    "INSERT INTO messages (row_id, message_id, conversation_row, place_at_utc_ms, place_index,"
    " version, applied_seq, generation, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_UPDATE = (
    "UPDATE messages SET place_at_utc_ms = ?, place_index = ?, version = ?, applied_seq = ?,"
    " generation = ?, payload = ? WHERE row_id = ?"
)
_TOUCH = "UPDATE messages SET applied_seq = max(applied_seq, ?), generation = ? WHERE row_id = ?"
_INDEX = "INSERT INTO message_search (rowid, body) VALUES (?, ?)"
_UNINDEX = "DELETE FROM message_search WHERE rowid = ?"
_PLACEHOLDER = (
    "INSERT INTO conversations (conversation_id, version, applied_seq, generation, listed,"
    " channel, title, last_activity_utc_ms, unread, awaiting) VALUES (?, -1, 0, ?, 0, '', '',"
    " 0, 0, 0)"
)
Touched = dict[ConversationId, set[MessageId]]


class Arrival(NamedTuple):
    """A message with the stream position it came with (0: an answer to a call)."""

    message: Message
    seq: int


@dataclass(slots=True)
class _Rows:
    """Parameter rows collected for one batch."""

    inserted: list[tuple[Any, ...]]
    updated: list[tuple[Any, ...]]
    seen_again: list[tuple[Any, ...]]
    indexed: list[tuple[int, str]]
    unindexed: list[tuple[int]]


def apply_messages(
    connection: Connection,
    state: SyncState,
    arrivals: Iterable[Arrival],
    *,
    history_before_utc_ms: int = 0,
) -> tuple[SyncState, Touched]:
    """Apply arrivals that no tombstone forbids; return the new row-id ranges and what changed.

    Messages placed before `history_before_utc_ms` get row ids below all live ones (pages come
    newest first, rows inside a page are written in ascending place).
    """
    newest = _newest_of_each(arrivals)
    if not newest:
        return state, {}
    ids = id_list(newest)
    existing = {row[0]: row for row in connection.execute(_EXISTING, {"ids": ids})}
    newest = _with_seals(connection, newest, ids)
    rows = _Rows([], [], [], [], [])
    touched: Touched = {}
    fresh = [arrival for key, arrival in newest.items() if key not in existing]
    fresh = _above_floors(connection, fresh)
    for key, row in existing.items():
        if _replace(newest[key], row, state.generation, rows):
            message = newest[key].message
            touched.setdefault(message.conversation_id, set()).add(message.message_id)
    state = _insert(connection, state, fresh, history_before_utc_ms, rows)
    for arrival in fresh:
        message = arrival.message
        touched.setdefault(message.conversation_id, set()).add(message.message_id)
    _write(connection, rows)
    return state, touched


def _above_floors(connection: Connection, fresh: list[Arrival]) -> list[Arrival]:
    """Leave out what the stream tells of messages that were let go: the archive has them.

    Answers to calls (position 0) are taken: somebody asked for them.
    """
    homes = {each.message.conversation_id for each in fresh if each.seq}
    if not homes:
        return fresh
    found = connection.execute(_FLOORS, {"ids": id_list(homes)})
    floors = {str(row[0]): int(row[1]) for row in found}
    return [
        each
        for each in fresh
        if not each.seq
        or each.message.place_at_utc_ms >= floors.get(each.message.conversation_id, 0)
    ]


def conversation_rows(
    connection: Connection, ids: Collection[str], generation: int
) -> Mapping[str, int]:
    """Return row ids of conversations, with unlisted placeholders made for unknown ones."""
    bound = {"ids": id_list(ids)}
    found = {row[0]: int(row[1]) for row in connection.execute(_ROWS_OF_CONVERSATIONS, bound)}
    unknown = [(key, generation) for key in ids if key not in found]
    if unknown:
        connection.exec_driver_sql(_PLACEHOLDER, unknown)
        found = {row[0]: int(row[1]) for row in connection.execute(_ROWS_OF_CONVERSATIONS, bound)}
    return found


def _newest_of_each(arrivals: Iterable[Arrival]) -> dict[str, Arrival]:
    newest: dict[str, Arrival] = {}
    for arrival in arrivals:
        key = arrival.message.message_id
        known = newest.get(key)
        if known is None:
            newest[key] = arrival
            continue
        best = max(known, arrival, key=lambda each: each.message.version)
        newest[key] = Arrival(best.message, max(known.seq, arrival.seq))
    return newest


def _with_seals(connection: Connection, newest: dict[str, Arrival], ids: str) -> dict[str, Arrival]:
    """Add archive references that came earlier than their message; drop those now carried."""
    if connection.execute(_ANY_SEAL).scalar() is None:
        return newest
    seals = {row[0]: row[1] for row in connection.execute(_SEALS, {"ids": ids})}
    carried = []
    for key, payload in seals.items():
        arrival = newest[key]
        if arrival.message.archive is not None:
            carried.append(key)
            continue
        sealed = msgspec.structs.replace(arrival.message, archive=decode_archive_ref(payload))
        newest[key] = Arrival(sealed, arrival.seq)
    if carried:
        connection.execute(_DROP_SEALS, {"ids": id_list(carried)})
    return newest


def _replace(arrival: Arrival, row: Sequence[Any], generation: int, rows: _Rows) -> bool:
    """Collect what a known message needs; return True when its content changes."""
    _, row_id, version, applied_seq, payload, home, seen_in = row
    message = arrival.message
    seq = max(arrival.seq, applied_seq)
    if message.version <= version:
        if (seq, generation) != (applied_seq, seen_in):
            rows.seen_again.append((seq, generation, row_id))
        return False
    if not is_found_alike(decode_message(payload), message):
        rows.unindexed.append((row_id,))
        rows.indexed.append((row_id, message_body(message, home)))
    place = (message.place_at_utc_ms, message.place_index)
    rows.updated.append((*place, message.version, seq, generation, encode(message), row_id))
    return True


def _insert(
    connection: Connection,
    state: SyncState,
    fresh: list[Arrival],
    history_before_utc_ms: int,
    rows: _Rows,
) -> SyncState:
    """Collect rows for unknown messages and give them row ids by time."""
    if not fresh:
        return state
    fresh.sort(key=lambda each: (each.message.place_at_utc_ms, each.message.place_index))
    homes = conversation_rows(
        connection, {each.message.conversation_id for each in fresh}, state.generation
    )
    old = sum(each.message.place_at_utc_ms < history_before_utc_ms for each in fresh)
    live, imported = state.next_live_row, state.next_import_row
    lowest = state.next_history_row - old
    history = lowest
    for arrival in fresh:
        message = arrival.message
        if message.place_at_utc_ms < history_before_utc_ms:
            row_id = history = history + 1
        elif message.origin is Origin.IMPORTED:
            row_id, imported = imported, imported + 1
        else:
            row_id, live = live, live + 1
        place = (message.place_at_utc_ms, message.place_index)
        version = (message.version, arrival.seq, state.generation)
        home = homes[message.conversation_id]
        rows.inserted.append((row_id, message.message_id, home, *place, *version, encode(message)))
        rows.indexed.append((row_id, message_body(message, home)))
    return replace(state, next_live_row=live, next_import_row=imported, next_history_row=lowest)


def _write(connection: Connection, rows: _Rows) -> None:
    for sql, values in (
        (_INSERT, rows.inserted),
        (_UPDATE, rows.updated),
        (_TOUCH, rows.seen_again),
        (_UNINDEX, rows.unindexed),
        (_INDEX, rows.indexed),
    ):
        if values:
            connection.exec_driver_sql(sql, values)
