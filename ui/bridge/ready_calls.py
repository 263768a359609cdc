"""Owns the loop's callbacks that are ready: they run before the next paint, a moment's worth.

It never keeps the window from its keys and its painting for longer than that moment.

qasync gives each of them a Qt timer of its own, which fires only once Qt has nothing else to do: an
answer that goes from a thread over a future to a task would wait for three paints of the window.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimerEvent

# Of this thread’s own time: then painting and keys get their turn.
_TURN_S = 0.005
# A nested loop of Qt's runs inside a task's step: the others can't be entered until that is over.
_NESTED_MS = 5
_READY = QEvent.Type(QEvent.registerEventType())


class ReadyCalls(QObject):
    """Runs handles in the order they were added; belongs to the loop's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._loop = loop
        self._handles: deque[asyncio.Handle] = deque()
        self._is_posted = False
        self._timer_id = 0

    def add(self, handle: asyncio.Handle) -> None:
        """Run `handle` as soon as the loop turns; called on any thread."""
        self._handles.append(handle)
        if not self._is_posted:
            self._is_posted = True
            QCoreApplication.postEvent(self, QEvent(_READY))

    def stop(self) -> None:
        """Run nothing more: the loop closes."""
        self._rest(False)
        self._handles.clear()

    def _turn(self) -> None:
        """Run what is ready, and what that makes ready, until the moment is over."""
        if asyncio.current_task(self._loop) is not None:
            self._rest(True, _NESTED_MS)
            return
        until_s = time.thread_time() + _TURN_S
        try:
            while self._handles:
                handle = self._handles.popleft()
                if not handle.cancelled():
                    handle._run()
                if time.thread_time() > until_s:
                    break
        finally:
            self._is_posted = False
            if self._handles:
                self._is_posted = True
                self._rest(True)

    def _rest(self, wanted: bool, rest_ms: int = 0) -> None:
        """Let Qt do all else first, then go on; False ends a rest."""
        if self._timer_id:
            self.killTimer(self._timer_id)
        self._timer_id = self.startTimer(rest_ms) if wanted else 0

    def event(self, event: QEvent) -> bool:
        if event.type() == _READY:
            self._turn()
            return True
        return super().event(event)

    def timerEvent(self, event: QTimerEvent) -> None:
        self._rest(False)
        self._turn()
