"""Connects queues that wait for decisions: desk, presenter, page, the rail's count.

It never shows a queue to anybody but those who decide; the backend shows it to nobody else anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from PySide6.QtCore import QObject, Signal

from app.approval_desk import ApprovalDesk
from app.domain.status import CoreStatus, Link
from app.triage_desk import TriageDesk
from ui.bridge.spawn import Spawner
from ui.models.approvals_presenter import ApprovalsPresenter
from ui.models.triage_presenter import TriagePresenter
from ui.models.waiting_state import WaitingState
from ui.views.main_window import MainWindow
from ui.views.pages.queue_page import QueuePage
from ui.views.rail import Page

Presenter = TypeVar("Presenter", ApprovalsPresenter, TriagePresenter)


class WaitingDesk(Protocol):
    """What the actions ask of the core's desk."""

    pending: int

    @property
    def is_offered(self) -> bool:
        """Tell whether the signed-in person has such a queue."""
        ...

    @property
    def is_asked(self) -> bool:
        """Tell whether the queue is read unasked: by reading it one may learn who has it."""
        ...

    def subscribe(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Call `callback` whenever the queue changed; return its end."""
        ...


class WaitingActions(QObject, Generic[Presenter]):
    """Reads the queue when the line comes up, when it changed, and when its page is opened.

    `role_learnt` is emitted once it is known whether this person has such a queue.
    """

    role_learnt = Signal()

    def __init__(
        self,
        desk: WaitingDesk,
        presenter: Presenter,
        page: QueuePage[Any],
        show_count: Callable[[bool, int], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        presenter.setParent(self)
        self.presenter: Presenter = presenter
        self._desk = desk
        self._page = page
        self._rail_count = show_count
        self._online = False
        self._known = False
        presenter.state_changed.connect(self._on_state)
        self._end = desk.subscribe(self._on_changed)

    @property
    def offered(self) -> bool:
        """Tell whether this person has such a queue."""
        return self._desk.is_offered

    def close(self) -> None:
        """Hear of nothing more."""
        self._end()

    def on_status(self, status: CoreStatus) -> None:
        """Take the core's status: once the line is up, the queue is read."""
        came_up = status.link is Link.ONLINE and not self._online
        self._online = status.link is Link.ONLINE
        self._show_count()
        if came_up:
            self._refresh()

    def on_shown(self) -> None:
        """The page was opened."""
        self.presenter.look_again()
        self.presenter.refresh()
        self._page.focus_list()

    def _refresh(self) -> None:
        if self._desk.is_asked:
            self.presenter.refresh()

    def _on_changed(self, _pending: int) -> None:
        self._show_count()
        self._refresh()

    def _on_state(self, _state: WaitingState) -> None:
        self._show_count()

    def _show_count(self) -> None:
        offered = self._desk.is_offered
        self._rail_count(offered, self._desk.pending)
        if offered != self._known:
            self._known = offered
            self.role_learnt.emit()


def approval_actions(
    desk: ApprovalDesk,
    window: MainWindow,
    spawner: Spawner,
    now_utc_ms: Callable[[], int],
    parent: QObject,
) -> WaitingActions[ApprovalsPresenter]:
    """Return what connects the supervisor's queue of held messages."""
    presenter = ApprovalsPresenter(desk, spawner, now_utc_ms)
    window.approvals.follow(presenter)
    count = partial(window.rail.show_queue, Page.APPROVALS)
    return WaitingActions(desk, presenter, window.approvals, count, parent)


def triage_actions(
    desk: TriageDesk,
    window: MainWindow,
    spawner: Spawner,
    now_utc_ms: Callable[[], int],
    parent: QObject,
) -> WaitingActions[TriagePresenter]:
    """Return what connects the owners' queue of unknown senders."""
    presenter = TriagePresenter(desk, spawner, now_utc_ms)
    window.triage.follow(presenter)
    count = partial(window.rail.show_queue, Page.TRIAGE)
    return WaitingActions(desk, presenter, window.triage, count, parent)
