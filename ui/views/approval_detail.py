"""Shows one held message to the supervisor: text, findings, the author's reason, the decision.

It never decides: it says what was pressed.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from ui.models.approval_words import ApprovalDetail, FindingLine
from ui.models.waiting_presenter import MAX_NOTE_CHARS
from ui.theme.icons import icon_pixmap
from ui.theme.tokens import Tokens
from ui.theme.widgets import button, hairline, label
from ui.views.composer_edit import ComposerEdit
from ui.views.tab_order import join_tab_order

_ICONS = {"block": "octagon-x", "warn": "triangle-alert", "hint": "info"}

_ALL_LINES = 1_000_000
_PAGE_KEYS = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}


class ApprovalDetailView(QFrame):
    """The card beside the queue; `decided` carries True to approve, False to reject."""

    decided = Signal(bool)
    note_edited = Signal(str)

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._shown: ApprovalDetail | None = None
        self.setProperty("card", True)
        self._build()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        self._text.set_tokens(tokens)
        if self._shown is not None:
            self._show_findings(self._shown)

    def show_detail(self, detail: ApprovalDetail, note: str) -> None:
        """Show a held message with the note typed for it so far."""
        known, self._shown = self._shown, detail
        if self._note.text() != note:
            self._note.setText(note)
        if detail == known:
            return
        self.setAccessibleName(detail.title)
        self._title.setText(detail.title)
        self._line.setText(detail.line)
        self._text.setPlainText(detail.text)
        self._text.setVisible(bool(detail.text))
        self._text.set_underlines(detail.underlines)
        self._files.setText("\n".join(detail.files))
        self._files.setVisible(bool(detail.files))
        reason = f"“{detail.reason}”" if detail.reason else "No reason was given."
        self._reason.setText(reason)
        self._reason.setAccessibleDescription(reason)
        self._note.setPlaceholderText(f"A note to {detail.author}; a rejection needs one")
        self._show_findings(detail)
        self._scroll.verticalScrollBar().setValue(0)
        join_tab_order(self)

    def show_deciding(self, deciding: bool, said: str) -> None:
        """Take no second decision while one is being made; say what came of the last."""
        self._approve.setEnabled(not deciding)
        self._reject.setEnabled(not deciding)
        self._said.setText(said)
        self._said.setVisible(bool(said))

    def focus_note(self) -> None:
        """Put the keyboard where the note is typed."""
        self._note.setFocus(Qt.FocusReason.OtherFocusReason)

    def _build(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 1, 1, 1)
        outer.setSpacing(0)
        scroll = self._scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setAccessibleName("Held message")
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inner = QWidget()
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(22, 20, 22, 12)
        self._column.setSpacing(8)
        self._build_words()
        scroll.setWidget(inner)
        outer.addWidget(scroll, 1)
        outer.addWidget(hairline())
        outer.addLayout(self._build_decision())

    def _build_words(self) -> None:
        self._title, self._line = label("", "name"), label("", "secondary")
        self._title.setWordWrap(True)
        self._line.setWordWrap(True)
        # Nobody approves what stands below a fold: the text is shown whole, the card scrolls.
        self._text = ComposerEdit(self._tokens, most_lines=_ALL_LINES)
        self._text.setReadOnly(True)
        self._text.setAccessibleName("Text of the message")
        self._text.setAccessibleDescription("")
        self._files = label("", "secondary", selectable=True)
        self._files.setWordWrap(True)
        self._files.setAccessibleName("Files")
        self._reason = label("", "body", selectable=True)
        self._reason.setWordWrap(True)
        self._reason.setAccessibleName("The author’s reason")
        bubble = QFrame()
        bubble.setProperty("banner", "info")
        within = QVBoxLayout(bubble)
        within.setContentsMargins(14, 10, 14, 8)
        within.addWidget(self._text)
        within.addWidget(self._files)
        self._findings = QVBoxLayout()
        self._findings.setSpacing(8)
        self._column.addWidget(self._title)
        self._column.addWidget(self._line)
        self._column.addWidget(bubble)
        self._column.addSpacing(4)
        self._column.addWidget(label("WHAT THE RULES FOUND", "section"))
        self._column.addLayout(self._findings)
        self._column.addSpacing(4)
        self._column.addWidget(label("THE AUTHOR’S REASON", "section"))
        self._column.addWidget(self._reason)
        self._column.addStretch(1)

    def _build_decision(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setContentsMargins(22, 12, 22, 16)
        column.setSpacing(8)
        self._note = QLineEdit()
        self._note.setAccessibleName("Note to the author")
        self._note.setMaxLength(MAX_NOTE_CHARS)
        self._note.textEdited.connect(self.note_edited)
        self._said = label("", "secondary")
        self._said.setWordWrap(True)
        self._said.hide()
        self._approve = button("Approve and send", "primary")
        self._reject = button("Reject", "secondary")
        self._approve.clicked.connect(lambda: self.decided.emit(True))
        self._reject.clicked.connect(lambda: self.decided.emit(False))
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self._said, 1)
        row.addStretch(0)
        row.addWidget(self._reject)
        row.addWidget(self._approve)
        column.addWidget(self._note)
        column.addLayout(row)
        return column

    def _show_findings(self, detail: ApprovalDetail) -> None:
        while (item := self._findings.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for line in detail.findings:
            self._findings.addWidget(self._finding(line))

    def _finding(self, line: FindingLine) -> QWidget:
        home = QWidget()
        row = QHBoxLayout(home)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        mark = label("")
        colors = {"block": self._tokens.block, "warn": self._tokens.warn}
        color = colors.get(line.severity, self._tokens.accent)
        mark.setPixmap(icon_pixmap(_ICONS[line.severity], color, 16))
        words = QVBoxLayout()
        words.setSpacing(1)
        for text, kind in (
            (line.headline, "strong"),
            (line.detail, "body"),
            (line.why, "secondary"),
        ):
            if text:
                part = label(text, kind)
                part.setWordWrap(True)
                words.addWidget(part)
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        return home

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let the page keys scroll the message while the note or a button has the focus."""
        pages = _PAGE_KEYS.get(Qt.Key(event.key()))
        if pages is None:
            super().keyPressEvent(event)
            return
        bar = self._scroll.verticalScrollBar()
        bar.setValue(bar.value() + pages * bar.pageStep())
