"""Keeps the inbox list and its counts true to the store, whatever filter is chosen.

It never shows a stale answer: each question carries a number, only the newest one's answer counts.
Nor does it read rows that are out of sight, but those that a change touched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Sequence
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
from ui.models.inbox_model import InboxModel, key_of
from ui.models.inbox_words import EXPIRING_WITHIN_MS

PAGE_ROWS = 100
KEYS_PER_READ = 2_000
# More conversations than this changed at once: their places are read in one go instead.
_MOST_TOUCHED = 200
# While changes pour in, the list is read anew at most this often.
_PAUSE_S = 0.05
_TICK_MS = 60_000

Spawn = Callable[[Coroutine[Any, Any, object], str], object]


class InboxSource(Protocol):
    """What the presenter reads; `Store.inbox` offers it."""

    async def page(self, query: InboxQuery, limit: int, after: InboxKey | None) -> InboxPage:
        """Return up to `limit` rows after `after`."""
        ...

    async def keys(
        self, query: InboxQuery, limit: int, after: InboxKey | None
    ) -> tuple[InboxKey, ...]:
        """Return the places of up to `limit` conversations after `after`."""
        ...

    async def rows(self, conversation_ids: Collection[ConversationId]) -> tuple[InboxRow, ...]:
        """Return the rows of those that are there, whatever the filter."""
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
        self._kept: ConversationId | None = None
        self._question = 0
        self._reading = False
        self._loading = False
        self._stale = False
        self._dirty: set[ConversationId] = set()
        self._counts: InboxCounts | None = None
        # Rows are asked for while they are painted: one turn later they are read together.
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.setInterval(0)
        self._turn.timeout.connect(self._load)
        self.model.lacking.connect(self._turn.start)
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MS)
        self._tick.timeout.connect(self.on_minute)

    def show_first(self, rows: Sequence[InboxRow], counts: InboxCounts) -> None:
        """Show what was kept for a start, until `start` reads what holds now."""
        self.is_loaded = True
        self.model.set_rows(rows)
        self._tell(counts)

    def start(self) -> None:
        """Read the first page and follow the clock."""
        self._tick.start()
        self.refresh()

    def stop(self) -> None:
        """Follow the clock no more; answers still under way are dropped."""
        self._tick.stop()
        self._turn.stop()
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

    def refresh(self) -> None:
        """Read all places, counts and the rows that show anew; readings under way go first."""
        self._stale = True
        self._read_soon()

    def on_changed(self, changes: ChangeSet) -> None:
        """Take a change set; only those that touch a conversation's row are read for."""
        touched = changes.touched() | changes.removed_conversations
        if changes.reset or len(touched) > _MOST_TOUCHED or (changes.outbox and not touched):
            self.refresh()
        elif touched:
            self._dirty |= touched
            self._read_soon()

    def on_minute(self) -> None:
        """Say times anew; windows may have begun to expire, so counts are read too."""
        self.model.set_now(self._clock.now_utc_ms())
        if self.query.filter is InboxFilter.EXPIRING:
            self.refresh()
        else:
            self._spawn(self._count(self._question), "inbox counts")

    # -- readings ------------------------------------------------------------------------------

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

    def _read_soon(self) -> None:
        """Run one reading at a time; what changes meanwhile is read for after it."""
        if not self._reading:
            self._reading = True
            self._spawn(self._read(), "inbox")

    async def _read(self) -> None:
        from asyncio import sleep

        try:
            while self._stale or self._dirty:
                question = self._question
                if self._stale or len(self._dirty) > _MOST_TOUCHED:
                    self._stale = False
                    self._dirty.clear()
                    await self._read_list(question)
                else:
                    touched = frozenset(self._dirty)
                    self._dirty.clear()
                    await self._read_touched(question, touched)
                if question == self._question and (self._stale or self._dirty):
                    await sleep(_PAUSE_S)
        finally:
            self._reading = False

    async def _read_list(self, question: int) -> None:
        query, first_time = self._timed(), not self.is_loaded
        page = await self._source.page(query, PAGE_ROWS, None)
        counts = await self._source.counts(query.now_utc_ms, query.expiring_before_utc_ms)
        if question != self._question:
            return
        keys = {key.conversation_id: key for key in map(key_of, page.rows)}
        after = page.next_key
        if first_time:
            # The first page shows at once; the places of the rest make the scroll bar honest.
            self.is_loaded = True
            self.model.list_keys(keys.values(), anew=True)
            self.model.put(page.rows)
            self._tell(counts)
        while after is not None:
            more = await self._source.keys(query, KEYS_PER_READ, after)
            if question != self._question:
                return
            keys |= {key.conversation_id: key for key in more}
            after = more[-1] if len(more) == KEYS_PER_READ else None
        kept = self._kept_key()
        if kept is not None:
            keys.setdefault(kept.conversation_id, kept)
        self.model.list_keys(keys.values())
        if not first_time:
            await self._read_shown(question, page.rows)
            self._tell(counts)

    async def _read_shown(self, question: int, known: Sequence[InboxRow]) -> None:
        """Take the rows of a page, and read those anew that were shown beyond it."""
        fresh = {row.conversation.conversation_id for row in known}
        shown = [one for one in self.model.shown(PAGE_ROWS) if one not in fresh]
        rows = await self._source.rows(shown) if shown else ()
        if question == self._question:
            self.model.forget_others((*fresh, *shown))
            self.model.put((*known, *rows))

    async def _read_touched(self, question: int, touched: frozenset[ConversationId]) -> None:
        query = self._timed()
        rows = await self._source.rows(touched)
        counts = await self._source.counts(query.now_utc_ms, query.expiring_before_utc_ms)
        if question != self._question:
            return
        listed = self.model.keys()
        fitting = [
            row
            for row in rows
            if _fits(row, query)
            or (row.conversation.conversation_id == self._kept and self._kept in listed)
        ]
        gone = touched - {row.conversation.conversation_id for row in fitting}
        self.model.put(fitting, [one for one in gone if one in listed])
        self._tell(counts)

    def _load(self) -> None:
        """Read rows that are shown and not loaded; those scrolled past meanwhile are left out."""
        if not self._loading:
            wanted = self.model.take_lacking(PAGE_ROWS)
            if wanted:
                self._loading = True
                self._spawn(self._load_rows(self._question, wanted), "inbox rows")

    async def _load_rows(self, question: int, wanted: Sequence[ConversationId]) -> None:
        try:
            rows = await self._source.rows(wanted)
            if question == self._question:
                listed = self.model.keys()
                self.model.put(r for r in rows if r.conversation.conversation_id in listed)
        finally:
            self._loading = False
        self._load()

    async def _count(self, question: int) -> None:
        query = self._timed()
        counts = await self._source.counts(query.now_utc_ms, query.expiring_before_utc_ms)
        if question == self._question:
            self._tell(counts)

    def _kept_key(self) -> InboxKey | None:
        return None if self._kept is None else self.model.keys().get(self._kept)

    def _tell(self, counts: InboxCounts) -> None:
        if counts != self._counts:
            self._counts = counts
            self.counts_changed.emit(counts)
        self.loaded.emit()


def _fits(row: InboxRow, query: InboxQuery) -> bool:
    """Tell whether the filter holds a row, as the store's conditions do."""
    talk = row.conversation
    if query.channel is not None and talk.channel is not query.channel:
        return False
    if query.filter is InboxFilter.UNREAD:
        return talk.unread_count > 0
    if query.filter is InboxFilter.AWAITING:
        return talk.awaiting
    if query.filter is InboxFilter.EXPIRING:
        closes = talk.window_closes_at_utc_ms
        return closes is not None and query.now_utc_ms < closes <= query.expiring_before_utc_ms
    return True
