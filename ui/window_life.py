"""Owns one window's life: shown before the store is open where it can be, then opened, then closed.

It never asks for a key and never tells of a fault by itself: ui.startup does, with its dialogs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, QSettings, Qt
from PySide6.QtWidgets import QApplication

from app.core import Core
from app.domain.clock import SystemClock
from app.domain.status import CoreStatus, Link
from app.session.instance_door import InstanceDoor, knock
from ui.application import Application, take_taskbar_identity
from ui.arrivals import Arrivals
from ui.early_start import EarlyStart
from ui.first_paint import FirstPaint
from ui.look import Look
from ui.session_end import SessionEnd, ask_to_be_restarted, end_on_signals
from ui.start_marks import mark
from ui.window_state import FILE_NAME, WindowState, read_text_size_percent
from ui.workspace import Workspace

# A keyring that asks the user to unlock it takes as long as they need: no frame waits for that.
_KEY_WITHIN_S = 2.0
_PAINTED_WITHIN_S = 1.0
# How long a Parley that holds the folder may take to open its door to this start.
_OTHER_WITHIN_S = 6.0
_KNOCK_EVERY_S = 0.25

if TYPE_CHECKING:
    from asyncio import Event

MakeCore = Callable[[str | None], Core]


def create_application(config: Path) -> QApplication:
    """Return the one application object, its text as large as the user chose."""
    known = QApplication.instance()
    if isinstance(known, QApplication):
        return known
    kept = QSettings(str(config / FILE_NAME), QSettings.Format.IniFormat)
    percent = read_text_size_percent(kept)
    if percent != 100:
        os.environ.setdefault("QT_SCALE_FACTOR", f"{percent / 100:.2f}")
    take_taskbar_identity()
    application = Application(["parley"])
    application.setApplicationName("Parley")
    application.setDesktopFileName("parley")
    return application


class WindowLife:
    """One run of the program, from its application object on."""

    def __init__(
        self,
        application: QApplication,
        config: Path,
        look: Look,
        version: str,
        make_core: MakeCore,
        *,
        link: str = "",
        quietly: bool = False,
        own_theme: str = "",
    ) -> None:
        """`link` is followed once that is possible; `quietly` starts minimised.

        `own_theme` is the one this run was asked for, which a restart keeps.
        """
        self._application = application
        self._look = look
        self._state = WindowState(config)
        self._version = version
        self._make_core = make_core
        self._link = link
        self._quietly = quietly
        self._own_theme = own_theme
        self._arrivals = Arrivals(application)
        self._session_end = SessionEnd(application)
        self._early: EarlyStart | None = None
        self._workspace: Workspace | None = None
        self._first: FirstPaint | None = None

    def show_early(self, early: EarlyStart) -> None:
        """Show what `early` found, before there is a loop; nothing is shown when it found nothing.

        Keys typed from now on wait in Qt's queue until the loop runs.
        """
        self._early = early
        if self._quietly:
            return
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
        core = await open_core(
            self._make_core, first=await self._unlocked(), other_takes_over=self._handed_over
        )
        if core is None:
            await self._give_up()
            return 0
        mark("store_open")
        workspace = await self._workspace_of(core)
        workspace.closing.connect(ended.set)
        await self._run(core, workspace, ended)
        return 0

    async def _run(self, core: Core, workspace: Workspace, ended: Event) -> None:
        """Let the window live over an open core until `ended`, and close both."""
        from asyncio import get_running_loop

        door = InstanceDoor(core.paths.data_dir, self._arrivals.take)
        end_on_signals(ended.set, get_running_loop())
        self._session_end.workspace = workspace
        try:
            await self._start(workspace)
            _mark_line(core)
            await core.connect()
            mark("connected")
            await door.open()
            self._arrivals.attach(workspace)
            if self._link:
                self._arrivals.take(self._link)
            await _settle_in(core, self._own_theme)
            await ended.wait()
        finally:
            self._session_end.workspace = None
            self._arrivals.detach()
            await door.close()
            await workspace.close()
            await core.close()

    async def _handed_over(self) -> bool:
        """Tell whether the Parley that holds the folder took this start's wish, now or soon."""
        from asyncio import sleep, to_thread

        folder = self._make_core(None).paths.data_dir
        until_s = time.monotonic() + _OTHER_WITHIN_S
        while not await to_thread(knock, folder, self._link, quietly=self._quietly):
            if time.monotonic() > until_s:
                return self._quietly
            await sleep(_KNOCK_EVERY_S)
        return True

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
        elif self._quietly:
            window = workspace.window
            window.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
            window.setWindowState(window.windowState() | Qt.WindowState.WindowMinimized)
            workspace.start()
            mark("window")
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


async def _settle_in(core: Core, own_theme: str) -> None:
    """Do what the system expects of a running program, once there is time for it."""
    from asyncio import to_thread

    from app.installation import is_packed

    ask_to_be_restarted(own_theme)
    if is_packed():
        from ui.autostarting import follow_autostart

        await to_thread(follow_autostart, core.settings)
