"""The page of a Parley that the firm's service no longer works with, with all that is unsent.

It never sends, changes or removes anything.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from ui.models.version_words import TOO_OLD
from ui.theme.tokens import Tokens
from ui.theme.widgets import label
from ui.views.pages.card_page import CardPage

_TEXTS_HEIGHT_PX = 160
_NOTHING = "There are no drafts and no waiting messages on this computer."
_COPY, _COPIED = "Copy my texts", "Copied"


class TooOldPage(CardPage):
    """`look_again_requested` asks the service anew, `save_requested` asks for a file."""

    look_again_requested = Signal()
    save_requested = Signal()
    page_requested = Signal()

    def __init__(
        self, words: str, tokens: Tokens, *, offers_page: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(TOO_OLD, words, tokens, parent)
        heading = label("What you have not sent yet", "strong")
        self.texts = QPlainTextEdit()
        self.texts.setReadOnly(True)
        self.texts.setTabChangesFocus(True)
        self.texts.setFixedHeight(_TEXTS_HEIGHT_PX)
        self.texts.setAccessibleName(heading.text())
        self.texts.setPlaceholderText(_NOTHING)
        self.fault = label("", "error")
        self.fault.setWordWrap(True)
        self.fault.hide()
        for part in (heading, self.texts, self.fault):
            self.body.addWidget(part)
        self.again = self.add_button("Look again", "primary")
        self.copy = self.add_button(_COPY, "secondary")
        self.save = self.add_button("Save my texts…", "secondary")
        self.page = self.add_button("Open your firm's page", "secondary")
        self.page.setVisible(offers_page)
        self.again.clicked.connect(self.look_again_requested)
        self.save.clicked.connect(self.save_requested)
        self.page.clicked.connect(self.page_requested)
        self.copy.clicked.connect(self._on_copy)
        self.show_texts("")

    def show_texts(self, texts: str) -> None:
        """Take what is unsent now."""
        if texts != self.texts.toPlainText():
            self.texts.setPlainText(texts)
            self.copy.setText(_COPY)
        for button in (self.copy, self.save):
            button.setEnabled(bool(texts))

    def show_fault(self, words: str) -> None:
        """Say a sentence below the texts; "" says none."""
        self.fault.setText(words)
        self.fault.setVisible(bool(words))

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.texts.toPlainText())
        self.copy.setText(_COPIED)
