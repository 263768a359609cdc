"""Connects the queue of unknown senders: desk, presenter, page, the rail's count.

It never shows the queue to anybody but its owners; the backend shows it to nobody else anyway.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.domain.status import CoreStatus, Link
from app.triage_desk import TriageDesk
from ui.bridge.spawn import Spawner
from ui.models.triage_presenter import TriagePresenter
from ui.models.waiting_state import WaitingState
from ui.views.main_window import MainWindow


class TriageActions(QObject):
    """Reads the queue when the line comes up, when it changed, and when its page is opened.

    `role_learnt` is emitted once it is known whether this person looks after such a queue.
    """

    role_learnt = Signal()

    def __init__(
        self,
        desk: TriageDesk,
        window: MainWindow,
        spawner: Spawner,
        now_utc_ms: Callable[[], int],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._window = window
        self._online = False
        self._known_owner = False
        self.presenter = TriagePresenter(desk, spawner, now_utc_ms, self)
        self.presenter.state_changed.connect(self._on_state)
        window.triage.follow(self.presenter)
        self._end = desk.subscribe(self._on_changed)

    @property
    def offered(self) -> bool:
        """Tell whether this person looks after unknown senders."""
        return self._desk.is_owner

    def close(self) -> None:
        """Hear of nothing more."""
        self._end()

    def on_status(self, status: CoreStatus) -> None:
        """Take the core's status: once the line is up, the queue is read."""
        came_up = status.link is Link.ONLINE and not self._online
        self._online = status.link is Link.ONLINE
        if came_up:
            self.presenter.refresh()
        self._show_count()

    def on_shown(self) -> None:
        """The page was opened."""
        self.presenter.look_again()
        self.presenter.refresh()
        self._window.triage.focus_list()

    def _on_changed(self, _pending: int) -> None:
        self._show_count()
        self.presenter.refresh()

    def _on_state(self, _state: WaitingState) -> None:
        self._show_count()

    def _show_count(self) -> None:
        self._window.rail.show_triage(self._desk.is_owner, self._desk.pending)
        if self._desk.is_owner != self._known_owner:
            self._known_owner = self._desk.is_owner
            self.role_learnt.emit()
