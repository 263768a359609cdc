"""Plays the tour in a throw-away folder and returns whether every step really happened.

It never uses the user's data, keyring or settings, and no backend but the embedded one.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import secrets
import shutil
import sys
import time
from pathlib import Path

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication

from app.core import Core
from app.diagnostics.logs import start_logging, stop_logging
from app.domain.clock import SystemClock
from app.settings.keys import Key
from app.settings.paths import DATA_DIR_VARIABLE, AppPaths, app_paths, config_dir
from app.settings.settings import Settings
from ui.bridge.loop import create_loop, log_what_qt_says, run_to_end
from ui.first_paint import FirstPaint
from ui.look import Look
from ui.theme.icons import application_icon
from ui.tour.backend_view import (
    BackendView,
    find_in_archive,
    reported_states,
    verify_archive,
)
from ui.tour.events import StepFailed, demand
from ui.tour.report import StepResult, write_report
from ui.tour.stage import Stage
from ui.tour.steps import STEPS, Step
from ui.window_life import create_application
from ui.window_state import WindowState
from ui.workspace import Workspace

SIZE = QSize(1440, 900)
DATA_FOLDER = "data"
STEP_WITHIN_S = 180.0
_OWN_PICTURE = re.compile(r"\d\d-[a-z-]+\.png")
_RECEIPTS = ("delivered", "read")
_log = logging.getLogger(__name__)


def run_tour(folder: Path, *, theme: str, version: str) -> int:
    """Play the tour, leave pictures and report.json in `folder`; 0 when every step happened."""
    if not Settings.load(config_dir()).flag(Key.EMBEDDED_BACKEND):
        sys.stderr.write("Your firm has switched the sample workspace off; there is no tour.\n")
        return 2
    folder = folder.absolute()
    _clear(folder)
    os.environ[DATA_DIR_VARIABLE] = str(folder / DATA_FOLDER)
    # Neither the firm's nor the user's settings: the throw-away folder has none.
    settings = Settings.load(config_dir(), sources=())
    paths = app_paths(settings)
    start_logging(paths.log_dir)
    application = create_application(paths.config_dir)
    application.setWindowIcon(application_icon())
    log_what_qt_says()
    loop = create_loop(application)
    look = Look(application, theme)
    tour = Tour(folder, settings, paths, look, version)
    try:
        run_to_end(loop, tour.play)
    finally:
        stop_logging()
    return 0 if tour.finish() else 1


class Tour:
    """One run: a core under a passphrase nobody knows, its workspace, the steps."""

    def __init__(
        self, folder: Path, settings: Settings, paths: AppPaths, look: Look, version: str
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._paths = paths
        self._look = look
        self._version = version
        self._passphrase = secrets.token_urlsafe(24)
        self._results: list[StepResult] = []
        self._stage: Stage | None = None

    async def play(self) -> int:
        """Open core and window, perform the steps until one fails, close both."""
        clock = SystemClock()
        core = Core(self._settings, self._paths, clock, passphrase=self._passphrase)
        await core.open()
        state = WindowState(self._paths.config_dir)
        workspace = Workspace(core, clock, self._look, state, self._version, self._reload)
        try:
            painted = FirstPaint(workspace)
            workspace.start()
            workspace.window.resize(SIZE)
            workspace.window.activateWindow()
            await painted.wait()
            await core.connect()
            self._stage = Stage(core, workspace, BackendView(core))
            for number, step in enumerate(STEPS, start=1):
                if not await self._perform(number, step, self._stage):
                    return 1
        finally:
            await workspace.close()
            await core.close()
        return 0

    def finish(self) -> bool:
        """Have the stopped backend verify its archive, write the report, return whether all is
        well."""
        if self._stage is not None and len(self._results) == len(STEPS):
            self._verify(self._stage)
        ok = write_report(self._folder, self._results, len(STEPS) + 1)
        done = sum(1 for result in self._results if result.ok)
        print(f"Tour: {done} of {len(STEPS) + 1} steps happened; see {self._folder.name}/")
        return ok

    def _reload(self) -> Settings:
        return Settings.load(self._paths.config_dir, sources=())

    async def _perform(self, number: int, step: Step, stage: Stage) -> bool:
        began = time.monotonic()
        fault = ""
        try:
            async with asyncio.timeout(STEP_WITHIN_S):
                await step(stage)
        except StepFailed as failed:
            fault = str(failed)
        except TimeoutError:
            fault = f"the step did not end within {STEP_WITHIN_S:.0f} s"
        except Exception as error:  # noqa: BLE001 - the report must tell of any failure
            _log.exception("step %s failed", step.__name__)
            fault = f"unexpected {type(error).__name__}"
        elapsed_ms = round((time.monotonic() - began) * 1000)
        # One turn, so that the picture shows what the step left behind.
        await asyncio.sleep(0.15)
        name = step.__name__.replace("_", "-")
        picture = f"{number:02d}-{name}.png"
        shown = QApplication.activeModalWidget() or stage.window
        if not shown.grab().save(str(self._folder / picture)):
            fault = fault or "the picture could not be saved"
        self._note(StepResult(name, not fault, elapsed_ms, picture, fault))
        return not fault

    def _verify(self, stage: Stage) -> None:
        """Ask the archive itself, past every process that took part."""
        began = time.monotonic()
        fault = ""
        try:
            key = stage.core.vault.unlock_with_passphrase(self._paths, self._passphrase)
            data_dir = self._paths.data_dir / "backend"
            verify_archive(data_dir, key.derive("backend"))
            entries = find_in_archive(data_dir, key.derive("backend"), stage.sent_id)
            demand(bool(entries), "the archive's database holds no entry of the sent message")
            texts = [str(entry["body"]) for entry in entries]
            demand(any(stage.sent_text in text for text in texts), "the entry holds another text")
            demand(all(not entry["fault"] for entry in entries), "an entry is not sound")
            reported = reported_states(entries)
            demand(
                [one for one in reported if one in _RECEIPTS] == list(_RECEIPTS),
                f"the archived receipts are {', '.join(reported) or 'missing'}",
            )
        except StepFailed as failed:
            fault = str(failed)
        elapsed_ms = round((time.monotonic() - began) * 1000)
        # The window is closed by then: there is nothing to take a picture of.
        self._note(StepResult("archive-verified", not fault, elapsed_ms, "", fault))

    def _note(self, result: StepResult) -> None:
        self._results.append(result)
        mark = "ok  " if result.ok else "FAIL"
        why = f"  {result.fault}" if result.fault else ""
        print(f"{mark} {len(self._results):2d} {result.name} {result.ms} ms{why}", flush=True)


def _clear(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / DATA_FOLDER).exists():
        shutil.rmtree(folder / DATA_FOLDER)
    for old in folder.iterdir():
        if _OWN_PICTURE.fullmatch(old.name) or old.name == "report.json":
            old.unlink()
