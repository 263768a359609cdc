"""A card in the middle of an empty ground: the mark, a title, a sentence, parts, buttons.

It never knows why it is shown.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ui.theme.icons import icon_pixmap
from ui.theme.tokens import Tokens
from ui.theme.widgets import button, label, pane

_WIDTH_PX = 560
_MARK_PX = 54


class CardPage(QWidget):
    """`body` takes parts below the sentence; buttons stand in one row at the card's foot."""

    def __init__(
        self, title: str, line: str, tokens: Tokens, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(title)
        self.setAccessibleDescription(line)
        ground = pane("background")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(ground)
        around = QVBoxLayout(ground)
        around.setContentsMargins(24, 24, 24, 24)
        around.addStretch(1)
        # A row rather than an alignment: only so a card with wrapped words gets their height.
        centred = QHBoxLayout()
        centred.addStretch(1)
        centred.addWidget(self._card(title, line, tokens))
        centred.addStretch(1)
        around.addLayout(centred)
        around.addStretch(1)

    def add_button(self, text: str, kind: str) -> QPushButton:
        """Add a button at the end of the row."""
        result = button(text, kind)
        self._row.insertWidget(self._row.count() - 1, result)
        return result

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look; colours come from the style sheet, the mark from the accent."""
        self._mark.setPixmap(icon_pixmap("parley", tokens.accent, _MARK_PX, 2.0))

    def _card(self, title: str, line: str, tokens: Tokens) -> QFrame:
        card = QFrame()
        card.setProperty("card", True)
        card.setFixedWidth(_WIDTH_PX)
        column = QVBoxLayout(card)
        column.setContentsMargins(36, 32, 36, 32)
        column.setSpacing(12)
        self._mark = QLabel()
        self._mark.setFixedSize(_MARK_PX, _MARK_PX)
        self._mark.setAccessibleName("Parley")
        self.set_tokens(tokens)
        column.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignHCenter)
        self.title = label(title, "title", selectable=True)
        self.line = label(line, "body", selectable=True)
        for words in (self.title, self.line):
            words.setWordWrap(True)
            words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            words.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            column.addWidget(words)
        self.body = QVBoxLayout()
        self.body.setSpacing(8)
        column.addLayout(self.body)
        self._row = QHBoxLayout()
        self._row.setSpacing(10)
        self._row.addStretch(1)
        self._row.addStretch(1)
        column.addSpacing(4)
        column.addLayout(self._row)
        return card
