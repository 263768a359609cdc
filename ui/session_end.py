"""Saves what is being written before the session, the system or Windows' installer ends Parley.

It never ends the program itself while others may still stop the session's end, and never blocks
it for longer than the system waits.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QApplication

from app.settings.paths import DATA_DIR_VARIABLE
from ui.application import Application

if TYPE_CHECKING:
    import asyncio

    from ui.workspace import Workspace

_log = logging.getLogger(__name__)
# Windows kills a program that takes longer than five seconds to agree to the session's end.
SAVE_WITHIN_MS = 4_000
_RESTART_WORDS = "--restarted"
# RESTART_MAX_CMD_LINE of winbase.h, in characters with the last, empty one.
_RESTART_WORDS_AT_MOST = 1_024
# RESTART_NO_CRASH | RESTART_NO_HANG: reopened after an update or a restart of the system alone.
_RESTART_FLAGS = 1 | 2


class SessionEnd(QObject):
    """One application's; `workspace` is the one whose drafts are saved, None before there is one.

    Qt emits `commitDataRequest` for WM_QUERYENDSESSION (which Windows' Restart Manager sends, too)
    and for the session managers of X11; macOS asks to quit instead.
    """

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self.workspace: Workspace | None = None
        self._saving = False
        application.commitDataRequest.connect(self.on_commit)
        application.aboutToQuit.connect(self.on_quit)
        if isinstance(application, Application):
            application.quit_asked.connect(self.on_commit)

    def on_commit(self, *_session: object) -> None:
        """Save what is written, now: what Qt returns to may end the process."""
        workspace = self.workspace
        if workspace is None or self._saving:
            return
        self._saving = True
        waiting = QEventLoop()
        QTimer.singleShot(SAVE_WITHIN_MS, waiting.quit)
        task = workspace.spawner.spawn(workspace.composer.flush(), "save drafts at session's end")
        if task is not None and not task.done():
            task.add_done_callback(lambda _: waiting.quit())
            # Only what is asked meanwhile waits: keys typed now come after what is saved.
            waiting.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
        self._saving = False
        if task is not None and not task.done():
            _log.error("drafts were not saved in time at the session's end")

    def on_quit(self) -> None:
        """Save, and have the workspace end: the session's end is final, nobody is asked."""
        if self.workspace is not None:
            self.on_commit()
            self.workspace.closing.emit()


def end_on_signals(end: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
    """Call `end` on the loop when the system asks the process to end: a signal, a lost terminal."""

    def on_signal(number: int, frame: object) -> None:
        loop.call_soon_threadsafe(end)

    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), on_signal)


def restart_words(theme: str = "", environ: Mapping[str, str] = os.environ) -> str:
    """Return the command line, without the program, by which Windows is to start Parley again.

    Windows starts it with the session's own variables: where data stand elsewhere it has to be
    said again. A path that Windows would cut short gives "": better no restart than another's data.
    `theme` is the one asked for on this run's command line, "" for that of the settings.
    """
    from subprocess import list2cmdline  # here, because it costs the start of the application

    folder = environ.get(DATA_DIR_VARIABLE)
    words = [_RESTART_WORDS, *(("--theme", theme) if theme else ())]
    words += ["--data-dir", folder] if folder else []
    line = list2cmdline(words)
    return line if len(line) < _RESTART_WORDS_AT_MOST else ""


def ask_to_be_restarted(theme: str = "") -> None:
    """Have Windows start Parley again, with this `theme` if any, after an update or a restart."""
    if sys.platform == "win32":
        import ctypes

        words = restart_words(theme)
        register = ctypes.windll.kernel32.RegisterApplicationRestart
        if not words or register(ctypes.c_wchar_p(words), _RESTART_FLAGS) != 0:
            _log.warning("Windows will not start Parley again by itself")
