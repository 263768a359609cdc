"""Turns the core's change sets, states and typing notices into Qt signals, in one hop.

It never interprets what it passes on, and passes every change on; of states that follow each
other faster than anybody reads, the newest. While something covers the window, what the server
tells is passed on a few times a second: what lies in the dark need not be laid out at each event.
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
COVERED_EVERY_MS = 500
_SERVER = frozenset({"sync", "history"})


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
        self._held: ChangeSet | None = None
        self._covered = QTimer(self)
        self._covered.setInterval(COVERED_EVERY_MS)
        self._covered.timeout.connect(self._let_go)

    def set_covered(self, covered: bool) -> None:
        """Tell whether something covers the window: the palette."""
        if covered:
            self._covered.start()
        else:
            self._covered.stop()
            self._let_go()

    def attach(self, source: ChangeSource) -> None:
        """Subscribe to `source`; `detach` ends it."""
        self._subscriptions += [
            source.subscribe_changes(self._on_changed),
            source.subscribe_status(self._on_status),
            source.subscribe_typing(self.typing_changed.emit),
        ]

    def detach(self) -> None:
        """End every subscription; a second call does nothing."""
        while self._subscriptions:
            self._subscriptions.pop()()
        self._rest.stop()
        self._covered.stop()
        self._newest = self._held = None

    def _on_changed(self, changes: ChangeSet) -> None:
        if not self._covered.isActive() or not _can_wait(changes):
            self._let_go()
            self.changed.emit(changes)
        else:
            self._held = changes if self._held is None else self._held.joined(changes)

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self.changed.emit(held)

    def _on_status(self, status: CoreStatus) -> None:
        self._newest = status
        if not self._rest.isActive():
            self._tell_newest()

    def _tell_newest(self) -> None:
        newest, self._newest = self._newest, None
        if newest is not None:
            self._rest.start()
            self.status_changed.emit(newest)


def _can_wait(changes: ChangeSet) -> bool:
    """Tell whether a change only adds to what is shown: nothing that is gone may stay in sight."""
    return changes.initiator in _SERVER and not (
        changes.reset or changes.removed_conversations or changes.files_gone or changes.notices
    )
