"""The field for the reason with which a text goes against a rule.

It never judges the reason: it says what was typed.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from ui.models.finding_answers import MAX_REASON_CHARS
from ui.theme.widgets import label


class ReasonField(QWidget):
    """Shown while a reason is asked for; Enter sends, Escape leads back to the text."""

    edited = Signal(str)
    submitted = Signal()
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 4, 16, 4)
        column.setSpacing(4)
        self._field = QLineEdit()
        self._field.setAccessibleName("Reason for sending")
        self._field.setPlaceholderText("Why may this go? Compliance can read the reason.")
        self._field.setMaxLength(MAX_REASON_CHARS)
        self._field.textEdited.connect(self.edited)
        self._field.returnPressed.connect(self.submitted)
        self._note = label("", "error")
        self._note.setWordWrap(True)
        self._note.hide()
        column.addWidget(self._field)
        column.addWidget(self._note)
        self.hide()

    def show_reason(self, wanted: bool, words: str, note: str) -> None:
        """Show the field with a reason, or hide it; one that appears takes the keyboard."""
        newly = wanted and self.isHidden()
        if self._field.text() != words:
            self._field.setText(words)
        self._note.setText(note)
        self._note.setVisible(bool(note))
        self._field.setAccessibleDescription(note)
        self.setVisible(wanted)
        if newly and not words:
            self._field.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return
        super().keyPressEvent(event)
