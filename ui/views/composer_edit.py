"""Owns the text field of the composer: keys, composition, growth, files dropped or pasted.

It never sends anything: it says that the user asked to.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from pathlib import Path

from PySide6.QtCore import QMimeData, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QInputMethodEvent,
    QKeyEvent,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QTextEdit, QWidget

from ui.models.findings import Underline
from ui.theme.tokens import Tokens, qcolor

MAX_LINES = 8
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class ComposerEdit(QPlainTextEdit):
    """A growing plain-text field; Enter asks to send when `enter_sends` is set."""

    submit_requested = Signal()
    file_offered = Signal(str)
    left = Signal()

    def __init__(
        self, tokens: Tokens, parent: QWidget | None = None, *, most_lines: int = MAX_LINES
    ) -> None:
        """The field grows to `most_lines`, then it scrolls."""
        super().__init__(parent)
        self.enter_sends = True
        self._most_lines = most_lines
        self._tokens = tokens
        self._underlines: tuple[Underline, ...] = ()
        self._preedit = ""
        self._just_committed = False
        self.setProperty("bare", True)
        self.setAccessibleName("Message")
        self.setAccessibleDescription("Enter sends, Shift and Enter begin a new line")
        self.setTabChangesFocus(True)
        self.setCenterOnScroll(False)
        self.document().setDocumentMargin(0)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        self.setExtraSelections([self._selection(line) for line in self._underlines])

    def set_underlines(self, underlines: Sequence[Underline]) -> None:
        """Draw a wavy line below each span (UTF-16 units of the text now held)."""
        wanted = tuple(underlines)
        if wanted == self._underlines and self._marked() == [(w.start, w.end) for w in wanted]:
            return  # setting them again would have the whole field drawn anew
        self._underlines = wanted
        self.setExtraSelections([self._selection(line) for line in wanted])

    def replace_span(self, start: int, end: int, words: str, *, closing_up: bool = False) -> None:
        """Put `words` in the place of [start, end) UTF-16 units, as one step to undo.

        `closing_up` takes one space along where two would be left side by side.
        """
        if closing_up:
            start, end = self._closed_up(start, end)
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(words)
        cursor.endEditBlock()
        self.setTextCursor(cursor)
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def append_words(self, words: str) -> None:
        """Put `words` below the text, as one step to undo."""
        text = self.toPlainText()
        kept_units = self.document().characterCount() - 1 - (len(text) - len(text.rstrip()))
        end = self.document().characterCount() - 1
        self.replace_span(kept_units, end, f"\n\n{words}" if kept_units else words)

    def is_composing(self) -> bool:
        """Return True while an input method shows text that is not entered yet."""
        return bool(self._preedit) or self._just_committed

    def _marked(self) -> list[tuple[int, int]]:
        """Return where the marks stand by now: they moved along with the text."""
        cursors = (selection.cursor for selection in self.extraSelections())
        return [(cursor.selectionStart(), cursor.selectionEnd()) for cursor in cursors]

    def _closed_up(self, start: int, end: int) -> tuple[int, int]:
        document = self.document()
        last = document.characterCount() - 1
        at_start = start == 0 or document.characterAt(start - 1).isspace()
        if at_start and end < last and document.characterAt(end) == " ":
            return start, end + 1
        if end == last and start > 0 and document.characterAt(start - 1) == " ":
            return start - 1, end
        return start, end

    def _selection(self, line: Underline) -> QTextEdit.ExtraSelection:
        names = {"block": self._tokens.block, "warn": self._tokens.warn}
        selection = QTextEdit.ExtraSelection()
        form = QTextCharFormat()
        form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
        form.setUnderlineColor(qcolor(names.get(line.severity, self._tokens.accent)))
        if line.severity == "block":
            form.setBackground(QColor(self._tokens.block_soft))
        cursor = QTextCursor(self.document())
        last = self.document().characterCount() - 1
        cursor.setPosition(min(line.start, last))
        cursor.setPosition(min(line.end, last), QTextCursor.MoveMode.KeepAnchor)
        selection.cursor = cursor
        selection.format = form
        return selection

    def _fit(self) -> None:
        lines = max(1, round(self.document().documentLayout().documentSize().height()))
        line_px = self.fontMetrics().lineSpacing()
        height_px = max(line_px, ceil(self._lines_height_px())) + 8
        if height_px != self.height() or self.minimumHeight() != height_px:
            self.setFixedHeight(height_px)
        policy = Qt.ScrollBarPolicy
        overflow = lines > self._most_lines
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAsNeeded if overflow else policy.ScrollBarAlwaysOff
        )

    def _lines_height_px(self) -> float:
        """Return how high the first lines are: those of other scripts are higher than ours."""
        height, left = 0.0, self._most_lines
        block = self.document().firstBlock()
        while block.isValid() and left > 0:
            self.document().documentLayout().blockBoundingRect(block)  # lays it out where needed
            layout = block.layout()
            count = layout.lineCount()
            height += sum(layout.lineAt(number).height() for number in range(min(count, left)))
            left -= max(1, count)
            block = block.next()
        return height

    def _on_commit_settled(self) -> None:
        self._just_committed = False

    def _is_send_key(self, event: QKeyEvent) -> bool:
        if event.key() not in _ENTER:
            return False
        held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if held == Qt.KeyboardModifier.ControlModifier:
            return True
        return self.enter_sends and held == Qt.KeyboardModifier.NoModifier

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _ENTER and self.is_composing():
            # This Enter belongs to the input method: it neither sends nor breaks the line.
            event.accept()
            return
        if self._is_send_key(event):
            event.accept()
            if not event.isAutoRepeat():
                self.submit_requested.emit()
            return
        super().keyPressEvent(event)

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        self._preedit = event.preeditString()
        if event.commitString():
            # Some systems deliver the confirming Enter right behind the text it entered.
            self._just_committed = True
            QTimer.singleShot(0, self, self._on_commit_settled)
        super().inputMethodEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._preedit = ""
        super().focusOutEvent(event)
        self.left.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(200, self.height())

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasUrls() or super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        files = [url.toLocalFile() for url in source.urls() if url.isLocalFile()]
        files = [name for name in files if Path(name).is_file()]
        if files:
            for name in files:
                self.file_offered.emit(name)
            return
        if source.hasText():
            self.insertPlainText(source.text())
