"""The small strips of the composer: what is being answered, and which files go along.

It never uploads or looks up anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QToolButton, QWidget

from ui.models.composer_state import QuotedMessage, Upload, UploadStep
from ui.theme.icons import icon
from ui.theme.tokens import Tokens
from ui.theme.widgets import ElidedLabel, button, label, restyle
from ui.views.tab_order import join_tab_order

_CHIPS_IN_A_ROW = 2


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
            name = "Changing your message" if quote.edited else quote.author_name
            self._author.setText(name)
            self._text.set_full_text(quote.text.replace("\n", " "))
            self.setAccessibleName(name if quote.edited else f"Answering {name}")


class UploadChips(QWidget):
    """One chip a file, two in a row; a chip keeps its widget, and so the focus, as it goes on."""

    remove_requested = Signal(int)
    retry_requested = Signal(int)

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens
        self._chips: dict[int, UploadChip] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(16, 4, 16, 4)
        self._grid.setSpacing(8)
        for column in range(_CHIPS_IN_A_ROW):
            self._grid.setColumnStretch(column, 1)
        self.setAccessibleName("Files")
        self.hide()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        for chip in self._chips.values():
            chip.set_tokens(tokens)

    def show_uploads(self, uploads: Sequence[Upload]) -> None:
        """Show one chip for each file."""
        for number in set(self._chips) - {upload.number for upload in uploads}:
            old = self._chips.pop(number)
            self._grid.removeWidget(old)
            old.hide()
            old.deleteLater()
        for place, upload in enumerate(uploads):
            chip = self._chips.get(upload.number) or self._new_chip(upload.number)
            chip.show_upload(upload)
            self._grid.addWidget(chip, place // _CHIPS_IN_A_ROW, place % _CHIPS_IN_A_ROW)
        self.setVisible(bool(uploads))
        join_tab_order(self)

    def show_percent(self, number: int, percent: int) -> None:
        """Count a file on its way up."""
        if number in self._chips:
            self._chips[number].show_percent(percent)

    def _new_chip(self, number: int) -> UploadChip:
        chip = UploadChip(self._tokens, self)
        chip.removed.connect(lambda: self.remove_requested.emit(number))
        chip.retried.connect(lambda: self.retry_requested.emit(number))
        self._chips[number] = chip
        return chip


class UploadChip(QFrame):
    """One file: its name, how far it came, and a way to try again or to take it off."""

    removed = Signal()
    retried = Signal()

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", True)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 2, 4, 2)
        row.setSpacing(6)
        self._name = ElidedLabel("", "secondary")
        self._progress = label("", "secondary")
        self._again = button("Try again", "link")
        self._again.clicked.connect(self.retried)
        self._remove = close_button(tokens, "Remove")
        self._remove.clicked.connect(self.removed)
        row.addWidget(self._name, 1)
        row.addWidget(self._progress)
        row.addWidget(self._again)
        row.addWidget(self._remove)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._remove.setIcon(icon("x", tokens.ink2, 14))

    def show_upload(self, upload: Upload) -> None:
        """Say how a file stands."""
        running = upload.step is UploadStep.RUNNING
        failed = upload.step is UploadStep.FAILED
        act = f"Stop uploading {upload.name}" if running else f"Remove {upload.name}"
        self._name.set_full_text(upload.name)
        self._say(_progress(upload))
        self.setToolTip(upload.fault or upload.name)
        restyle(self._progress, "look", "error" if failed else "secondary")
        self._again.setVisible(failed and upload.path is not None)
        self._again.setAccessibleName(f"Upload {upload.name} again")
        self._remove.setAccessibleName(act)
        self._remove.setToolTip(act)

    def show_percent(self, percent: int) -> None:
        """Count."""
        self._say(_percent_words(percent))

    def _say(self, words: str) -> None:
        self._progress.setText(words)
        self.setAccessibleName(f"{self._name.full_text()}, {words}")


def size_text(size_bytes: int) -> str:
    """Return a size as people read it: "412 KB", "1.8 MB"; "" for 0."""
    if size_bytes <= 0:
        return ""
    if size_bytes < 1_000_000:
        return f"{max(1, round(size_bytes / 1000))} KB"
    return f"{size_bytes / 1_000_000:.1f} MB"


def _progress(upload: Upload) -> str:
    if upload.step is UploadStep.RUNNING and not upload.size_bytes:
        return "checking…"  # its size is told once it was inspected
    if upload.step is UploadStep.RUNNING:
        return _percent_words(upload.percent)
    if upload.step is UploadStep.FAILED:
        return "not uploaded"
    return size_text(upload.size_bytes) or "ready"


def _percent_words(percent: int) -> str:
    return f"uploading, {percent} %"
