"""Runs the window from its start to its end: application, core, workspace, clean shutdown.

It never decides anything about messages.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QSettings
from PySide6.QtWidgets import QApplication, QWidget

from app.core import Core
from app.diagnostics.logs import start_logging, stop_logging
from app.domain.clock import SystemClock
from app.settings.keys import Key
from app.settings.paths import AppPaths, app_paths, config_dir
from app.settings.settings import Settings
from ui.bridge.loop import create_loop, log_what_qt_says, run_to_end
from ui.look import Look
from ui.startup import open_core
from ui.theme.icons import application_icon
from ui.window_state import FILE_NAME, WindowState, read_text_size_percent
from ui.workspace import Workspace

_LEVELS = {"warning": logging.WARNING, "info": logging.INFO, "debug": logging.DEBUG}


def run_window(*, theme: str | None, version: str) -> int:
    """Open Parley's window and return when it was closed."""
    config = config_dir()
    settings = Settings.load(config)
    paths = app_paths(settings)
    _start_log(paths, settings)
    application = create_application(config)
    loop = create_loop(application)
    look = Look(application, theme or settings.text(Key.THEME))

    def make_core(passphrase: str | None) -> Core:
        return Core(settings, paths, SystemClock(), passphrase=passphrase)

    async def live() -> int:
        core = await open_core(make_core)
        if core is None:
            return 0
        return await live_with(core, look, WindowState(config), version)

    try:
        return run_to_end(loop, live)
    finally:
        stop_logging()


def create_application(config: Path) -> QApplication:
    """Return the one application object, its text as large as the user chose."""
    kept = QSettings(str(config / FILE_NAME), QSettings.Format.IniFormat)
    percent = read_text_size_percent(kept)
    if percent != 100:
        os.environ.setdefault("QT_SCALE_FACTOR", f"{percent / 100:.2f}")
    log_what_qt_says()
    application = QApplication(["parley"])
    application.setApplicationName("Parley")
    application.setDesktopFileName("parley")
    application.setWindowIcon(application_icon())
    return application


async def live_with(core: Core, look: Look, state: WindowState, version: str) -> int:
    """Show a window over an opened core until the user closes it; closes the core, too."""
    ended = asyncio.Event()
    workspace = Workspace(core, SystemClock(), look, state, version)
    workspace.closing.connect(ended.set)
    _on_terminate(ended)
    try:
        started = FirstPaint(workspace)
        workspace.start()
        await started.painted.wait()
        await core.connect()
        await ended.wait()
    finally:
        await workspace.close()
        await core.close()
    return 0


class FirstPaint(QObject):
    """Sets `painted` at the list's first paint; the first one with real rows is the figure."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.painted = asyncio.Event()
        self._workspace = workspace
        self._viewport: QWidget = workspace.window.inbox.list.viewport()
        self._viewport.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.painted.set()
            if self._workspace.inbox.is_loaded:
                self._workspace.figures.start_s = _since_process_start_s()
                self._viewport.removeEventFilter(self)
        return False


def _since_process_start_s() -> float:
    import psutil

    return time.time() - psutil.Process().create_time()


def _start_log(paths: AppPaths, settings: Settings) -> None:
    try:
        start_logging(paths.log_dir, level=_LEVELS[settings.text(Key.LOG_LEVEL)])
    except OSError:
        logging.getLogger(__name__).warning("the log folder can't be written")


def _on_terminate(ended: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def on_signal(number: int, frame: object) -> None:
        loop.call_soon_threadsafe(ended.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
