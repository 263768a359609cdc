"""Notes when the window's first real rows were painted: the figure of a start.

It never changes what is painted, and takes its time from the process's own start.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer, Signal

from ui.start_marks import mark

if TYPE_CHECKING:
    from ui.workspace import Workspace


_FIGURE_AFTER_MS = 3_000


class FirstPaint(QObject):
    """`list_painted` follows the list's first paint, whatever it holds.

    `is_shown` once the list's rows are painted and, where a conversation is on screen, its rows.
    `is_complete`, and the start noted, once the conversation that was open last is among them,
    or there was none.
    """

    list_painted = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self._list = workspace.window.inbox.list.viewport()
        self._timeline = workspace.window.timeline.viewport()
        self._painted: set[QObject] = set()
        self._told = False
        self.is_shown = False
        self.is_complete = False
        self._expects = workspace.state.conversation() is not None
        self._at_s = 0.0
        self._noted = False
        for viewport in (self._list, self._timeline):
            viewport.installEventFilter(self)

    async def wait(self) -> None:
        """Return after the list's first paint."""
        from asyncio import Event

        event = Event()
        if self._told:
            event.set()
        self.list_painted.connect(event.set)
        await event.wait()

    def note(self) -> None:
        """Mark the start as painted; the paint that completed it has ended."""
        if self._noted:
            return
        self._noted = True
        self._at_s = time.monotonic()
        mark("first_paint")
        QTimer.singleShot(_FIGURE_AFTER_MS, self._take_figure)

    def _take_figure(self) -> None:
        from ui.process_age import process_age_s

        painted_for_s = time.monotonic() - self._at_s
        self._workspace.figures.start_s = process_age_s() - painted_for_s

    def _take(self, watched: QObject) -> None:
        workspace = self._workspace
        if watched is self._list and not self._told:
            self._told = True
            self.list_painted.emit()
        if watched is self._list and workspace.inbox.is_loaded:
            self._painted.add(watched)
        if watched is self._timeline and workspace.timeline.model.rowCount():
            self._painted.add(watched)
        conversing = workspace.conversation.conversation_id is not None
        self.is_shown = self._list in self._painted and (
            not conversing or self._timeline in self._painted
        )
        if self.is_shown and (conversing or not self._expects):
            self.is_complete = True
            QTimer.singleShot(0, self.note)
            for viewport in (self._list, self._timeline):
                viewport.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self._take(watched)
        return False
