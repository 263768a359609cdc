"""Connects the supervisor's queue: desk, presenter, page, the rail's count.

It never shows the queue to anybody but a supervisor; the backend refuses it to others anyway.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.approval_desk import ApprovalDesk
from app.domain.status import CoreStatus, Link
from ui.bridge.spawn import Spawner
from ui.models.approvals_presenter import ApprovalsPresenter
from ui.models.waiting_state import WaitingState
from ui.views.main_window import MainWindow


class ApprovalActions(QObject):
    """Reads the queue when the line comes up, when it changed, and when its page is opened.

    `role_learnt` is emitted once it is known whether this person is a supervisor.
    """

    role_learnt = Signal()

    def __init__(
        self,
        desk: ApprovalDesk,
        window: MainWindow,
        spawner: Spawner,
        now_utc_ms: Callable[[], int],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk = desk
        self._window = window
        self._online = False
        self._known_supervisor = False
        self.presenter = ApprovalsPresenter(desk, spawner, now_utc_ms, self)
        self.presenter.state_changed.connect(self._on_state)
        window.approvals.follow(self.presenter)
        self._end = desk.subscribe(self._on_changed)

    @property
    def offered(self) -> bool:
        """Tell whether this person has such a queue."""
        return self._desk.is_supervisor

    def close(self) -> None:
        """Hear of nothing more."""
        self._end()

    def on_status(self, status: CoreStatus) -> None:
        """Take the core's status: once the line is up, the queue is read."""
        came_up = status.link is Link.ONLINE and not self._online
        self._online = status.link is Link.ONLINE
        if self._desk.is_supervisor != self._known_supervisor:
            self._known_supervisor = self._desk.is_supervisor
            self.role_learnt.emit()
        if self._desk.is_supervisor and came_up:
            self.presenter.refresh()
        self._show_count()

    def on_shown(self) -> None:
        """The page was opened."""
        self.presenter.look_again()
        self.presenter.refresh()
        self._window.approvals.focus_list()

    def _on_changed(self, _pending: int) -> None:
        self._show_count()
        if self._desk.is_supervisor:
            self.presenter.refresh()

    def _on_state(self, _state: WaitingState) -> None:
        self._show_count()

    def _show_count(self) -> None:
        self._window.rail.show_approvals(self._desk.is_supervisor, self._desk.pending)
