"""The frame of every dialog: a title, sentences, fields, buttons.

It never opens itself; ui.bridge.dialogs does.
"""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ui.theme.widgets import button, label


class PlainDialog(QDialog):
    """`fields` takes what lies between the sentences and the buttons."""

    def __init__(self, title: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Parley")
        self.setAccessibleName(title)
        self.setProperty("pane", "panel")
        self.setMinimumWidth(460)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 24, 28, 24)
        column.setSpacing(12)
        column.addWidget(label(title, "title"))
        self.text = label(text)
        self.text.setWordWrap(True)
        column.addWidget(self.text)
        self.fields = QVBoxLayout()
        self.fields.setSpacing(8)
        column.addLayout(self.fields)
        self.error = label("", "error")
        self.error.setWordWrap(True)
        self.error.hide()
        column.addWidget(self.error)
        self._row = QHBoxLayout()
        self._row.addStretch(1)
        column.addSpacing(8)
        column.addLayout(self._row)

    def add_button(self, text: str, kind: str, *, accepts: bool) -> QPushButton:
        """Add a button that accepts or rejects; the last accepting one is the default."""
        result = button(text, kind)
        result.clicked.connect(self.accept if accepts else self.reject)
        result.setDefault(accepts)
        self._row.addWidget(result)
        return result

    def add_aside(self, widget: QWidget) -> None:
        """Put a widget at the row's other end, away from the buttons that end the dialog."""
        self._row.insertWidget(0, widget)

    def add_reason_line(self) -> QLabel:
        """Return a line beside the buttons that says why one of them is off."""
        result = label("", "secondary")
        self.add_aside(result)
        return result

    def show_error(self, words: str) -> None:
        """Say a sentence above the buttons; "" says none."""
        self.error.setText(words)
        self.error.setVisible(bool(words))


def field_label(text: str, buddy: QWidget) -> QLabel:
    """Return a label for `buddy`, which takes its words as accessible name."""
    result = label(text, "secondary")
    result.setBuddy(buddy)
    buddy.setAccessibleName(text)
    return result
