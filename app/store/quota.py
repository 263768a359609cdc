"""Lets the oldest messages of the cache go, some at a time; the archive keeps every one.

It never touches conversations, people, drafts or submissions, and it never commits.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from app.store.payloads import id_list
from app.store.purges import delete_messages

# What a conversation shows at once stays, so that opening one never waits for the line.
KEPT_NEWEST = 20
_SPAN_MS = 86_400_000
_HOMES_PER_READ = 500

_HOMES = text(
    "SELECT row_id, (SELECT min(place_at_utc_ms) FROM messages WHERE conversation_row ="
    " conversations.row_id) FROM conversations WHERE row_id > :after ORDER BY row_id LIMIT :limit"
)
_NEWEST_KEPT = text(
    "SELECT place_at_utc_ms FROM messages WHERE conversation_row = :home"
    " ORDER BY place_at_utc_ms DESC, place_index DESC LIMIT 1 OFFSET :kept"
)
_NEXT_OLDEST = text(
    "SELECT place_at_utc_ms FROM messages WHERE conversation_row = :home"
    " ORDER BY place_at_utc_ms, place_index LIMIT 1 OFFSET :skipped"
)
_OLDER_THAN = text(
    "SELECT row_id FROM messages WHERE conversation_row = :home AND place_at_utc_ms < :edge"
)
_RAISE_FLOOR = text(
    "UPDATE conversations SET floor_at_utc_ms = max(floor_at_utc_ms, :edge) WHERE row_id = :home"
)
_PLACES = text(
    "SELECT conversation_row, place_at_utc_ms FROM messages"
    " WHERE message_id IN (SELECT value FROM json_each(:ids))"
)


@dataclass(frozen=True, slots=True)
class Oldest:
    """The place of a conversation's oldest message; sorts by it."""

    at_utc_ms: int
    home: int

    def __lt__(self, other: Oldest) -> bool:
        return self.at_utc_ms < other.at_utc_ms


def oldest_of_each(connection: Connection, after: int) -> tuple[list[Oldest], int | None]:
    """Return the oldest places of the next conversations by row, and where to go on (None: end)."""
    rows = connection.execute(_HOMES, {"after": after, "limit": _HOMES_PER_READ}).all()
    found = [Oldest(int(row[1]), int(row[0])) for row in rows if row[1] is not None]
    return found, int(rows[-1][0]) if len(rows) == _HOMES_PER_READ else None


def needed_places(connection: Connection, message_ids: Iterable[str]) -> dict[int, int]:
    """Return from which place on each conversation is needed by submissions of this computer."""
    needed: dict[int, int] = {}
    for home, at_utc_ms in connection.execute(_PLACES, {"ids": id_list(message_ids)}):
        needed[int(home)] = min(int(at_utc_ms), needed.get(int(home), int(at_utc_ms)))
    return needed


class LettingGo:
    """Takes the oldest day of messages again and again, over all conversations."""

    def __init__(self, oldest: Iterable[Oldest], needed: Mapping[int, int]) -> None:
        """`needed` tells from which place on a conversation must be left as it is."""
        self._heap = list(oldest)
        heapq.heapify(self._heap)
        self._needed = needed

    @property
    def is_done(self) -> bool:
        """Tell whether nothing is left that may go."""
        return not self._heap

    def step(self, connection: Connection, most: int) -> int:
        """Delete about `most` of the oldest messages with their index rows; return how many."""
        gone = 0
        while self._heap and gone < most:
            oldest = heapq.heappop(self._heap)
            following = self._heap[0].at_utc_ms if self._heap else oldest.at_utc_ms
            edge = self._edge(connection, oldest.home, following + _SPAN_MS, most - gone)
            if edge <= oldest.at_utc_ms:
                continue  # what is left of this one is kept
            bound = {"home": oldest.home, "edge": edge}
            rows = [int(row[0]) for row in connection.execute(_OLDER_THAN, bound)]
            delete_messages(connection, rows)
            connection.execute(_RAISE_FLOOR, bound)
            gone += len(rows)
            left = connection.execute(_NEXT_OLDEST, {"home": oldest.home, "skipped": 0}).scalar()
            if left is not None:
                heapq.heappush(self._heap, Oldest(int(left), oldest.home))
        return gone

    def _edge(self, connection: Connection, home: int, before: int, most: int) -> int:
        """Return the place from which on this conversation's messages stay in this step."""
        kept = connection.execute(_NEWEST_KEPT, {"home": home, "kept": KEPT_NEWEST - 1}).scalar()
        if kept is None:
            return 0
        edge = min(before, int(kept), self._needed.get(home, before))
        last = connection.execute(_NEXT_OLDEST, {"home": home, "skipped": most}).scalar()
        # Messages of one moment go together: the floor lies between moments.
        return edge if last is None else min(edge, int(last) + 1)
