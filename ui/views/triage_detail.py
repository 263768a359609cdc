"""Shows one unknown sender to the owner: what was written, a note, and the three decisions.

It never decides: it says what was pressed.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from contract.triage import TriageAction
from ui.models.triage_words import TriageDetail, TriageLine
from ui.models.waiting_presenter import MAX_NOTE_CHARS
from ui.theme.tokens import Tokens
from ui.theme.widgets import button, hairline, label
from ui.views.pages.settings import ChoiceBox
from ui.views.tab_order import join_tab_order

_STRANGER = "Joins the book as a new client, unless it is somebody you know."


class TriageDetailView(QFrame):
    """The card beside the queue; `decided` carries the action and who gets an assigned sender.

    `link_requested` and `unlink_requested` ask for a client of the book that the sender is.
    """

    decided = Signal(object, str)
    note_edited = Signal(str)
    link_requested = Signal()
    unlink_requested = Signal()

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._shown: TriageDetail | None = None
        self.setProperty("card", True)
        self._build()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        self._to.set_chevron(tokens.ink2)

    def show_detail(self, detail: TriageDetail, note: str, linked: str = "") -> None:
        """Show an unknown sender with the note typed so far; `linked` names the client it is."""
        known, self._shown = self._shown, detail
        self._show_link(detail, linked)
        if self._note.text() != note:
            self._note.setText(note)
        if detail == known:
            return
        self.setAccessibleName(detail.title)
        self._title.setText(detail.title)
        self._line.setText(detail.line)
        self._older.setText(detail.older)
        self._older.setVisible(bool(detail.older))
        self._show_lines(detail.lines)
        chosen = self._to.currentData()
        self._to.clear()
        for employee_id, name in detail.colleagues:
            self._to.addItem(name, employee_id)
        self._to.setCurrentIndex(max(0, self._to.findData(chosen)))
        join_tab_order(self)

    def show_deciding(self, deciding: bool, said: str) -> None:
        """Take no second decision while one is being made; say what came of the last."""
        self._claim.setEnabled(not deciding)
        self._assign.setEnabled(not deciding and self._to.count() > 0)
        self._dismiss.setEnabled(not deciding)
        self._said.setText(said)
        self._said.setVisible(bool(said))

    def focus_note(self) -> None:
        """Put the keyboard where the note is typed."""
        self._note.setFocus()

    def _build(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, 1)
        outer.setSpacing(0)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setAccessibleName("What the sender wrote")
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(22, 20, 22, 12)
        column.setSpacing(10)
        self._title, self._line = label("", "name"), label("", "secondary")
        self._older = label("", "secondary")
        for one in (self._title, self._line, self._older):
            one.setWordWrap(True)
            column.addWidget(one)
        self._lines = QVBoxLayout()
        self._lines.setSpacing(8)
        column.addLayout(self._lines)
        column.addStretch(1)
        scroll.setWidget(inner)
        outer.addWidget(scroll, 1)
        outer.addWidget(hairline())
        outer.addLayout(self._build_decision())

    def _build_decision(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setContentsMargins(22, 12, 22, 16)
        column.setSpacing(8)
        self._note = QLineEdit()
        self._note.setAccessibleName("Note for the archive")
        self._note.setPlaceholderText("A note for the archive; a dismissal needs one")
        self._note.setMaxLength(MAX_NOTE_CHARS)
        self._note.textEdited.connect(self.note_edited)
        self._said = label("", "secondary")
        self._said.setWordWrap(True)
        self._said.hide()
        self._to = ChoiceBox("Colleague", self._tokens.ink2)
        self._dismiss = button("Dismiss", "secondary")
        self._assign = button("Assign", "secondary")
        self._claim = button("Take over", "primary")
        for one, action in (
            (self._dismiss, TriageAction.DISMISS),
            (self._assign, TriageAction.ASSIGN),
            (self._claim, TriageAction.CLAIM),
        ):
            one.clicked.connect(lambda _checked=False, action=action: self._on_pressed(action))
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self._dismiss)
        row.addStretch(1)
        row.addWidget(self._to)
        row.addWidget(self._assign)
        row.addWidget(self._claim)
        column.addLayout(self._build_link())
        column.addWidget(self._note)
        column.addWidget(self._said)
        column.addLayout(row)
        return column

    def _build_link(self) -> QHBoxLayout:
        self._link_words = label("", "secondary")
        self._link_words.setWordWrap(True)
        self._link = button("Link to a client…", "link")
        self._link.clicked.connect(self.link_requested)
        self._unlink = button("Don’t link", "link")
        self._unlink.clicked.connect(self.unlink_requested)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self._link_words, 1)
        row.addWidget(self._link)
        row.addWidget(self._unlink)
        return row

    def _show_link(self, detail: TriageDetail, linked: str) -> None:
        words = f"Is {linked}: the address joins this client." if linked else _STRANGER
        self._link_words.setText(words if detail.linkable else "")
        self._link.setVisible(detail.linkable and not linked)
        self._unlink.setVisible(detail.linkable and bool(linked))

    def _on_pressed(self, action: TriageAction) -> None:
        chosen = self._to.currentData() if action is TriageAction.ASSIGN else ""
        self.decided.emit(action, chosen or "")

    def _show_lines(self, lines: tuple[TriageLine, ...]) -> None:
        while (item := self._lines.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for line in lines:
            self._lines.addWidget(_bubble(line))


def _bubble(line: TriageLine) -> QWidget:
    bubble = QFrame()
    if not line.ours:
        bubble.setProperty("banner", "info")
    within = QVBoxLayout(bubble)
    within.setContentsMargins(14, 10, 14, 10)
    within.setSpacing(2)
    within.addWidget(label(line.head, "secondary"))
    words = label(line.text, "secondary" if line.ours else "body", selectable=True)
    words.setWordWrap(True)
    words.setAccessibleName(f"{line.head}: {line.text}")
    within.addWidget(words)
    return bubble
