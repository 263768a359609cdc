"""The strip for finding words in the open conversation.

It never searches: it says what is looked for and which way to go.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QKeyEvent, QTransform
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QToolButton, QWidget

from ui.theme.icons import icon, icon_pixmap
from ui.theme.tokens import Tokens
from ui.theme.widgets import label


class FindBar(QFrame):
    """Enter goes to the next older message, Shift+Enter to the next newer one, Esc closes."""

    asked = Signal(str)
    step_requested = Signal(int)
    closed = Signal()

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("findBar")
        self.setAccessibleName("Find in this conversation")
        self.field = QLineEdit()
        self.field.setAccessibleName("Find in this conversation")
        self.field.setPlaceholderText("Find in this conversation")
        self.field.textChanged.connect(self.asked)
        self.field.installEventFilter(self)
        self._count = label("", "secondary")
        self._next = self._quiet("Next older message")
        self._close = self._quiet("Close")
        self._next.clicked.connect(lambda: self.step_requested.emit(1))
        self._close.clicked.connect(self.close_bar)
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 6, 16, 6)
        row.setSpacing(8)
        row.addWidget(self.field, 1)
        row.addWidget(self._count)
        row.addWidget(self._next)
        row.addWidget(self._close)
        self.set_tokens(tokens)
        self.hide()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        # Older messages stand above: the arrow points there.
        upwards = QTransform().rotate(180)
        self._next.setIcon(
            QIcon(icon_pixmap("arrow-down", tokens.ink2, 16, 2.0).transformed(upwards))
        )
        self._close.setIcon(icon("x", tokens.ink2, 16))
        self.setStyleSheet(
            f"QFrame#findBar {{ background: {tokens.panel}; border: none;"
            f" border-bottom: 1px solid {tokens.line}; }}"
        )

    def open_bar(self) -> None:
        """Show the strip with the keyboard in its field."""
        self.show()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def close_bar(self) -> None:
        """Hide the strip and forget what was looked for."""
        if self.isVisible():
            self.hide()
            self.field.clear()
            self.closed.emit()

    def show_place(self, number: int, count: int, is_more: bool = False) -> None:
        """Say "2 of 14", "2 of 500+" when `is_more`; with no hit while something is asked, so."""
        if not self.field.text().strip():
            self._count.setText("")
        else:
            self._count.setText(f"{number} of {count}{'+' * is_more}" if count else "Nothing found")

    def _quiet(self, name: str) -> QToolButton:
        result = QToolButton()
        result.setProperty("kind", "quiet")
        result.setIconSize(QSize(16, 16))
        result.setAccessibleName(name)
        result.setToolTip(name)
        return result

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            watched is self.field
            and event.type() == QEvent.Type.KeyPress
            and isinstance(event, QKeyEvent)
        ):
            if event.key() == Qt.Key.Key_Escape:
                self.close_bar()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                back = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
                self.step_requested.emit(-1 if back else 1)
                return True
        return super().eventFilter(watched, event)
