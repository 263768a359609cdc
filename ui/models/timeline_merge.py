"""Lays rows that were read anew into a window of a timeline, in the store's order.

It never reads anything and never guesses: where the order can't be told it says so.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence

from app.domain.timeline import TimelineRow, TimelineWindow
from contract.ids import MessageId
from contract.wire import Direction

Rows = tuple[TimelineRow, ...]


def merged(
    rows: Sequence[TimelineRow],
    fresh: Sequence[TimelineRow],
    touched: Collection[MessageId],
    *,
    has_older: bool,
    has_newer: bool,
) -> Rows | None:
    """Return `rows` with those `touched` as `fresh` has them; None when the order is not certain.

    A touched row that is not in `fresh` is gone. Rows placed beyond an end that has more behind
    it are left out: they come with their page.
    """
    known = {row.message.message_id: row for row in rows}
    read = {row.message.message_id: row for row in fresh}
    stay: list[TimelineRow] = []
    for row in rows:
        message_id = row.message.message_id
        again = row if message_id not in touched else read.get(message_id)
        if again is not None and _place(again) == _place(row):
            stay.append(again)
    new = [row for row in fresh if _moved(row, known.get(row.message.message_id))]
    if not new:
        return tuple(stay)
    if any(_is_waiting(row) and row.message.message_id in known for row in new):
        return None
    server = [row for row in stay if not _is_waiting(row)]
    waiting = [row for row in stay if _is_waiting(row)]
    if not _inserted(server, [row for row in new if not _is_waiting(row)], has_older, has_newer):
        return None
    if not has_newer:
        waiting += [row for row in new if _is_waiting(row)]
    return (*server, *waiting)


def joined(before: Sequence[TimelineRow], after: Sequence[TimelineRow]) -> Rows:
    """Return two pages that follow each other as one; the second one's rows hold."""
    known = {row.message.message_id for row in after}
    return (*(row for row in before if row.message.message_id not in known), *after)


def first_after(rows: Sequence[TimelineRow], read_upto_utc_ms: int) -> MessageId | None:
    """Return the first client message placed after a moment, None without one."""
    for row in rows:
        message = row.message
        if message.direction is Direction.IN and message.place_at_utc_ms > read_upto_utc_ms:
            return message.message_id
    return None


def begins_new(window: TimelineWindow, read_upto_utc_ms: int | None) -> bool:
    """Tell whether the first new message may lie before a window."""
    if read_upto_utc_ms is None or not window.has_older or not window.rows:
        return False
    return window.rows[0].message.place_at_utc_ms > read_upto_utc_ms


def _inserted(
    server: list[TimelineRow], new: Sequence[TimelineRow], has_older: bool, has_newer: bool
) -> bool:
    """Put `new` into `server` by place; False when two rows stand at one place."""
    places = [_place(row) for row in server]
    for row in new:
        place = _place(row)
        at = bisect_left(places, place)
        if at < len(places) and places[at] == place:
            return False
        if (at == 0 and has_older) or (at == len(places) and has_newer):
            continue
        places.insert(at, place)
        server.insert(at, row)
    return True


def _moved(row: TimelineRow, before: TimelineRow | None) -> bool:
    return before is None or _place(row) != _place(before)


def _is_waiting(row: TimelineRow) -> bool:
    """Tell whether the server does not know the row yet: such rows stand behind all others."""
    return row.message.version == 0


def _place(row: TimelineRow) -> tuple[bool, int, int]:
    message = row.message
    waiting = _is_waiting(row)
    return waiting, message.place_at_utc_ms, 0 if waiting else message.place_index
