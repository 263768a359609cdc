"""Keeps the open conversation's window true to the store, paging both ways within its bound.

It never shows an answer that belongs to a conversation or place left meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.changes import ChangeSet
from app.domain.clock import Clock
from app.domain.timeline import MAX_WINDOW_ROWS, TimelineRow, TimelineWindow
from contract.ids import ConversationId, MessageId
from contract.wire import Direction
from ui.models.message_words import short_name
from ui.models.timeline_model import TimelineModel

PAGE_ROWS = 60
# What a conversation opens with: enough for a tall window, quick to measure.
FIRST_ROWS = 40
_PAUSE_S = 0.03
_COUNTDOWN_MS = 250
_TICK_MS = 60_000

Spawn = Callable[[Coroutine[Any, Any, object], str], object]


class TimelineSource(Protocol):
    """What the presenter reads; `Store.timeline` offers it."""

    async def around(
        self,
        conversation_id: ConversationId,
        anchor: MessageId | None = None,
        before: int = PAGE_ROWS,
        after: int = PAGE_ROWS,
    ) -> TimelineWindow:
        """Return the rows around `anchor`; None asks for the newest."""
        ...

    async def older(
        self, conversation_id: ConversationId, first: MessageId, limit: int = PAGE_ROWS
    ) -> TimelineWindow:
        """Return the rows just before `first`."""
        ...

    async def newer(
        self, conversation_id: ConversationId, last: MessageId, limit: int = PAGE_ROWS
    ) -> TimelineWindow:
        """Return the rows just after `last`."""
        ...

    async def rows(
        self, conversation_id: ConversationId, message_ids: Collection[MessageId]
    ) -> tuple[TimelineRow, ...]:
        """Return those of the rows that are there."""
        ...


class TimelinePresenter(QObject):
    """Owns the model; `opened` follows each newly shown conversation, `found` each jump."""

    opened = Signal(str)
    found = Signal(str)
    window_changed = Signal()

    def __init__(
        self, source: TimelineSource, clock: Clock, spawn: Spawn, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._source = source
        self._clock = clock
        self._spawn = spawn
        self.model = TimelineModel(self)
        self.conversation_id: ConversationId | None = None
        self.has_older = False
        self.has_newer = False
        self._rows: tuple[TimelineRow, ...] = ()
        self._first_new: MessageId | None = None
        self._visit = 0
        self._busy = False
        self._dirty: set[MessageId] = set()
        self._dirty_all = False
        self._countdown = QTimer(self)
        self._countdown.setInterval(_COUNTDOWN_MS)
        self._countdown.timeout.connect(self._on_countdown)
        self._minute = QTimer(self)
        self._minute.setInterval(_TICK_MS)
        self._minute.timeout.connect(self._show)

    def open(
        self,
        conversation_id: ConversationId,
        title: str,
        *,
        group: bool = False,
        anchor: MessageId | None = None,
        read_upto_utc_ms: int | None = None,
    ) -> None:
        """Show another conversation, at its newest rows or around `anchor`.

        `read_upto_utc_ms` puts the mark above the first client message placed after it.
        """
        self.close()
        self.conversation_id = conversation_id
        self.model.setting = replace(
            self.model.setting,
            client_name=title if group else short_name(title),
            group=group,
            now_utc_ms=self._clock.now_utc_ms(),
        )
        self._busy = True
        self._spawn(self._open(self._visit, conversation_id, anchor, read_upto_utc_ms), "timeline")
        self._minute.start()

    def close(self) -> None:
        """Show nothing; answers under way are dropped and timers rest."""
        self._visit += 1
        self.conversation_id = None
        self._rows, self._first_new = (), None
        self.has_older = self.has_newer = False
        self._busy, self._dirty_all = False, False
        self._dirty.clear()
        self._countdown.stop()
        self._minute.stop()
        self.model.show_window((), self.model.setting)

    def load_older(self) -> None:
        """Read the page before the first row, when there is one and nothing is being read."""
        if self.has_older and self._rows:
            self._start(self._page(self._visit, older=True), "older messages")

    def load_newer(self) -> None:
        """Read the page after the last row, when there is one and nothing is being read."""
        if self.has_newer and self._rows:
            self._start(self._page(self._visit, older=False), "newer messages")

    def jump_to(self, message_id: MessageId) -> None:
        """Bring a message into the window; `found` follows when it is there."""
        if self.model.number_of_message(message_id) >= 0:
            self.found.emit(message_id)
        elif self.conversation_id is not None:
            self._visit += 1
            self._busy = True
            self._spawn(self._jump(self._visit, message_id), "jump to message")

    def jump_to_newest(self) -> None:
        """Bring the newest rows into the window."""
        if self.conversation_id is not None and self.has_newer:
            self._visit += 1
            self._busy = True
            self._spawn(self._jump(self._visit, None), "newest messages")

    def on_changed(self, changes: ChangeSet) -> None:
        """Take a change set; what it says of other conversations is ignored."""
        if self.conversation_id is None:
            return
        if changes.reset or self.conversation_id in changes.removed_conversations:
            self._dirty_all = True
        touched = changes.messages.get(self.conversation_id, frozenset())
        self._dirty |= touched
        if touched or self._dirty_all:
            self._start(self._catch_up(self._visit), "timeline changes")

    def set_online(self, online: bool, *, paused: bool = False) -> None:
        """Say what waits as the connection and the archive's alarm have it."""
        self.model.set_online(online, paused=paused)

    def set_me(self, employee_id: str, display_name: str) -> None:
        """Tell the user's own messages from colleagues' from now on."""
        setting = replace(self.model.setting, me_id=employee_id, me_name=display_name)
        if setting == self.model.setting:
            return
        self.model.show_window(self._rows, setting, self._first_new)

    def message(self, message_id: MessageId) -> TimelineRow | None:
        """Return a message of the window, None when it is not in it."""
        return next((row for row in self._rows if row.message.message_id == message_id), None)

    # -- readings ------------------------------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run one reading at a time; changes that come meanwhile are read for after it."""
        if self._busy:
            work.close()
            return
        self._busy = True
        self._spawn(work, name)

    async def _open(
        self,
        visit: int,
        conversation_id: ConversationId,
        anchor: MessageId | None,
        read_upto_utc_ms: int | None,
    ) -> None:
        try:
            window = await self._source.around(conversation_id, anchor, FIRST_ROWS, FIRST_ROWS)
            if visit != self._visit:
                return
            if read_upto_utc_ms is not None:
                self._first_new = _first_after(window.rows, read_upto_utc_ms)
            self._take(window.rows, window.has_older, window.has_newer)
            self.opened.emit(conversation_id)
            if anchor is not None and self.model.number_of_message(anchor) >= 0:
                self.found.emit(anchor)
        finally:
            self._release(visit)

    async def _page(self, visit: int, *, older: bool) -> None:
        try:
            conversation = self.conversation_id
            if conversation is None:
                return
            if older:
                edge = self._rows[0].message.message_id
                window = await self._source.older(conversation, edge, PAGE_ROWS)
                if visit == self._visit:
                    rows = _joined(window.rows, self._rows)
                    cut = rows[:MAX_WINDOW_ROWS]
                    self._take(cut, window.has_older, self.has_newer or len(cut) < len(rows))
            else:
                edge = self._rows[-1].message.message_id
                window = await self._source.newer(conversation, edge, PAGE_ROWS)
                if visit == self._visit:
                    rows = _joined(self._rows, window.rows)
                    cut = rows[-MAX_WINDOW_ROWS:]
                    self._take(cut, self.has_older or len(cut) < len(rows), window.has_newer)
        finally:
            self._release(visit)

    async def _jump(self, visit: int, anchor: MessageId | None) -> None:
        try:
            conversation = self.conversation_id
            if conversation is None:
                return
            window = await self._source.around(conversation, anchor, PAGE_ROWS, PAGE_ROWS)
            if visit == self._visit:
                self._take(window.rows, window.has_older, window.has_newer)
                wanted = anchor or (window.rows[-1].message.message_id if window.rows else None)
                if wanted is not None and self.model.number_of_message(wanted) >= 0:
                    self.found.emit(wanted)
        finally:
            self._release(visit)

    async def _catch_up(self, visit: int) -> None:
        try:
            while (self._dirty or self._dirty_all) and visit == self._visit:
                touched, everything = frozenset(self._dirty), self._dirty_all
                self._dirty.clear()
                self._dirty_all = False
                await self._reread(visit, touched, everything)
                if self._dirty:
                    await asyncio.sleep(_PAUSE_S)
        finally:
            self._release(visit)

    async def _reread(self, visit: int, touched: frozenset[MessageId], everything: bool) -> None:
        conversation = self.conversation_id
        if conversation is None:
            return
        if self.has_newer and not everything:
            known = {row.message.message_id for row in self._rows} & touched
            found = await self._source.rows(conversation, known)
            if visit == self._visit:
                by_id = {row.message.message_id: row for row in found}
                rows = tuple(
                    by_id.get(row.message.message_id, row)
                    for row in self._rows
                    if row.message.message_id not in known or row.message.message_id in by_id
                )
                self._take(rows, self.has_older, True)
            return
        wanted = min(max(PAGE_ROWS, len(self._rows) + len(touched)), MAX_WINDOW_ROWS)
        window = await self._source.around(conversation, None, wanted, 0)
        if visit == self._visit:
            self._take(window.rows, window.has_older, window.has_newer)

    def _release(self, visit: int) -> None:
        if visit != self._visit:
            return
        self._busy = False
        if self._dirty or self._dirty_all:
            self._start(self._catch_up(visit), "timeline changes")
        self.window_changed.emit()

    # -- showing -------------------------------------------------------------------------------

    def _take(self, rows: Sequence[TimelineRow], has_older: bool, has_newer: bool) -> None:
        self._rows = tuple(rows)
        self.has_older, self.has_newer = has_older, has_newer
        self._show()

    def _show(self) -> None:
        now = self._clock.now_utc_ms()
        setting = replace(self.model.setting, now_utc_ms=now)
        self.model.show_window(self._rows, setting, self._first_new)
        if self.model.counting_until_utc_ms() > now:
            self._countdown.start()

    def _on_countdown(self) -> None:
        now = self._clock.now_utc_ms()
        self.model.set_now(now)
        if self.model.counting_until_utc_ms() <= now:
            self._countdown.stop()


def _first_after(rows: Sequence[TimelineRow], read_upto_utc_ms: int) -> MessageId | None:
    for row in rows:
        message = row.message
        if message.direction is Direction.IN and message.place_at_utc_ms > read_upto_utc_ms:
            return message.message_id
    return None


def _joined(before: Sequence[TimelineRow], after: Sequence[TimelineRow]) -> tuple[TimelineRow, ...]:
    known = {row.message.message_id for row in after}
    return (*(row for row in before if row.message.message_id not in known), *after)
