"""The small strips of the composer: what is being answered, and which files go along.

It never uploads or looks up anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QWidget

from ui.models.composer_state import QuotedMessage, Upload, UploadStep
from ui.theme.icons import icon
from ui.theme.tokens import Tokens
from ui.theme.widgets import ElidedLabel, button, label


def close_button(tokens: Tokens, name: str) -> QToolButton:
    """Return a quiet ✕ called `name`."""
    result = QToolButton()
    result.setProperty("kind", "quiet")
    result.setIcon(icon("x", tokens.ink2, 14))
    result.setIconSize(QSize(14, 14))
    result.setAccessibleName(name)
    result.setToolTip(name)
    return result


class QuoteStrip(QFrame):
    """The message being answered, with a way to answer none."""

    removed = Signal()

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 10, 0)
        row.setSpacing(8)
        self._bar = QFrame()
        self._bar.setFixedWidth(3)
        self._author = label("", "strong")
        self._text = ElidedLabel("", "secondary")
        self._remove = close_button(tokens, "Answer no message")
        self._remove.clicked.connect(self.removed)
        row.addWidget(self._bar)
        row.addWidget(self._author)
        row.addWidget(self._text, 1)
        row.addWidget(self._remove)
        self.set_tokens(tokens)
        self.hide()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._bar.setStyleSheet(f"background: {tokens.accent}; border: none;")
        self._remove.setIcon(icon("x", tokens.ink2, 14))

    def show_quote(self, quote: QuotedMessage | None) -> None:
        """Show what is answered; None hides the strip."""
        self.setVisible(quote is not None)
        if quote is not None:
            self._author.setText(quote.author_name)
            self._text.set_full_text(quote.text.replace("\n", " "))
            self.setAccessibleName(f"Answering {quote.author_name}")


class UploadChips(QWidget):
    """One chip a file, with its progress in words."""

    remove_requested = Signal(int)
    retry_requested = Signal(int)

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._shown: tuple[Upload, ...] = ()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(16, 4, 16, 4)
        self._row.setSpacing(8)
        self.setAccessibleName("Files")
        self.hide()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        shown, self._shown = self._shown, ()
        self.show_uploads(shown)

    def show_uploads(self, uploads: Sequence[Upload]) -> None:
        """Show one chip for each file."""
        if tuple(uploads) == self._shown:
            return
        self._shown = tuple(uploads)
        while (item := self._row.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.hide()
                old.deleteLater()
        for upload in self._shown:
            self._row.addWidget(self._chip(upload))
        self._row.addStretch(1)
        self.setVisible(bool(self._shown))

    def _chip(self, upload: Upload) -> QWidget:
        chip = QFrame()
        chip.setProperty("card", True)
        row = QHBoxLayout(chip)
        row.setContentsMargins(10, 2, 4, 2)
        words = label(f"{upload.name} · {_progress(upload)}", "secondary")
        words.setMaximumWidth(280)
        words.setToolTip(upload.fault or upload.name)
        row.addWidget(words)
        if upload.step is UploadStep.FAILED and upload.path is not None:
            again = button("Try again", "link", f"Upload {upload.name} again")
            again.clicked.connect(lambda: self.retry_requested.emit(upload.number))
            row.addWidget(again)
        remove = close_button(self._tokens, f"Remove {upload.name}")
        remove.clicked.connect(lambda: self.remove_requested.emit(upload.number))
        row.addWidget(remove)
        return chip


def size_text(size_bytes: int) -> str:
    """Return a size as people read it: "412 KB", "1.8 MB"; "" for 0."""
    if size_bytes <= 0:
        return ""
    if size_bytes < 1_000_000:
        return f"{max(1, round(size_bytes / 1000))} KB"
    return f"{size_bytes / 1_000_000:.1f} MB"


def _progress(upload: Upload) -> str:
    if upload.step is UploadStep.RUNNING:
        return "uploading…"
    if upload.step is UploadStep.FAILED:
        return "not uploaded"
    return size_text(upload.size_bytes) or "ready"
