"""The one application object, telling of what only macOS sends to it: links, and its wish to quit.

It never decides what becomes of either, and looks at no event but its own: a filter on the
application would be called for each event of each widget.
"""

from __future__ import annotations

import sys

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

# The shortcuts of the Windows packages bear the same one.
APP_USER_MODEL_ID = "Parley.Desktop"


def take_taskbar_identity() -> None:
    """Have Windows' taskbar count Parley's windows to its shortcuts; call it before any window."""
    if sys.platform == "win32":
        import ctypes

        identify = ctypes.windll.shell32.SetCurrentProcessExplicitAppUserModelID
        identify(ctypes.c_wchar_p(APP_USER_MODEL_ID))


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
