"""Turns the core's change sets, states and typing notices into Qt signals, in one hop.

It never interprets what it passes on, and passes every change on; of states that follow each
other faster than anybody reads, the newest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.changes import ChangeSet
from app.domain.status import CoreStatus
from contract.ids import ConversationId

Unsubscribe = Callable[[], None]
# Each message sent changes the status several times; the window says it anew at most this often.
STATUS_EVERY_MS = 50


class ChangeSource(Protocol):
    """What the window listens to; the core offers it."""

    def subscribe_changes(self, callback: Callable[[ChangeSet], None]) -> Unsubscribe:
        """Call back on the loop's thread after each commit."""
        ...

    def subscribe_status(self, callback: Callable[[CoreStatus], None]) -> Unsubscribe:
        """Call back on the loop's thread on each new state."""
        ...

    def subscribe_typing(self, callback: Callable[[ConversationId, bool], None]) -> Unsubscribe:
        """Call back when a client types or has stopped."""
        ...


class CoreSignals(QObject):
    """One object whose signals every presenter connects to; owns its subscriptions.

    `status_changed` comes at once after a quiet time, else with the newest status soon after.
    """

    changed = Signal(object)
    status_changed = Signal(object)
    typing_changed = Signal(str, bool)
    failed = Signal(str, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._subscriptions: list[Unsubscribe] = []
        self._newest: CoreStatus | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(STATUS_EVERY_MS)
        self._rest.timeout.connect(self._tell_newest)

    def attach(self, source: ChangeSource) -> None:
        """Subscribe to `source`; `detach` ends it."""
        self._subscriptions += [
            source.subscribe_changes(self.changed.emit),
            source.subscribe_status(self._on_status),
            source.subscribe_typing(self.typing_changed.emit),
        ]

    def detach(self) -> None:
        """End every subscription; a second call does nothing."""
        while self._subscriptions:
            self._subscriptions.pop()()
        self._rest.stop()
        self._newest = None

    def _on_status(self, status: CoreStatus) -> None:
        self._newest = status
        if not self._rest.isActive():
            self._tell_newest()

    def _tell_newest(self) -> None:
        newest, self._newest = self._newest, None
        if newest is not None:
            self._rest.start()
            self.status_changed.emit(newest)
