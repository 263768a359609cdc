"""The triggers that keep the table of lanes true to the outbox's rows, and its count from them.

It never reads a text, and no code beside it writes that table.

The triggers belong to the writer's connection, not to the file: a file's schema is what damage
must hit last, so it stays short.
"""

from __future__ import annotations

from sqlalchemy import Connection

_OPEN = "state IN ('undo', 'queued', 'sending')"
# What is being sent is not due; a lane without open entries has no head.
_DUE = (
    "(SELECT CASE state WHEN 'undo' THEN undo_until_utc_ms WHEN 'queued' THEN next_attempt_utc_ms"
    " END FROM outbox WHERE position = lanes.head)"
)


def _trigger(name: str, when: str, row: str, steps: tuple[str, ...]) -> str:
    """Return a trigger that takes its steps, finds the lane's head anew and drops an empty lane."""
    here = f"conversation_id = {row}.conversation_id"
    head = f"(SELECT min(position) FROM outbox WHERE {here} AND {_OPEN})"  # noqa: S608 -- constants
    body = (
        *steps,
        f"UPDATE lanes SET head = {head} WHERE {here}",  # noqa: S608 -- constants
        f"UPDATE lanes SET due_utc_ms = {_DUE} WHERE {here}",  # noqa: S608 -- constants
        f"DELETE FROM lanes WHERE {here} AND waiting_count = 0 AND refused_count = 0",  # noqa: S608 -- constants
    )
    lines = "; ".join(body)
    return f"CREATE TEMP TRIGGER {name} {when} ON outbox BEGIN {lines}; END"


def _count(row: str, sign: str) -> str:
    return (
        f"UPDATE lanes SET waiting_count = waiting_count {sign} ({row}.{_OPEN}),"  # noqa: S608 -- constants
        f" refused_count = refused_count {sign} ({row}.state = 'refused')"
        f" WHERE conversation_id = {row}.conversation_id"
    )


_MAKE = "INSERT OR IGNORE INTO lanes VALUES (new.conversation_id, 0, 0, NULL, NULL)"
_TRIGGERS = (
    _trigger("lane_entry_added", "AFTER INSERT", "new", (_MAKE, _count("new", "+"))),
    _trigger(
        "lane_entry_changed",
        "AFTER UPDATE OF state, undo_until_utc_ms, next_attempt_utc_ms",
        "new",
        (_MAKE, _count("old", "-"), _count("new", "+")),
    ),
    _trigger("lane_entry_removed", "AFTER DELETE", "old", (_count("old", "-"),)),
)


_COUNTED = (
    f"SELECT conversation_id, waiting_count, refused_count, head, {_DUE} FROM"  # noqa: S608 -- constants
    " (SELECT conversation_id, count(*) FILTER (WHERE open) AS waiting_count,"
    " count(*) FILTER (WHERE refused) AS refused_count, min(position) FILTER (WHERE open) AS head"
    f" FROM (SELECT conversation_id, position, {_OPEN} AS open, state = 'refused' AS refused"
    " FROM outbox INDEXED BY outbox_by_conversation"
    " WHERE state IN ('undo', 'queued', 'sending', 'refused')) GROUP BY conversation_id) AS lanes"
)
_WRONG = (
    f"SELECT EXISTS (SELECT * FROM lanes EXCEPT {_COUNTED})"  # noqa: S608 -- constants
    f" OR EXISTS ({_COUNTED} EXCEPT SELECT * FROM lanes)"
)


def keep_lanes(connection: Connection) -> None:
    """Have the table of lanes right, and keep it true to what this connection writes.

    It looks at all entries, in an index alone, and writes only where the table was wrong.
    """
    with connection.begin():
        if connection.exec_driver_sql(_WRONG).scalar_one():
            connection.exec_driver_sql("DELETE FROM lanes")
            connection.exec_driver_sql(f"INSERT INTO lanes {_COUNTED}")
        for trigger in _TRIGGERS:
            connection.exec_driver_sql(trigger)
