"""Owns one window's life: shown before the store is open where it can be, then opened, then closed.

It never asks for a key and never tells of a fault by itself: ui.startup does, with its dialogs.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, QSettings
from PySide6.QtWidgets import QApplication

from app.core import Core
from app.domain.clock import SystemClock
from app.domain.status import CoreStatus, Link
from ui.early_start import EarlyStart
from ui.first_paint import FirstPaint
from ui.look import Look
from ui.start_marks import mark
from ui.window_state import FILE_NAME, WindowState, read_text_size_percent
from ui.workspace import Workspace

if TYPE_CHECKING:
    import asyncio

# A keyring that asks the user to unlock it takes as long as they need: no frame waits for that.
_KEY_WITHIN_S = 2.0
_PAINTED_WITHIN_S = 1.0

MakeCore = Callable[[str | None], Core]


def create_application(config: Path) -> QApplication:
    """Return the one application object, its text as large as the user chose."""
    kept = QSettings(str(config / FILE_NAME), QSettings.Format.IniFormat)
    percent = read_text_size_percent(kept)
    if percent != 100:
        os.environ.setdefault("QT_SCALE_FACTOR", f"{percent / 100:.2f}")
    application = QApplication(["parley"])
    application.setApplicationName("Parley")
    application.setDesktopFileName("parley")
    return application


class WindowLife:
    """One run of the program, from its application object on."""

    def __init__(
        self,
        application: QApplication,
        config: Path,
        theme: str,
        version: str,
        make_core: MakeCore,
    ) -> None:
        self._application = application
        self._look = Look(application, theme)
        self._state = WindowState(config)
        self._version = version
        self._make_core = make_core
        self._early: EarlyStart | None = None
        self._workspace: Workspace | None = None
        self._first: FirstPaint | None = None

    def show_early(self, early: EarlyStart) -> None:
        """Show what `early` found, before there is a loop; nothing is shown when it found nothing.

        Keys typed from now on wait in Qt's queue until the loop runs.
        """
        self._early = early
        workspace = Workspace(
            early.core, SystemClock(), self._look, self._state, self._version, before_loop=True
        )
        self._workspace = workspace
        frame = early.frame(_KEY_WITHIN_S)
        if frame is None:
            return
        opened = frame.opened
        if opened and opened.conversation.conversation_id != self._state.conversation():
            frame = replace(frame, opened=None)
        self._first = FirstPaint(workspace)
        workspace.show_first(frame)
        mark("window")
        until_s = time.monotonic() + _PAINTED_WITHIN_S
        while not self._first.is_shown and time.monotonic() < until_s:
            self._application.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents, 20)
        if self._first.is_complete:
            self._first.note()

    async def live(self) -> int:
        """Open the core, let the window live until the user closes it, and close both."""
        from asyncio import Event

        from ui.startup import open_core
        from ui.theme.icons import application_icon

        self._application.setWindowIcon(application_icon())
        ended = Event()
        if self._workspace is not None:
            self._workspace.closing.connect(ended.set)
            self._workspace.spawner.release()
        core = await open_core(self._make_core, first=await self._unlocked())
        if core is None:
            await self._give_up()
            return 0
        mark("store_open")
        workspace = await self._workspace_of(core)
        workspace.closing.connect(ended.set)
        _on_terminate(ended)
        try:
            await self._start(workspace)
            _mark_line(core)
            await core.connect()
            mark("connected")
            await ended.wait()
        finally:
            await workspace.close()
            await core.close()
        return 0

    async def _unlocked(self) -> Core | None:
        """Return the core whose key was found early, once that is known."""
        from asyncio import to_thread

        early = self._early
        if early is None:
            return None
        return early.core if await to_thread(early.wait) else None

    async def _workspace_of(self, core: Core) -> Workspace:
        """Return the window's workspace; one built over a core that did not open makes room."""
        if self._workspace is not None and self._workspace.core is core:
            return self._workspace
        await self._give_up()
        self._workspace = Workspace(core, SystemClock(), self._look, self._state, self._version)
        return self._workspace

    async def _start(self, workspace: Workspace) -> None:
        first = self._first
        if first is not None:
            await workspace.start_late()
        else:
            first = FirstPaint(workspace)
            workspace.start()
            mark("window")
            await first.wait()

    async def _give_up(self) -> None:
        workspace, self._workspace, self._first = self._workspace, None, None
        if workspace is not None:
            await workspace.close()


def _mark_line(core: Core) -> None:
    def on_status(status: CoreStatus) -> None:
        if status.link is Link.ONLINE:
            mark("online")
            end()

    end = core.subscribe_status(on_status)
    core.backend_found = lambda: mark("embedded_ready")


def _on_terminate(ended: asyncio.Event) -> None:
    from asyncio import get_running_loop

    loop = get_running_loop()

    def on_signal(number: int, frame: object) -> None:
        loop.call_soon_threadsafe(ended.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
