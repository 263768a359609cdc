"""Takes files dropped anywhere on the window that nothing else there takes.

It never opens a file and never decides what one is for: it says which were dropped.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QLabel, QMainWindow

from ui.theme.tokens import Tokens
from ui.theme.widgets import label

_WORDS = "Drop the file to import it from a phone"


class FileDrop(QObject):
    """Watches a window; `dropped` carries the paths of existing files.

    A composer that takes attachments takes what is dropped on it before the window hears of it.
    """

    dropped = Signal(list)

    def __init__(self, window: QMainWindow, tokens: Tokens) -> None:
        super().__init__(window)
        self._window = window
        self._hint = label(_WORDS, "name")
        self._hint.setParent(window)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._hint.hide()
        self.set_tokens(tokens)
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    @property
    def hint(self) -> QLabel:
        """Return what is shown while a file hangs over the window."""
        return self._hint

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._hint.setStyleSheet(
            f"color: {tokens.accent}; background: {tokens.accent_soft};"
            f" border: 2px dashed {tokens.accent}; border-radius: 14px;"
        )

    def _show_hint(self) -> None:
        height_px = self._hint.sizeHint().height() + 40
        width_px = min(self._hint.sizeHint().width() + 80, self._window.width() - 40)
        left_px = (self._window.width() - width_px) // 2
        top_px = (self._window.height() - height_px) // 2
        self._hint.setGeometry(left_px, top_px, width_px, height_px)
        self._hint.raise_()
        self._hint.show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop:
            self._hint.hide()
            files = _files(event.mimeData())
            if files:
                event.acceptProposedAction()
                self.dropped.emit(files)
                return True
        elif isinstance(event, QDragEnterEvent | QDragMoveEvent) and _files(event.mimeData()):
            self._show_hint()
            event.acceptProposedAction()
            return True
        elif event.type() in {QEvent.Type.DragLeave, QEvent.Type.WindowDeactivate}:
            self._hint.hide()
        return super().eventFilter(watched, event)


def _files(data: QMimeData) -> list[Path]:
    if not data.hasUrls():
        return []
    paths = (Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile())
    return [path for path in paths if path.is_file()]
