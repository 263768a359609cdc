"""Shows the receipt behind a message's seal: plain words first, technical details folded.

It never checks anything itself: it asks, and shows the words it is handed.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ui.models.receipt_words import Line, ReceiptWords
from ui.theme.icons import icon_pixmap
from ui.theme.tokens import Tokens
from ui.theme.widgets import button, label

WIDTH_PX = 620
_SHIELD_PX = 24
_NAME_WIDTH_PX = 150
_FOLDED, _OPEN = "▸ Technical details", "▾ Technical details"


class ReceiptDialog(QDialog):
    """Signals tell what the person asks; `show_words` answers. Closes with Escape or Close."""

    check_requested = Signal()
    copy_requested = Signal()
    save_requested = Signal()

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self.setWindowTitle("Parley")
        self.setProperty("pane", "panel")
        self.setFixedWidth(WIDTH_PX)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 26, 28, 26)
        column.setSpacing(12)
        column.addLayout(self._build_head())
        self._lines = _grid()
        column.addLayout(self._lines)
        self._build_fold(column)
        self.note = label("", "secondary")
        self.note.setWordWrap(True)
        self.note.hide()
        column.addWidget(self.note)
        column.addSpacing(4)
        column.addLayout(self._build_buttons())

    def show_words(self, words: ReceiptWords) -> None:
        """Show a finding; a screen reader is told its first sentences."""
        color = str(getattr(self._tokens, words.tone))
        scale = self.devicePixelRatioF()
        self._shield.setPixmap(icon_pixmap("shield-check", color, _SHIELD_PX, scale))
        self._title.setText(words.title)
        self._subtitle.setText(words.subtitle)
        self.setAccessibleName(words.title)
        _fill(self._lines, words.lines)
        _fill(self._technical, words.technical)
        self._rule.setVisible(bool(words.technical))
        self._fold.setVisible(bool(words.technical))
        self._show_technical()
        self.save.setVisible(words.can_save)
        self.check.setEnabled(True)
        said = QAccessibleAnnouncementEvent(self, f"{words.title}. {words.subtitle}")
        QAccessible.updateAccessibility(said)
        self.adjustSize()

    def show_checking(self, words: ReceiptWords) -> None:
        """Show that a check is under way; it can't be asked for twice."""
        self.show_words(words)
        self.check.setEnabled(False)

    def say(self, sentence: str) -> None:
        """Say what became of a copy or a save."""
        self.note.setText(sentence)
        self.note.setVisible(bool(sentence))

    def texts(self) -> tuple[str, ...]:
        """Return every sentence that is shown, from the top."""
        found = (one.text() for one in self.findChildren(QLabel) if one.isVisibleTo(self))
        return tuple(text for text in found if text)

    def unfold(self, shown: bool) -> None:
        """Show or fold the technical details."""
        self._fold.setChecked(shown)
        self._show_technical()

    def _build_head(self) -> QHBoxLayout:
        self._shield = QLabel()
        self._shield.setFixedSize(_SHIELD_PX, _SHIELD_PX)
        self._shield.setAccessibleName("Archive receipt")
        self._title = label("", "name")
        self._title.setWordWrap(True)
        self._subtitle = label("", "secondary")
        self._subtitle.setWordWrap(True)
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(self._title)
        words.addWidget(self._subtitle)
        row = QHBoxLayout()
        row.setSpacing(20)
        row.addWidget(self._shield)
        row.addLayout(words, 1)
        return row

    def _build_fold(self, column: QVBoxLayout) -> None:
        self._rule = QFrame()
        self._rule.setProperty("line", "top")
        self._rule.setFixedHeight(1)
        self._fold = button(_FOLDED, "link", "Technical details")
        self._fold.setCheckable(True)
        self._fold.setAutoDefault(False)
        self._fold.clicked.connect(lambda: self._show_technical())
        self._details = QWidget()
        self._technical = _grid()
        self._technical.setContentsMargins(0, 0, 0, 0)
        self._details.setLayout(self._technical)
        column.addWidget(self._rule)
        column.addWidget(self._fold, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._details)

    def _build_buttons(self) -> QHBoxLayout:
        self.save = _plain("Save receipt…", "secondary")
        self.save.clicked.connect(self.save_requested)
        self.copy = _plain("Copy reference", "secondary")
        self.copy.clicked.connect(self.copy_requested)
        self.check = _plain("Check again", "primary")
        self.check.clicked.connect(self.check_requested)
        close = _plain("Close", "secondary")
        close.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.setSpacing(10)
        for one in (self.save, self.copy):
            row.addWidget(one)
        row.addStretch(1)
        for one in (close, self.check):
            row.addWidget(one)
        self.check.setDefault(True)
        return row

    def _show_technical(self) -> None:
        shown = self._fold.isChecked() and self._fold.isVisibleTo(self)
        self._fold.setText(_OPEN if self._fold.isChecked() else _FOLDED)
        self._details.setVisible(shown)
        self.adjustSize()


def _plain(text: str, kind: str) -> QPushButton:
    result = button(text, kind)
    result.setAutoDefault(False)
    return result


def _grid() -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(20)
    grid.setVerticalSpacing(8)
    grid.setColumnMinimumWidth(0, _NAME_WIDTH_PX)
    grid.setColumnStretch(1, 1)
    return grid


def _fill(grid: QGridLayout, lines: Sequence[Line]) -> None:
    """Put `lines` in place of what the grid holds."""
    while (item := grid.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
    for row, (name, value) in enumerate(lines):
        words = label(value, "body", selectable=True)
        words.setWordWrap(True)
        words.setAccessibleName(f"{name}: {value}")
        grid.addWidget(label(name, "secondary"), row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(words, row, 1)
