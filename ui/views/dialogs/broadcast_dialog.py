"""One text to several clients: who gets it, as separate chats, before it is sent.

It never sends and never decides: it asks for a check at every change and shows the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QFontMetrics
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from ui.models.broadcast_lines import ClientChat, MatrixRow, MatrixSummary
from ui.models.finding_answers import MAX_REASON_CHARS
from ui.theme.tokens import Tokens
from ui.theme.widgets import label
from ui.views.dialogs.client_choice import ClientChoice
from ui.views.dialogs.plain_dialog import PlainDialog, field_label
from ui.views.dialogs.reach_table import ReachTable

SIZE_PX = (1000, 620)
_TEXT_LINES = 5
_CHECK_AFTER_MS = 150
_TITLE = "One text to several clients"
_NOTE = "Each client gets it in a chat of their own. Nobody sees who else got it."
_BEFORE = "Choose clients and write the message: who can get it stands here before anything goes."


class BroadcastDialog(PlainDialog):
    """`check_requested` carries a number, the ids ticked and the text; `show_rows` answers it.

    `text_changed` is emitted while the text is typed, so that it can be kept.
    """

    check_requested = Signal(int, list, str)
    text_changed = Signal(str)

    def __init__(
        self,
        chats: Sequence[ClientChat],
        tokens: Tokens,
        most_people: int,
        parent: QWidget | None = None,
    ) -> None:
        """`chats` are those with one client each; `most_people` may be written to at a time."""
        super().__init__(_TITLE, _NOTE, parent)
        self.resize(*SIZE_PX)
        self._most_people = most_people
        self._summary: MatrixSummary | None = None
        self._changes = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_CHECK_AFTER_MS)
        self._timer.timeout.connect(self._ask)
        self.choice = ClientChoice(chats, tokens)
        self.choice.changed.connect(self._changed)
        self.people = self.choice.list
        columns = QHBoxLayout()
        columns.setSpacing(20)
        columns.addWidget(self.choice, 2)
        columns.addLayout(self._build_matrix(tokens), 3)
        self.fields.addLayout(columns, 1)
        self._why = self.add_reason_line()
        self.add_button("Cancel", "secondary", accepts=False)
        self.send = self.add_button("Send", "primary", accepts=True)
        self.send.setDefault(False)  # Return in the reason must not send by itself
        self.send.setAutoDefault(False)
        self._gate()

    def text_to_send(self) -> str:
        """Return the text as typed."""
        return self.edit.toPlainText()

    def reason_given(self) -> str:
        """Return the reason typed, for every message."""
        return self.reason.text()

    def ticked(self) -> list[str]:
        """Return the conversation ids chosen, in the list's order."""
        return self.choice.ticked()

    def restore(self, text: str, conversation_ids: Collection[str], words: str = "") -> None:
        """Go on with what was begun before; `words` say how far it came."""
        self.edit.setPlainText(text)
        self.choice.tick(conversation_ids)
        self.show_error(words)

    def show_rows(self, number: int, rows: Sequence[MatrixRow], summary: MatrixSummary) -> bool:
        """Show the matrix; False when the text or the people changed since check `number`.

        A screen reader hears the summary.
        """
        if number != self._changes:
            return False
        self.table.show_rows(rows)
        self.table.setVisible(bool(rows))
        self._before.setVisible(not rows)
        self._summary = summary
        said = self.foot.text()
        self.foot.setText(summary.words if rows else "")
        self.foot.setVisible(bool(rows))
        self.send.setText(summary.button)
        for widget in (self.reason, self._reason_label):
            widget.setVisible(summary.needs_reason)
        self._gate()
        if rows and said != summary.words:
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, summary.words))
        return True

    def lock(self, words: str) -> None:
        """Say why it went to some only; what is left goes with the same text and people."""
        self.show_error(words)
        self.edit.setReadOnly(True)
        self.choice.set_locked()
        self.send.setText("Send to the rest")
        self._gate()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, words))

    def _build_matrix(self, tokens: Tokens) -> QVBoxLayout:
        self.edit = QPlainTextEdit()
        self.edit.setTabChangesFocus(True)
        line_px = QFontMetrics(self.edit.font()).lineSpacing()
        self.edit.setFixedHeight(line_px * _TEXT_LINES + 26)
        self.edit.textChanged.connect(self._changed)
        self.edit.textChanged.connect(lambda: self.text_changed.emit(self.text_to_send()))
        self.table = ReachTable(tokens)
        self.table.hide()
        self._before = label(_BEFORE, "secondary")
        self._before.setWordWrap(True)
        self._before.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.reason = QLineEdit()
        self.reason.setMaxLength(MAX_REASON_CHARS)
        self.reason.textChanged.connect(lambda _: self._gate())
        self._reason_label = field_label("Reason, kept with each message", self.reason)
        self.foot = label("", "strong")
        self.foot.setWordWrap(True)
        column = QVBoxLayout()
        column.setSpacing(6)
        column.addWidget(field_label("Message", self.edit))
        column.addWidget(self.edit)
        column.addWidget(self._before, 1)
        column.addWidget(self.table, 1)
        for widget in (self.foot, self._reason_label, self.reason):
            column.addWidget(widget)
            widget.hide()
        return column

    def _changed(self) -> None:
        self._summary = None  # what stands there was said of another text
        self._changes += 1
        self._gate()
        self._timer.start()

    def _ask(self) -> None:
        self.check_requested.emit(self._changes, self.ticked(), self.text_to_send())

    def _problem(self) -> str:
        over = self.choice.count() - self._most_people
        if not self.choice.count():
            return "Choose at least one client."
        if over > 0:
            return f"{self._most_people} clients at most at a time: take {over} away."
        if not self.text_to_send().strip():
            return "Write a message."
        if self._summary is None:
            return "Checking…"
        return self._summary.problem(self.reason.text())

    def _gate(self) -> None:
        """Let Send be pressed only for the very text and people that were checked."""
        problem = self._problem()
        self.send.setEnabled(not problem)
        self.send.setToolTip(problem)
        self.send.setAccessibleDescription(problem)
        self._why.setText(problem)
