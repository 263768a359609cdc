"""A page with a queue that waits for decisions, beside the one of it that is being read.

It never reads the queue or decides by itself; a presenter does, and the page's maker shows cases.
"""

from __future__ import annotations

from typing import Generic, NamedTuple, Protocol, TypeVar

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

from ui.delegates.waiting_delegate import WaitingDelegate
from ui.models.waiting_presenter import WaitingPresenter
from ui.models.waiting_state import WaitingState
from ui.theme.overlay_scroll_bar import OverlayScrollBar
from ui.theme.tokens import Tokens
from ui.theme.widgets import button, label
from ui.views.pages.page_frame import PageFrame

_NOTHING, _FAULT, _QUEUE = range(3)
Row = TypeVar("Row")


class QueueWords(NamedTuple):
    """What the page calls itself and its list, and says while there is nothing to show."""

    title: str
    line: str
    listed: str
    reading: str
    nothing: str


class Detail(Protocol):
    """The card beside the queue."""

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""

    def focus_note(self) -> None:
        """Put the keyboard into the note."""

    def show_deciding(self, deciding: bool, said: str) -> None:
        """Take no second decision while one is being made; say what came of the last."""


class QueuePage(PageFrame, Generic[Row]):
    """Arrow keys walk the queue; Enter leads to the note, Tab from there to the decisions.

    `current_changed` is emitted when another row is to be shown beside the queue, or the same
    one looks different.
    """

    refresh_requested = Signal()
    current_changed = Signal()

    def __init__(
        self,
        words: QueueWords,
        delegate: WaitingDelegate,
        detail: Detail,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(words.title, words.line, parent)
        self._words = words
        self._delegate = delegate
        self._card = detail
        self._presenter: WaitingPresenter[Row] | None = None
        self._state = WaitingState()
        delegate.setParent(self)
        assert isinstance(detail, QWidget)
        self._build(detail)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._delegate.set_tokens(tokens)
        self.list.viewport().update()
        self._card.set_tokens(tokens)

    def focus_list(self) -> None:
        """Put the keyboard into the queue."""
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def current(self) -> Row | None:
        """Return the row that is chosen; None while there is none."""
        row = self.list.currentIndex().row()
        return self._presenter.model.row_at(row) if self._presenter is not None else None

    def current_note(self) -> str:
        """Return the note typed so far about the row that is chosen."""
        presenter, row = self._presenter, self.current()
        if presenter is None or row is None:
            return ""
        return presenter.note(presenter.model.key(row))

    def show_queue(self, presenter: WaitingPresenter[Row]) -> None:
        """Show a queue from now on."""
        self._presenter = presenter
        model = presenter.model
        self.list.setModel(model)
        self.list.selectionModel().currentChanged.connect(lambda *_: self.current_changed.emit())
        model.rowsInserted.connect(self._choose_one)
        model.rowsRemoved.connect(self._choose_one)
        model.dataChanged.connect(lambda *_: self.current_changed.emit())
        presenter.state_changed.connect(self._on_state)
        presenter.announced.connect(self._on_announced)
        self.refresh_requested.connect(presenter.refresh)
        self._on_state(presenter.state)

    def on_note_edited(self, words: str) -> None:
        """Keep the note as typed, with the row that is chosen."""
        presenter, row = self._presenter, self.current()
        if presenter is not None and row is not None:
            presenter.set_note(presenter.model.key(row), words)

    def on_put(self, taken: bool, *, needs_note: bool) -> None:
        """Lead on after a press: to the queue once the decision is taken, else to the note."""
        if taken:
            self.focus_list()
        elif needs_note:
            self._card.focus_note()

    def _build(self, detail: QWidget) -> None:
        self.list = QListView()
        self.list.setAccessibleName(self._words.listed)
        self.list.setItemDelegate(self._delegate)
        self.list.setMouseTracking(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        OverlayScrollBar(self.list)
        self.list.activated.connect(lambda _: self._card.focus_note())
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
        row.addWidget(detail, 3)
        self._nothing = label(self._words.nothing, "secondary")
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

    def _on_state(self, state: WaitingState) -> None:
        self._state = state
        rows = self._presenter.model.rowCount() if self._presenter is not None else 0
        self._fault.setText(state.fault)
        self._nothing.setText(self._nothing_words(state))
        # A queue that was read once stays readable while the line is away.
        self._stack.setCurrentIndex(_QUEUE if rows else _FAULT if state.fault else _NOTHING)
        self._card.show_deciding(state.deciding, state.said)

    def _choose_one(self, *_: object) -> None:
        if self._presenter is None:
            return
        model = self._presenter.model
        if not self.list.currentIndex().isValid() and model.rowCount():
            self.list.setCurrentIndex(model.index(0, 0))
        self.current_changed.emit()
        self._on_state(self._state)

    def _nothing_words(self, state: WaitingState) -> str:
        if not state.loaded:
            return self._words.reading
        return f"{state.said}\n\n{self._words.nothing}" if state.said else self._words.nothing

    def _on_announced(self, words: str) -> None:
        event = QAccessibleAnnouncementEvent(self, words)
        event.setPoliteness(QAccessible.AnnouncementPoliteness.Polite)
        QAccessible.updateAccessibility(event)
