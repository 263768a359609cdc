"""The page of unknown senders: the queue beside what the chosen one wrote.

It never reads the queue or decides by itself; its presenter does.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QListView,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from contract.triage import TriageAction, TriageItem
from ui.delegates.triage_delegate import TriageDelegate
from ui.models.triage_presenter import TriagePresenter, TriageState
from ui.models.triage_words import triage_detail
from ui.theme.overlay_scroll_bar import OverlayScrollBar
from ui.theme.tokens import Tokens
from ui.theme.widgets import button, label
from ui.views.pages.page_frame import PageFrame
from ui.views.triage_detail import TriageDetailView

_NOTHING, _FAULT, _QUEUE = range(3)
_LINE = "Who wrote to a shared number and is in nobody’s book: take them over, or give them away"


class TriagePage(PageFrame):
    """Arrow keys walk the queue; Enter leads to the note, Tab from there to the decisions."""

    refresh_requested = Signal()

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__("Unknown senders", _LINE, parent)
        self._presenter: TriagePresenter | None = None
        self._delegate = TriageDelegate(tokens, self)
        self._build(tokens)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._delegate.set_tokens(tokens)
        self.list.viewport().update()
        self.detail.set_tokens(tokens)

    def follow(self, presenter: TriagePresenter) -> None:
        """Show this queue from now on."""
        self._presenter = presenter
        self.list.setModel(presenter.model)
        self.list.selectionModel().currentChanged.connect(self._on_current)
        presenter.model.rowsInserted.connect(self._choose_one)
        presenter.model.rowsRemoved.connect(self._choose_one)
        presenter.model.dataChanged.connect(self._on_current)
        presenter.state_changed.connect(self._on_state)
        presenter.announced.connect(self._on_announced)
        self.refresh_requested.connect(presenter.refresh)
        self._on_state(presenter.state)

    def focus_list(self) -> None:
        """Put the keyboard into the queue."""
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _build(self, tokens: Tokens) -> None:
        self.list = QListView()
        self.list.setAccessibleName("Unknown senders")
        self.list.setItemDelegate(self._delegate)
        self.list.setMouseTracking(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        OverlayScrollBar(self.list)
        self.detail = TriageDetailView(tokens)
        self.list.activated.connect(self.detail.focus_note)
        self.detail.decided.connect(self._on_decided)
        self.detail.note_edited.connect(self._on_note_edited)
        card = QFrame()
        card.setProperty("card", True)
        inner = QVBoxLayout(card)
        inner.setContentsMargins(1, 8, 1, 8)
        inner.addWidget(self.list)
        queue = QWidget()
        row = QHBoxLayout(queue)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(card, 2)
        row.addWidget(self.detail, 3)
        self._nothing = label("Nobody unknown waits.", "secondary")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedWidget()
        for part in (self._nothing, self._fault_part(), queue):
            self._stack.addWidget(part)
        self.body.addWidget(self._stack, 1)

    def _fault_part(self) -> QWidget:
        home = QWidget()
        column = QVBoxLayout(home)
        self._fault = label("", "error")
        self._fault.setWordWrap(True)
        self._fault.setAlignment(Qt.AlignmentFlag.AlignCenter)
        again = button("Try again", "secondary")
        again.clicked.connect(self.refresh_requested)
        column.addStretch(1)
        column.addWidget(self._fault)
        column.addWidget(again, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        return home

    def _on_state(self, state: TriageState) -> None:
        rows = self._presenter.model.rowCount() if self._presenter is not None else 0
        self._fault.setText(state.fault)
        self._nothing.setText(_nothing_words(state))
        # A queue that was read once stays readable while the line is away.
        self._stack.setCurrentIndex(_QUEUE if rows else _FAULT if state.fault else _NOTHING)
        self.detail.show_deciding(state.deciding, state.said)

    def _on_current(self, *_: object) -> None:
        presenter, item = self._presenter, self._current()
        if presenter is not None and item is not None:
            detail = triage_detail(item, presenter.now_utc_ms())
            self.detail.show_detail(detail, presenter.note(item.conversation_id))

    def _choose_one(self, *_: object) -> None:
        presenter = self._presenter
        if presenter is None:
            return
        if not self.list.currentIndex().isValid() and presenter.model.rowCount():
            self.list.setCurrentIndex(presenter.model.index(0))
        self._on_current()
        self._on_state(presenter.state)

    def _on_note_edited(self, words: str) -> None:
        presenter, item = self._presenter, self._current()
        if presenter is not None and item is not None:
            presenter.set_note(item.conversation_id, words)

    def _on_decided(self, action: TriageAction, employee_id: str) -> None:
        presenter, item = self._presenter, self._current()
        if presenter is None or item is None:
            return
        if presenter.decide(item, action, employee_id):
            self.focus_list()
        elif action is TriageAction.DISMISS:
            self.detail.focus_note()

    def _current(self) -> TriageItem | None:
        row = self.list.currentIndex().row()
        return self._presenter.model.row_at(row) if self._presenter is not None else None

    def _on_announced(self, words: str) -> None:
        event = QAccessibleAnnouncementEvent(self, words)
        event.setPoliteness(QAccessible.AnnouncementPoliteness.Polite)
        QAccessible.updateAccessibility(event)


def _nothing_words(state: TriageState) -> str:
    if not state.loaded:
        return "Reading who waits…"
    return f"{state.said}\n\nNobody unknown waits." if state.said else "Nobody unknown waits."
