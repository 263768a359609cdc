"""Keeps the open conversation's window true to the store, paging both ways within its bound.

It never shows an answer that belongs to a conversation or place left meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.changes import ChangeSet
from app.domain.clock import Clock
from app.domain.timeline import MAX_WINDOW_ROWS, TimelineRow, TimelineWindow
from contract.ids import ConversationId, MessageId
from ui.models.message_words import Setting, short_name
from ui.models.timeline_merge import begins_new, first_after, joined, merged
from ui.models.timeline_model import TimelineModel
from ui.models.timeline_source import PAGE_ROWS, WINDOW_ROWS, TimelineSource

# What a conversation opens with: enough for a tall window, quick to measure.
FIRST_ROWS = 40
# Read rows shown above the first new message, when that one is far up.
_READ_ROWS = 8
# What a window that follows the newest messages is cut to before it gets too long.
_FOLLOWED_ROWS = 160
# A conversation whose rows have not come by then is shown empty until they do.
_BLANK_AFTER_MS = 150
_PAUSE_S = 0.03
_COUNTDOWN_MS = 250
_TICK_MS = 60_000

Spawn = Callable[[Coroutine[Any, Any, object], str], object]


class TimelinePresenter(QObject):
    """Owns the model; `opening` comes before the rows of a newly shown conversation are in it,
    `opened` after that, `found` follows each jump."""

    opening = Signal()
    opened = Signal(str)
    found = Signal(str)
    window_changed = Signal()
    start_reached = Signal(str)

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
        # Whether the view shows the newest row, so that a long window may lose its oldest.
        self.follows = True
        self._rows: tuple[TimelineRow, ...] = ()
        self._first_new: MessageId | None = None
        self._visit = 0
        self._busy = False
        self._dirty: set[MessageId] = set()
        self._dirty_all = False
        self._end_rest: Callable[[], None] | None = None
        self._countdown = QTimer(self)
        self._countdown.setInterval(_COUNTDOWN_MS)
        self._countdown.timeout.connect(self._on_countdown)
        self._blank = QTimer(self)
        self._blank.setSingleShot(True)
        self._blank.setInterval(_BLANK_AFTER_MS)
        self._blank.timeout.connect(self._show_nothing)
        self._minute = QTimer(self)
        self._minute.setInterval(_TICK_MS)
        self._minute.timeout.connect(self._show)

    def begin(self, conversation_id: ConversationId) -> None:
        """Leave what is shown for another conversation, whose rows `open` will show."""
        self._leave()
        self.conversation_id = conversation_id
        self._busy = True
        # What stands there gives way to the new rows at once, to nothing when they take long.
        self._blank.start()

    async def read(
        self, conversation_id: ConversationId, anchor: MessageId | None = None
    ) -> TimelineWindow:
        """Read what a conversation opens with: its newest rows or those around `anchor`."""
        return await self._source.around(conversation_id, anchor, FIRST_ROWS, FIRST_ROWS)

    def open(
        self,
        conversation_id: ConversationId,
        title: str,
        *,
        group: bool = False,
        anchor: MessageId | None = None,
        read_upto_utc_ms: int | None = None,
        window: TimelineWindow | None = None,
    ) -> None:
        """Show another conversation, at its first new message or around `anchor`.

        `read_upto_utc_ms` puts the mark above the first client message placed after it, None
        opens at the newest. `window` is what `read` returned since `begin`.
        """
        if window is None or conversation_id != self.conversation_id:
            self.begin(conversation_id)
            window = None
        setting = replace(
            self.model.setting, client_name=title if group else short_name(title), group=group
        )
        self._minute.start()
        work = self._open(self._visit, setting, anchor, read_upto_utc_ms, window)
        if window is None or begins_new(window, read_upto_utc_ms):
            self._spawn(work, "timeline")
        else:
            work.close()
            self._arrive(setting, window, anchor, read_upto_utc_ms)
            self._release(self._visit)

    def show_first(
        self,
        window: TimelineWindow,
        title: str,
        *,
        group: bool = False,
        read_upto_utc_ms: int | None = None,
    ) -> None:
        """Show rows that were kept for a start; nothing is read for them before `refresh`."""
        self.begin(window.conversation_id)
        setting = replace(
            self.model.setting, client_name=title if group else short_name(title), group=group
        )
        self._minute.start()
        self._arrive(setting, window, None, read_upto_utc_ms)

    def refresh(self) -> None:
        """Read the window anew: the store is open, or may tell something else than it did."""
        if self.conversation_id is not None:
            self._dirty_all = True
            self._release(self._visit)

    def close(self) -> None:
        """Show nothing; answers under way are dropped and timers rest."""
        self._leave()
        self._show_nothing()

    def _leave(self) -> None:
        self._visit += 1
        self.conversation_id = None
        self._rows, self._first_new = (), None
        self.has_older = self.has_newer = False
        self._busy, self._dirty_all = False, False
        self._dirty.clear()
        self._countdown.stop()
        self._minute.stop()

    def _show_nothing(self) -> None:
        self._blank.stop()
        self.model.show_window((), self.model.setting)

    def load(self, *, older: bool) -> None:
        """Read the page beyond an end, when there is one and nothing is being read."""
        if self._rows and (self.has_older if older else self.has_newer):
            name = "older messages" if older else "newer messages"
            self._start(self._page(self._visit, older=older), name)

    def jump_to(self, message_id: MessageId | None) -> None:
        """Bring a message into the window, the newest with None; `found` follows when it is there.

        Nothing is read for a message that is in the window, or while the newest is.
        """
        if message_id is not None and self.model.number_of_message(message_id) >= 0:
            self.found.emit(message_id)
        elif self.conversation_id is not None and (message_id is not None or self.has_newer):
            self._visit += 1
            self._busy = True
            self._spawn(self._jump(self._visit, message_id), "jump to message")

    def jump_to_moment(self, at_utc_ms: int) -> None:
        """Bring the first message of that moment or later into the window, else the newest."""
        if self.conversation_id is not None:
            self._visit += 1
            self._busy = True
            self._spawn(self._jump_to_moment(self._visit, at_utc_ms), "jump to date")

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
        if touched and changes.initiator == "outbox" and self._end_rest is not None:
            self._end_rest()  # what the person did is never held back

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
        setting: Setting,
        anchor: MessageId | None,
        read_upto_utc_ms: int | None,
        window: TimelineWindow | None,
    ) -> None:
        try:
            conversation = self.conversation_id
            if conversation is None:
                return
            if window is None:
                window = await self.read(conversation, anchor)
            if anchor is None and read_upto_utc_ms is not None:
                if begins_new(window, read_upto_utc_ms):
                    first = await self._source.first_new(conversation, read_upto_utc_ms)
                    if first is not None and first_after(window.rows, read_upto_utc_ms) != first:
                        window = await self._source.around(
                            conversation, first, _READ_ROWS, FIRST_ROWS
                        )
            if visit == self._visit:
                self._arrive(setting, window, anchor, read_upto_utc_ms)
        finally:
            self._release(visit)

    def _arrive(
        self,
        setting: Setting,
        window: TimelineWindow,
        anchor: MessageId | None,
        read_upto_utc_ms: int | None,
    ) -> None:
        self._blank.stop()
        self.model.setting = setting
        if read_upto_utc_ms is not None:
            self._first_new = first_after(window.rows, read_upto_utc_ms)
        self.opening.emit()
        self._take(window.rows, window.has_older, window.has_newer)
        self.opened.emit(window.conversation_id)
        if anchor is not None and self.model.number_of_message(anchor) >= 0:
            self.found.emit(anchor)

    async def _page(self, visit: int, *, older: bool) -> None:
        try:
            conversation = self.conversation_id
            if conversation is None:
                return
            if older:
                edge = self._rows[0].message.message_id
                window = await self._source.older(conversation, edge, PAGE_ROWS)
                if visit == self._visit:
                    rows = joined(window.rows, self._rows)
                    cut = rows[:WINDOW_ROWS]
                    self._take(cut, window.has_older, self.has_newer or len(cut) < len(rows))
            else:
                edge = self._rows[-1].message.message_id
                window = await self._source.newer(conversation, edge, PAGE_ROWS)
                if visit == self._visit:
                    rows = joined(self._rows, window.rows)
                    cut = rows[-WINDOW_ROWS:]
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

    async def _jump_to_moment(self, visit: int, at_utc_ms: int) -> None:
        try:
            conversation = self.conversation_id
            if conversation is None:
                return
            first = await self._source.first_from(conversation, at_utc_ms)
        except BaseException:
            self._release(visit)
            raise
        if visit == self._visit:
            await self._jump(visit, first)

    async def _catch_up(self, visit: int) -> None:
        try:
            while (self._dirty or self._dirty_all) and visit == self._visit:
                touched, everything = frozenset(self._dirty), self._dirty_all
                self._dirty.clear()
                self._dirty_all = False
                await self._reread(visit, touched, everything)
                if self._dirty:
                    await self._rest()
        finally:
            self._release(visit)

    async def _rest(self) -> None:
        """Wait before the next reading, so that a flood is read in few pieces."""
        import asyncio

        ended = asyncio.Event()
        self._end_rest = ended.set
        try:
            async with asyncio.timeout(_PAUSE_S):
                await ended.wait()
        except TimeoutError:
            pass
        finally:
            self._end_rest = None

    async def _reread(self, visit: int, touched: frozenset[MessageId], everything: bool) -> None:
        conversation = self.conversation_id
        if conversation is None:
            return
        if not everything and len(touched) <= MAX_WINDOW_ROWS:
            fresh = await self._source.rows(conversation, touched)
            if visit != self._visit:
                return
            ends = {"has_older": self.has_older, "has_newer": self.has_newer}
            rows = merged(self._rows, fresh, touched, **ends)
            if rows is not None:
                self._take(*self._bounded(rows))
                return
        window = await self._whole(conversation)
        if visit == self._visit:
            self._take(window.rows, window.has_older, window.has_newer)

    async def _whole(self, conversation: ConversationId) -> TimelineWindow:
        """Read the window anew: around its middle, or its newest rows when it holds them."""
        count = max(PAGE_ROWS, len(self._rows))
        if not self.has_newer or not self._rows:
            wanted = min(count + len(self._dirty), WINDOW_ROWS)
            return await self._source.around(conversation, None, wanted, 0)
        middle = self._rows[len(self._rows) // 2].message.message_id
        return await self._source.around(conversation, middle, count // 2, count // 2)

    def _bounded(self, rows: Sequence[TimelineRow]) -> tuple[Sequence[TimelineRow], bool, bool]:
        """Cut a window that grew: the oldest rows go, or the newest while older ones are read."""
        if len(rows) <= WINDOW_ROWS:
            return rows, self.has_older, self.has_newer
        if self.follows:
            return rows[-_FOLLOWED_ROWS:], True, self.has_newer
        return rows[:WINDOW_ROWS], self.has_older, True

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
