"""Turns the core's change sets, states and typing notices into Qt signals, in one hop.

It never filters or interprets what it passes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from app.domain.changes import ChangeSet
from app.domain.status import CoreStatus
from contract.ids import ConversationId

Unsubscribe = Callable[[], None]


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
    """One object whose signals every presenter connects to; owns its subscriptions."""

    changed = Signal(object)
    status_changed = Signal(object)
    typing_changed = Signal(str, bool)
    failed = Signal(str, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._subscriptions: list[Unsubscribe] = []

    def attach(self, source: ChangeSource) -> None:
        """Subscribe to `source`; `detach` ends it."""
        self._subscriptions += [
            source.subscribe_changes(self.changed.emit),
            source.subscribe_status(self.status_changed.emit),
            source.subscribe_typing(self.typing_changed.emit),
        ]

    def detach(self) -> None:
        """End every subscription; a second call does nothing."""
        while self._subscriptions:
            self._subscriptions.pop()()
