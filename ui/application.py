"""The one application object, telling of what only macOS sends to it: links, and its wish to quit.

It never decides what becomes of either, and looks at no event but its own: a filter on the
application would be called for each event of each widget.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication


class Application(QApplication):
    """`link_opened` carries a link as it came; `quit_asked` comes before windows are closed."""

    link_opened = Signal(str)
    quit_asked = Signal()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FileOpen and isinstance(event, QFileOpenEvent):
            self.link_opened.emit(event.url().toString())
            return True
        if event.type() == QEvent.Type.Quit:
            self.quit_asked.emit()
        return super().event(event)
