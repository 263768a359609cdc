"""Owns the loop's delayed callbacks: one Qt timer each, given back as soon as one is cancelled.

It never runs a callback that was cancelled.

qasync leaves a cancelled timer running: each request's time-out would wake the window once more,
tens of seconds later, and be kept in memory until then with all that it refers to.
"""

from __future__ import annotations

import asyncio

from PySide6.QtCore import QObject, QTimerEvent


class LoopTimers(QObject):
    """Runs handles when their time has come; belongs to the loop's thread."""

    def __init__(self) -> None:
        super().__init__()
        self._handles: dict[int, asyncio.TimerHandle] = {}
        self._ids: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._handles)

    def start(self, handle: asyncio.TimerHandle, delay_s: float) -> None:
        """Run `handle` in `delay_s` seconds; 0 or less: as soon as the loop turns."""
        timer_id = self.startTimer(int(max(0.0, delay_s) * 1000))
        self._handles[timer_id] = handle
        self._ids[id(handle)] = timer_id

    def forget(self, handle: asyncio.TimerHandle) -> None:
        """End the timer of a cancelled handle."""
        timer_id = self._ids.pop(id(handle), None)
        if timer_id is not None:
            self.killTimer(timer_id)
            del self._handles[timer_id]

    def stop(self) -> None:
        """End all timers: the loop closes."""
        for timer_id in self._handles:
            self.killTimer(timer_id)
        self._handles.clear()
        self._ids.clear()

    def timerEvent(self, event: QTimerEvent) -> None:
        timer_id = event.timerId()
        self.killTimer(timer_id)
        handle = self._handles.pop(timer_id, None)
        if handle is not None:
            del self._ids[id(handle)]
            handle._run()
