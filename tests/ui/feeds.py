"""Sources over plain lists, and a look, for the tests of presenters and views.

They hold no store and wait for nothing unless a test closes their gate.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Coroutine
from typing import Any

from app.domain.inbox import InboxCounts, InboxFilter, InboxKey, InboxPage, InboxQuery, InboxRow
from app.domain.timeline import MAX_WINDOW_ROWS, TimelineRow, TimelineWindow
from contract.ids import ConversationId, MessageId
from tests.ui.sample_rows import NOW_UTC_MS
from ui.models.timeline_merge import first_after


class StillClock:
    """A clock that stands until a test moves it."""

    def __init__(self, now_utc_ms: int = NOW_UTC_MS) -> None:
        self.utc_ms = now_utc_ms

    def now_utc_ms(self) -> int:
        return self.utc_ms

    def monotonic_s(self) -> float:
        return self.utc_ms / 1000


_waiting: deque[Coroutine[Any, Any, object]] = deque()


def run_now(work: Coroutine[Any, Any, object], name: str) -> None:
    """Run a presenter's reading to its end at once; one that it starts itself runs after it."""
    _waiting.append(work)
    if len(_waiting) == 1:
        try:
            while _waiting:
                asyncio.run(_finish(_waiting[0]))
                del _waiting[0]
        finally:
            while _waiting:
                _waiting.popleft().close()


async def _finish(work: Coroutine[Any, Any, object]) -> None:
    await work


class InboxFeed:
    """Pages of a list of rows; a closed `gate` holds answers back."""

    def __init__(self, rows: list[InboxRow]) -> None:
        self.all = rows
        self.gate: asyncio.Event | None = None
        self.asked: list[InboxQuery] = []
        self.read: list[tuple[ConversationId, ...]] = []

    async def page(self, query: InboxQuery, limit: int, after: InboxKey | None) -> InboxPage:
        self.asked.append(query)
        gate = self.gate
        rows = [row for row in self.all if _matches(row, query)]
        if gate is not None:
            await gate.wait()
        if after is not None:
            rows = [row for row in rows if _key(row) < after]
        rows.sort(key=_key, reverse=True)
        cut = rows[:limit]
        more = len(rows) > limit
        return InboxPage(tuple(cut), _key(cut[-1]) if more else None)

    async def keys(
        self, query: InboxQuery, limit: int, after: InboxKey | None
    ) -> tuple[InboxKey, ...]:
        found = [key for key in map(_key, self.all) if after is None or key < after]
        fitting = {_key(row) for row in self.all if _matches(row, query)}
        return tuple(sorted((key for key in found if key in fitting), reverse=True)[:limit])

    async def rows(self, conversation_ids: Collection[ConversationId]) -> tuple[InboxRow, ...]:
        self.read.append(tuple(conversation_ids))
        return tuple(r for r in self.all if r.conversation.conversation_id in conversation_ids)

    async def counts(self, now_utc_ms: int, expiring_before_utc_ms: int) -> InboxCounts:
        unread = sum(1 for row in self.all if row.conversation.unread_count)
        return InboxCounts(all=len(self.all), unread=unread, awaiting=0, expiring=2)


def _key(row: InboxRow) -> InboxKey:
    return InboxKey(row.conversation.last_activity_utc_ms, row.conversation.conversation_id)


def _matches(row: InboxRow, query: InboxQuery) -> bool:
    if query.channel is not None and row.conversation.channel is not query.channel:
        return False
    return query.filter is not InboxFilter.UNREAD or row.conversation.unread_count > 0


class TimelineFeed:
    """Windows over a list of rows in ascending order."""

    def __init__(self, rows: list[TimelineRow]) -> None:
        self.all = rows
        self.gate: asyncio.Event | None = None

    def _window(self, first: int, last: int) -> TimelineWindow:
        first, last = max(0, first), min(len(self.all), last)
        assert last - first <= MAX_WINDOW_ROWS
        rows = tuple(self.all[first:last])
        return TimelineWindow(ConversationId("c1"), rows, first > 0, last < len(self.all))

    def _place(self, message_id: MessageId) -> int:
        return next(i for i, row in enumerate(self.all) if row.message.message_id == message_id)

    async def around(
        self,
        conversation_id: ConversationId,
        anchor: MessageId | None = None,
        before: int = 60,
        after: int = 60,
    ) -> TimelineWindow:
        gate = self.gate
        if gate is not None:
            await gate.wait()
        if anchor is None:
            return self._window(len(self.all) - before, len(self.all))
        place = self._place(anchor)
        return self._window(place - before, place + after + 1)

    async def older(
        self, conversation_id: ConversationId, first: MessageId, limit: int = 60
    ) -> TimelineWindow:
        place = self._place(first)
        return self._window(place - limit, place)

    async def newer(
        self, conversation_id: ConversationId, last: MessageId, limit: int = 60
    ) -> TimelineWindow:
        place = self._place(last) + 1
        return self._window(place, place + limit)

    async def rows(
        self, conversation_id: ConversationId, message_ids: Collection[MessageId]
    ) -> tuple[TimelineRow, ...]:
        return tuple(row for row in self.all if row.message.message_id in message_ids)

    async def first_new(
        self, conversation_id: ConversationId, read_upto_utc_ms: int
    ) -> MessageId | None:
        return first_after(self.all, read_upto_utc_ms)

    async def first_from(self, conversation_id: ConversationId, at_utc_ms: int) -> MessageId | None:
        found = (row.message for row in self.all if row.message.place_at_utc_ms >= at_utc_ms)
        first = next(found, None)
        return None if first is None else first.message_id


class LongFeed(TimelineFeed):
    """A feed whose messages are found by id at once, however many there are."""

    def __init__(self, rows: list[TimelineRow]) -> None:
        super().__init__(list(rows))
        self._places = {row.message.message_id: place for place, row in enumerate(rows)}

    def add(self, row: TimelineRow) -> None:
        """Put a row at the end."""
        self._places[row.message.message_id] = len(self.all)
        self.all.append(row)

    def _place(self, message_id: MessageId) -> int:
        return self._places[message_id]

    async def rows(
        self, conversation_id: ConversationId, message_ids: Collection[MessageId]
    ) -> tuple[TimelineRow, ...]:
        return tuple(self.all[place] for place in sorted(map(self._place, message_ids)))
