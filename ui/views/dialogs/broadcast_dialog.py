"""One text to several clients: who gets it, as separate chats, before it is sent.

It never sends and never decides: it asks for a check at every change and shows the answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QColor, QFontMetrics
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ui.models.broadcast_lines import MatrixRow, MatrixSummary
from ui.theme.tokens import Tokens
from ui.theme.widgets import label
from ui.views.dialogs.plain_dialog import PlainDialog, field_label

SIZE_PX = (860, 600)
_TEXT_LINES = 4
_CHECK_AFTER_MS = 150
_ROLE = Qt.ItemDataRole.UserRole
_COLUMNS = ("Client", "Channel", "Can get it", "Why")
_TITLE = "One text to several clients"
_NOTE = "Each client gets it in a chat of their own. Nobody sees who else got it."


class BroadcastDialog(PlainDialog):
    """`check_requested` carries a number, the ids ticked and the text; `show_rows` answers it."""

    check_requested = Signal(int, list, str)

    def __init__(
        self, people: Sequence[tuple[str, str]], tokens: Tokens, parent: QWidget | None = None
    ) -> None:
        """`people` are (conversation id, words) of the chats with one client each."""
        super().__init__(_TITLE, _NOTE, parent)
        self.resize(*SIZE_PX)
        self._tokens = tokens
        self._summary: MatrixSummary | None = None
        self._changes = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_CHECK_AFTER_MS)
        self._timer.timeout.connect(self._ask)
        columns = QHBoxLayout()
        columns.setSpacing(16)
        columns.addLayout(self._build_people(people), 2)
        columns.addLayout(self._build_matrix(), 3)
        self.fields.addLayout(columns)
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
        items = (self.people.item(number) for number in range(self.people.count()))
        return [
            str(item.data(_ROLE)) for item in items if item.checkState() is Qt.CheckState.Checked
        ]

    def show_rows(self, number: int, rows: Sequence[MatrixRow], summary: MatrixSummary) -> bool:
        """Show the matrix; False when the text or the people changed since check `number`.

        A screen reader hears the summary.
        """
        if number != self._changes:
            return False
        self.table.setRowCount(len(rows))
        for line, row in enumerate(rows):
            cells = (row.name, row.channel, row.verdict, row.note)
            for column, words in enumerate(cells):
                item = QTableWidgetItem(words)
                item.setData(Qt.ItemDataRole.AccessibleTextRole, row.spoken)
                item.setToolTip(words.replace("<", "&lt;"))
                if column == 2:
                    item.setForeground(QColor(str(getattr(self._tokens, row.tone))))
                self.table.setItem(line, column, item)
        self._summary = summary
        said = self.foot.text()
        self.foot.setText(summary.words if rows else "")
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
        self.people.setEnabled(False)
        self.send.setText("Send to the rest")

    def _build_people(self, people: Sequence[tuple[str, str]]) -> QVBoxLayout:
        find = QLineEdit()
        find.setPlaceholderText("Find a client")
        find.setAccessibleName("Find a client")
        find.setClearButtonEnabled(True)
        find.textChanged.connect(self._narrow)
        self.people = QListWidget()
        self.people.setAccessibleName("Clients")
        for conversation_id, words in people:
            item = QListWidgetItem(words)
            item.setData(_ROLE, conversation_id)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Unchecked)
            self.people.addItem(item)
        self.people.itemChanged.connect(self._changed)
        column = QVBoxLayout()
        column.addWidget(find)
        column.addWidget(self.people, 1)
        return column

    def _build_matrix(self) -> QVBoxLayout:
        self.edit = QPlainTextEdit()
        self.edit.setTabChangesFocus(True)
        line_px = QFontMetrics(self.edit.font()).lineSpacing()
        self.edit.setFixedHeight(line_px * _TEXT_LINES + 16)
        self.edit.textChanged.connect(self._changed)
        self.table = QTableWidget(0, len(_COLUMNS))
        self.table.setHorizontalHeaderLabels(_COLUMNS)
        self.table.setAccessibleName("Who can get it")
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.reason = QLineEdit()
        self.reason.textChanged.connect(lambda _: self._gate())
        self._reason_label = field_label("Reason, kept with each message", self.reason)
        self.foot = label("", "secondary")
        self.foot.setWordWrap(True)
        column = QVBoxLayout()
        column.addWidget(field_label("Message", self.edit))
        column.addWidget(self.edit)
        column.addWidget(self.table, 1)
        for widget in (self._reason_label, self.reason, self.foot):
            column.addWidget(widget)
        for hidden in (self.reason, self._reason_label):
            hidden.hide()
        return column

    def _narrow(self, typed: str) -> None:
        words = typed.casefold().split()
        for number in range(self.people.count()):
            item = self.people.item(number)
            item.setHidden(not all(word in item.text().casefold() for word in words))

    def _changed(self, _item: object = None) -> None:
        self._summary = None  # what stands there was said of another text
        self._changes += 1
        self._gate()
        self._timer.start()

    def _ask(self) -> None:
        self.check_requested.emit(self._changes, self.ticked(), self.text_to_send())

    def _gate(self) -> None:
        """Let Send be pressed only for the very text and people that were checked."""
        if not self.ticked():
            problem = "Choose at least one client."
        elif not self.text_to_send().strip():
            problem = "Write a message."
        elif self._summary is None:
            problem = "Checking…"
        else:
            problem = self._summary.problem(self.reason.text())
        self.send.setEnabled(not problem)
        self.send.setToolTip(problem)
        self.send.setAccessibleDescription(problem)
