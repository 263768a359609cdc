"""The queue of waiting messages: what each waits for, how far sending came, edit and cancel.

It never cancels or sends; its signals tell what the person asks.
"""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFrame,
    QHBoxLayout,
    QListView,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.domain.queue import QueueRow, Wait
from ui.delegates.queue_delegate import QueueDelegate
from ui.models.queue_presenter import QueuePresenter, QueueState
from ui.theme.overlay_scroll_bar import OverlayScrollBar
from ui.theme.tokens import Tokens
from ui.theme.widgets import button, label

SIZE_PX = (760, 620)
_TITLE = "Outbox"
_NEAR_END_PX = 400
_BAR_PX = 4


class _QueueList(QListView):
    """Delete asks to cancel, as the button does."""

    delete_pressed = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_pressed.emit()
        else:
            super().keyPressEvent(event)


class QueueDialog(QDialog):
    """Arrow keys walk the queue, Enter edits, Delete cancels; signals carry a QueueRow."""

    edit_requested = Signal(object)
    cancel_requested = Signal(object)
    cancel_conversation_requested = Signal(object)
    cancel_all_requested = Signal()
    retry_requested = Signal()

    def __init__(
        self, presenter: QueuePresenter, tokens: Tokens, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._presenter = presenter
        self._delegate = QueueDelegate(tokens, self)
        self.setWindowTitle("Parley")
        self.setAccessibleName(_TITLE)
        self.setProperty("pane", "panel")
        self.resize(*SIZE_PX)
        self.setMinimumSize(520, 360)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 24, 28, 24)
        column.setSpacing(12)
        column.addWidget(label(_TITLE, "title"))
        self._build_progress(column)
        self._build_list(column)
        self.note = label("", "secondary")
        self.note.setWordWrap(True)
        column.addWidget(self.note)
        column.addLayout(self._build_buttons())
        presenter.state_changed.connect(self._on_state)
        presenter.model.rowsInserted.connect(self._choose_one)
        presenter.model.rowsRemoved.connect(self._choose_one)
        presenter.model.dataChanged.connect(self._on_current)
        self.set_tokens(tokens)
        self._on_state(presenter.state)
        self._choose_one()
        self.list.setFocus()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._delegate.set_tokens(tokens)
        self.bar.setStyleSheet(
            f"QProgressBar {{ border: none; border-radius: 2px; background: {tokens.line}; }}"
            f"QProgressBar::chunk {{ border-radius: 2px; background: {tokens.accent}; }}"
        )
        self.list.viewport().update()

    def say(self, words: str) -> None:
        """Say what became of a wish, also to a screen reader."""
        self.note.setText(words)
        if words:
            event = QAccessibleAnnouncementEvent(self, words)
            event.setPoliteness(QAccessible.AnnouncementPoliteness.Polite)
            QAccessible.updateAccessibility(event)

    def current(self) -> QueueRow | None:
        """Return the chosen row."""
        return self._presenter.model.row_at(self.list.currentIndex().row())

    def _build_progress(self, column: QVBoxLayout) -> None:
        self._words = label("")
        self._words.setWordWrap(True)
        self._progress = label("", "secondary")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(_BAR_PX)
        self.bar.setAccessibleName("How far the sending is")
        for part in (self._words, self.bar, self._progress):
            column.addWidget(part)

    def _build_list(self, column: QVBoxLayout) -> None:
        self.list = _QueueList()
        self.list.setAccessibleName("Waiting messages")
        self.list.setItemDelegate(self._delegate)
        self.list.setModel(self._presenter.model)
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        OverlayScrollBar(self.list)
        self.list.activated.connect(lambda _: self._ask_edit())
        self.list.delete_pressed.connect(self._ask_cancel)
        self.list.selectionModel().currentChanged.connect(self._on_current)
        self.list.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        card = QFrame()
        card.setProperty("card", True)
        inner = QVBoxLayout(card)
        inner.setContentsMargins(1, 8, 1, 8)
        inner.addWidget(self.list)
        column.addWidget(card, 1)

    def _build_buttons(self) -> QHBoxLayout:
        self.edit = button("Edit", "secondary", "Edit before sending")
        self.edit.clicked.connect(self._ask_edit)
        self.cancel = button("Cancel message", "secondary")
        self.cancel.clicked.connect(self._ask_cancel)
        self.cancel_talk = button("Cancel conversation’s…", "secondary")
        self.cancel_talk.clicked.connect(self._ask_cancel_talk)
        self.cancel_all = button("Cancel all…", "secondary", "Cancel all waiting messages")
        self.cancel_all.clicked.connect(self.cancel_all_requested)
        self.retry = button("Send now", "secondary", "Try to send everything now")
        self.retry.clicked.connect(self.retry_requested)
        self.close_button: QPushButton = button("Close", "primary")
        self.close_button.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.setSpacing(10)
        for one in (self.edit, self.cancel, self.cancel_talk, self.cancel_all):
            row.addWidget(one)
        row.addStretch(1)
        for one in (self.retry, self.close_button):
            row.addWidget(one)
        return row

    def _on_state(self, state: QueueState) -> None:
        self._words.setText(state.words)
        self._progress.setText(state.progress)
        self.bar.setRange(0, max(1, state.whole))
        self.bar.setValue(state.sent)
        self.bar.setVisible(bool(state.whole))
        self._progress.setVisible(bool(state.progress))
        self.cancel_all.setEnabled(state.waiting > 0)
        self.retry.setEnabled(state.waiting > 0)

    def _on_current(self, *_: object) -> None:
        row = self.current()
        self.edit.setEnabled(row is not None and (row.can_cancel or row.wait is Wait.PERSON))
        self.cancel.setEnabled(row is not None and row.can_cancel)
        self.cancel_talk.setEnabled(row is not None)
        name = f"Cancel what waits for {row.title}" if row is not None else "Cancel conversation’s"
        self.cancel_talk.setAccessibleName(name)

    def _choose_one(self, *_: object) -> None:
        model = self._presenter.model
        if not self.list.currentIndex().isValid() and model.rowCount():
            self.list.setCurrentIndex(model.index(0))
        self._on_current()

    def _on_scrolled(self, value: int) -> None:
        bar = self.list.verticalScrollBar()
        if value >= bar.maximum() - _NEAR_END_PX:
            self._presenter.load_later()
        elif value <= bar.minimum() + _NEAR_END_PX:
            self._presenter.load_earlier()

    def _ask_edit(self, _index: QModelIndex | None = None) -> None:
        row = self.current()
        if row is not None and self.edit.isEnabled():
            self.edit_requested.emit(row)

    def _ask_cancel(self) -> None:
        row = self.current()
        if row is not None and row.can_cancel:
            self.cancel_requested.emit(row)
        elif row is not None:
            self.say("What the service may already have can’t be cancelled.")

    def _ask_cancel_talk(self) -> None:
        row = self.current()
        if row is not None:
            self.cancel_conversation_requested.emit(row)
