"""Keeps the inbox list and its counts true to the store, whatever filter is chosen.

It never shows a stale answer: each question carries a number, only the newest one's answer counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.changes import ChangeSet
from app.domain.clock import Clock
from app.domain.inbox import (
    InboxCounts,
    InboxFilter,
    InboxKey,
    InboxPage,
    InboxQuery,
    InboxRow,
)
from contract.ids import ConversationId
from contract.wire import Channel
from ui.models.inbox_model import InboxModel
from ui.models.inbox_words import EXPIRING_WITHIN_MS

PAGE_ROWS = 100
_MAX_PAGE_ROWS = 500
# While changes pour in, the list is read anew at most this often.
_PAUSE_S = 0.05
_TICK_MS = 60_000

Spawn = Callable[[Coroutine[Any, Any, object], str], object]


class InboxSource(Protocol):
    """What the presenter reads; `Store.inbox` offers it."""

    async def page(self, query: InboxQuery, limit: int, after: InboxKey | None) -> InboxPage:
        """Return up to `limit` rows after `after`."""
        ...

    async def row(self, conversation_id: ConversationId) -> InboxRow | None:
        """Return one row whatever the filter."""
        ...

    async def counts(self, now_utc_ms: int, expiring_before_utc_ms: int) -> InboxCounts:
        """Return how many conversations each filter holds."""
        ...


class InboxPresenter(QObject):
    """Owns the model; call `start` once the store is open, `on_changed` for each change set."""

    counts_changed = Signal(object)
    query_changed = Signal(object)
    loaded = Signal()

    def __init__(
        self, source: InboxSource, clock: Clock, spawn: Spawn, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._source = source
        self._clock = clock
        self._spawn = spawn
        self.model = InboxModel(clock.now_utc_ms(), parent=self)
        self.query = InboxQuery()
        self.is_loaded = False
        self._next: InboxKey | None = None
        self._kept: ConversationId | None = None
        self._question = 0
        self._reading = False
        self._dirty = False
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MS)
        self._tick.timeout.connect(self.on_minute)

    def start(self) -> None:
        """Read the first page and follow the clock."""
        self._tick.start()
        self.refresh()

    def stop(self) -> None:
        """Follow the clock no more; answers still under way are dropped."""
        self._tick.stop()
        self._question += 1

    def set_filter(self, wanted: InboxFilter) -> None:
        """Show another of the four filters."""
        if wanted is not self.query.filter:
            self._ask(replace(self.query, filter=wanted))

    def set_channel(self, channel: Channel | None) -> None:
        """Show one channel only, all with None."""
        if channel is not self.query.channel:
            self._ask(replace(self.query, channel=channel))

    def keep(self, conversation_id: ConversationId | None) -> None:
        """Leave the open conversation in the list even when the filter no longer holds it."""
        self._kept = conversation_id

    def has_more(self) -> bool:
        """Return True while older conversations are not in the list yet."""
        return self._next is not None

    def load_more(self) -> None:
        """Read the next page, when there is one and nothing is being read."""
        if self._next is not None and not self._reading:
            self._reading = True
            self._spawn(self._read_more(self._question, self._next), "inbox page")

    def refresh(self) -> None:
        """Read what is shown anew; while a reading runs, one more follows it."""
        if self._reading:
            self._dirty = True
            return
        self._reading = True
        self._spawn(self._read_all(), "inbox refresh")

    def on_changed(self, changes: ChangeSet) -> None:
        """Take a change set; only those that touch a conversation's row are read for."""
        if changes.reset or changes.touched() or changes.removed_conversations or changes.outbox:
            self.refresh()

    def on_minute(self) -> None:
        """Say times anew; windows may have begun to expire, so counts are read too."""
        self.model.set_now(self._clock.now_utc_ms())
        self.refresh()

    def _ask(self, query: InboxQuery) -> None:
        self.query = query
        self._kept = None
        self._question += 1
        self.is_loaded = False
        self.query_changed.emit(query)
        self.refresh()

    def _timed(self) -> InboxQuery:
        now = self._clock.now_utc_ms()
        return replace(self.query, now_utc_ms=now, expiring_before_utc_ms=now + EXPIRING_WITHIN_MS)

    async def _read_all(self) -> None:
        try:
            while True:
                self._dirty = False
                question = self._question
                await self._read_once(question)
                if not self._dirty:
                    return
                if question == self._question:
                    await asyncio.sleep(_PAUSE_S)
        finally:
            self._reading = False

    async def _read_once(self, question: int) -> None:
        query = self._timed()
        wanted = max(PAGE_ROWS, len(self.model.rows())) if self.is_loaded else PAGE_ROWS
        found: dict[ConversationId, InboxRow] = {}
        after: InboxKey | None = None
        while len(found) < wanted:
            page = await self._source.page(query, min(wanted, _MAX_PAGE_ROWS), after)
            found |= {row.conversation.conversation_id: row for row in page.rows}
            after = page.next_key
            if after is None or question != self._question:
                break
        rows = sorted(found.values(), key=_sort_key, reverse=True)
        counts = await self._source.counts(query.now_utc_ms, query.expiring_before_utc_ms)
        kept = await self._kept_row(rows)
        if question != self._question:
            return
        if kept is not None and (after is None or _sort_key(kept) > _sort_key(rows[-1])):
            rows = sorted([*rows, kept], key=_sort_key, reverse=True)
        self._show(rows, after, counts)

    async def _kept_row(self, rows: list[InboxRow]) -> InboxRow | None:
        kept = self._kept
        if kept is None or self.model.number_of(kept) < 0:
            return None
        if any(row.conversation.conversation_id == kept for row in rows):
            return None
        return await self._source.row(kept)

    async def _read_more(self, question: int, after: InboxKey) -> None:
        try:
            page = await self._source.page(self._timed(), PAGE_ROWS, after)
            if question == self._question:
                known = {row.conversation.conversation_id for row in self.model.rows()}
                fresh = [r for r in page.rows if r.conversation.conversation_id not in known]
                self._next = page.next_key
                self.model.set_rows([*self.model.rows(), *fresh])
        finally:
            self._reading = False
        if self._dirty:
            self.refresh()

    def _show(self, rows: list[InboxRow], after: InboxKey | None, counts: InboxCounts) -> None:
        self._next = after
        self.is_loaded = True
        self.model.set_now(self._clock.now_utc_ms())
        self.model.set_rows(rows)
        self.counts_changed.emit(counts)
        self.loaded.emit()


def _sort_key(row: InboxRow) -> tuple[int, str]:
    talk = row.conversation
    return talk.last_activity_utc_ms, talk.conversation_id
