"""Keeps the queue's window true to the outbox while it is looked at, and how far sending came.

It never reads more than its window, and never cancels by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.changes import ChangeSet
from app.domain.queue import MAX_QUEUE_ROWS, QueuePage, QueueRow, Wait
from app.domain.status import CoreStatus, Link
from ui.bridge.spawn import Spawner
from ui.models.queue_model import QueueModel
from ui.models.queue_progress import QueueProgress
from ui.models.queue_words import QueueSetting, progress_words, total_words

PAGE_ROWS = 100
# While messages pour out, the window is read anew at most this often.
_PAUSE_S = 0.2
_TICK_MS = 1_000


class QueueSource(Protocol):
    """What the presenter reads; the outbox's queue offers it."""

    async def later(self, position: int, limit: int) -> QueuePage:
        """Return rows behind a position; 0: the first ones."""
        ...

    async def earlier(self, position: int, limit: int) -> QueuePage:
        """Return rows before a position."""
        ...


@dataclass(frozen=True, slots=True)
class QueueState:
    """What stands around the list; `sent` of `whole` went since the queue was last empty."""

    words: str = ""
    progress: str = ""
    sent: int = 0
    whole: int = 0
    waiting: int = 0


class QueuePresenter(QObject):
    """`look` while the queue is on screen; `state_changed` carries QueueState."""

    state_changed = Signal(object)

    def __init__(
        self,
        source: QueueSource,
        spawner: Spawner,
        now_utc_ms: Callable[[], int],
        progress: QueueProgress,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._source = source
        self._spawner = spawner
        self._now_utc_ms = now_utc_ms
        self._progress = progress
        self.model = QueueModel(parent=self)
        self.state = QueueState()
        self.has_earlier = False
        self.has_later = False
        self._status = CoreStatus()
        self._looked_at = False
        self._reading = False
        self._resting = False
        self._dirty = False
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MS)
        self._tick.timeout.connect(self._show)

    def look(self, looked_at: bool) -> None:
        """Begin to follow the outbox, from its beginning, or end it and let the rows go."""
        self._looked_at = looked_at
        if looked_at:
            self._tick.start()
            self._refresh()
        else:
            self._tick.stop()
            self.model.set_rows(())
            self.has_earlier = self.has_later = False

    def on_changed(self, changes: ChangeSet) -> None:
        """Take a change set; the window is read anew when the outbox changed."""
        if changes.outbox or changes.reset:
            self._refresh()

    def on_status(self, status: CoreStatus) -> None:
        """Take the core's status: totals, connection, alarm."""
        self._status = status
        self._show()

    def load_later(self) -> None:
        """Bring the next rows into the window; beyond its bound the first ones leave it."""
        if self.has_later and not self._reading and self.model.rows():
            self._start(self._page(later=True))

    def load_earlier(self) -> None:
        """Bring the rows before into the window; beyond its bound the last ones leave it."""
        if self.has_earlier and not self._reading and self.model.rows():
            self._start(self._page(later=False))

    def _refresh(self) -> None:
        if not self._looked_at:
            return
        self._dirty = True
        if not self._reading and not self._resting:
            self._start(self._read_all())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._reading = True
        if self._spawner.spawn(work, "read queue") is None:
            self._reading = False

    async def _read_all(self) -> None:
        """Read the window, then rest: what changes meanwhile is read once, pages still come."""
        try:
            self._dirty = False
            await self._read_window()
        finally:
            self._reading = False
        self._resting = True
        try:
            await asyncio.sleep(_PAUSE_S)
        finally:
            self._resting = False
        if self._dirty:
            self._refresh()

    async def _read_window(self) -> None:
        rows = self.model.rows()
        wanted = min(max(PAGE_ROWS, len(rows)), MAX_QUEUE_ROWS)
        start = rows[0].position - 1 if rows and self.has_earlier else 0
        page = await self._source.later(start, wanted)
        if not page.rows and start:
            page = await self._source.later(0, wanted)
        self._take(page.rows, page.has_earlier, page.has_later)

    async def _page(self, *, later: bool) -> None:
        try:
            rows = self.model.rows()
            if later:
                page = await self._source.later(rows[-1].position, PAGE_ROWS)
                joined = (*self.model.rows(), *page.rows)
                cut = joined[-MAX_QUEUE_ROWS:]
                self._take(cut, self.has_earlier or len(cut) < len(joined), page.has_later)
            else:
                page = await self._source.earlier(rows[0].position, PAGE_ROWS)
                joined = (*page.rows, *self.model.rows())
                cut = joined[:MAX_QUEUE_ROWS]
                self._take(cut, page.has_earlier, self.has_later or len(cut) < len(joined))
        finally:
            self._reading = False
        if self._dirty:
            self._refresh()

    def _take(self, rows: tuple[QueueRow, ...], has_earlier: bool, has_later: bool) -> None:
        if self._looked_at:
            self.has_earlier, self.has_later = has_earlier, has_later
            self.model.set_rows(rows)
            self._show()

    def _show(self) -> None:
        status, now = self._status, self._now_utc_ms()
        online, paused = status.link is Link.ONLINE, status.archive_alarm is not None
        # Only undo periods count down: without one, rows are not said anew every second.
        counts = any(row.wait is Wait.UNDO_PERIOD for row in self.model.rows())
        at_utc_ms = now if counts else self.model.setting.now_utc_ms
        self.model.set_setting(QueueSetting(at_utc_ms, online, paused))
        sent, whole = self._progress.sent, self._progress.whole
        words = progress_words(sent, whole, self._progress.left_s())
        state = QueueState(total_words(status), words, sent, whole, status.outbox_waiting)
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)
