"""Tests of what the window says of versions of Parley, with a small backend on loopback.

They never use a network beyond it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog
from starlette.requests import Request
from starlette.responses import Response

from app.core import Core
from app.diagnostics.checks import check_version
from app.diagnostics.results import CheckStatus, Owner
from app.domain.client_versions import ClientVersions
from app.domain.clock import SystemClock
from app.domain.drafts import Draft
from app.domain.status import Link
from app.domain.version import CLIENT_VERSION
from app.installation import Installed
from app.settings.paths import AppPaths
from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source
from backend_client.endpoint import BackendEndpoint
from contract.ids import ConversationId
from contract.problems import ProblemCode
from contract.states import OutboxState
from tests.app.small_backend import SmallBackend, problem
from tests.backend_client.loopback_server import LoopbackServer
from tests.support.log_guard import LogGuard
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import until
from ui.look import Look
from ui.models.version_words import newer_banner, too_old_words
from ui.window_state import WindowState
from ui.workspace import Workspace

pytestmark = pytest.mark.timeout(400)
PAGE = "https://it.example.com/parley"
TALK = ConversationId("c1")


@contextmanager
def _port(world: SmallBackend | None) -> Iterator[int]:
    """Serve `world` at a port; without one, hold a port at which nobody answers."""
    if world is not None:
        with LoopbackServer(world.app) as server:
            yield server.port
        return
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@asynccontextmanager
async def opened(
    qapp: QApplication, folder: Path, world: SmallBackend | None, **managed: object
) -> AsyncIterator[Workspace]:
    """Open a window over a core that speaks to `world`, or has no line."""
    paths = AppPaths(folder / "data", folder / "data", folder / "config", folder / "logs")
    sources = [
        Source(Origin.MANAGED, "the test", managed),
        Source(Origin.USER, "the test", {"UndoSendSeconds": 0}),
    ]
    with _port(world) as port:
        endpoint = BackendEndpoint(url=f"http://127.0.0.1:{port}", token="secret")
        settings = Settings(load_schema(), sources)
        core = Core(
            settings, paths, SystemClock(), endpoint=endpoint, passphrase="correct horse battery"
        )
        await core.open()
        state = WindowState(paths.config_dir)
        workspace = Workspace(core, SystemClock(), Look(qapp, "light"), state, CLIENT_VERSION)
        try:
            workspace.start()
            workspace.window.resize(1440, 900)
            await core.connect()
            yield workspace
        finally:
            await workspace.close()
            if world is not None:
                world.closing = True
            await core.close()


def world_with(**versions: str) -> SmallBackend:
    """Return a small world that says this of versions."""
    world = SmallBackend()
    world.capabilities = msgspec.structs.replace(world.capabilities, **versions)
    return world


def says(workspace: Workspace, words: str) -> bool:
    """Tell whether a strip says this."""
    return any(words in text for text in workspace.window.banners.texts())


def test_a_newer_version_is_told_of_quietly_until_it_was_read(
    qapp: QApplication, tmp_path: Path, expect_log: LogGuard
) -> None:
    expect_log(".", required=False)
    world = world_with(newest_client_version="9.4.0", client_page=PAGE, client_note="On Sunday.")

    async def work() -> None:
        async with opened(qapp, tmp_path, world) as workspace:
            await until(lambda: says(workspace, "A newer version of Parley is available: 9.4.0."))
            assert says(workspace, "Your firm's page says how to get it. On Sunday.")
            assert "9.4.0" in workspace.window.banners.texts()[-1]
            found = await check_version(workspace.core.diagnostics_subject())
            assert (found.status, found.owner) == (CheckStatus.WARN, Owner.IT)
            assert "9.4.0 is available" in found.sentence
            workspace.actions.on_banner("dismiss:newer_version")
            assert not says(workspace, "9.4.0")
        again = SmallBackend()
        again.capabilities = world.capabilities
        async with opened(qapp, tmp_path, again) as workspace:
            await until(lambda: workspace.core.status.link is Link.ONLINE)
            assert workspace.core.status.versions.newer == "9.4.0"
            assert not says(workspace, "9.4.0")

    run_in_qt_loop(qapp, work(), timeout_s=360)


def test_nothing_is_said_where_it_does_not_want_it(
    qapp: QApplication, tmp_path: Path, expect_log: LogGuard
) -> None:
    expect_log(".", required=False)
    world = world_with(newest_client_version="9.4.0")

    async def work() -> None:
        async with opened(qapp, tmp_path, world, UpdateCheck=False) as workspace:
            await until(lambda: workspace.core.status.link is Link.ONLINE)
            assert workspace.core.status.versions == ClientVersions()
            assert not says(workspace, "newer version")
            found = await check_version(workspace.core.diagnostics_subject())
            assert found.status is CheckStatus.OK

    run_in_qt_loop(qapp, work(), timeout_s=360)


def test_a_version_that_is_too_old_shows_its_page_and_keeps_every_text(
    qapp: QApplication, tmp_path: Path, expect_log: LogGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_log(".", required=False)
    world = SmallBackend()
    saved = tmp_path / "unsent.txt"

    async def work() -> None:
        async with opened(qapp, tmp_path, world) as workspace:
            core = workspace.core
            await until(lambda: core.status.link is Link.ONLINE and not core.status.syncing)
            await core.store.drafts.save(Draft(TALK, "a draft of some length"))
            world.capabilities = msgspec.structs.replace(
                world.capabilities, min_client_version="9.0", client_page=PAGE
            )
            world.refuse_with = ProblemCode.CLIENT_TOO_OLD
            world.fault = _refuse_writing
            core.rooms.sync.renew()
            await until(lambda: workspace.actions.versions.page is not None)
            page = workspace.actions.versions.page
            assert page is not None and page.isVisible() and not workspace.window.rail.isVisible()
            assert "too old" in page.accessibleName() and "9.0 or newer" in page.line.text()
            assert "Nothing is lost" in page.line.text()
            await core.messaging.send(ConversationId("c2"), "written just before")
            await until(lambda: "a draft of some length" in page.texts.toPlainText())
            await until(lambda: "Client 2 (Waiting to be sent)" in page.texts.toPlainText())
            QTest.mouseClick(page.copy, Qt.MouseButton.LeftButton)
            assert "Client 1 (Draft)" in QGuiApplication.clipboard().text()
            monkeypatch.setattr(QFileDialog, "open", lambda dialog: _save(dialog, saved))
            QTest.mouseClick(page.save, Qt.MouseButton.LeftButton)
            await until(lambda: saved.exists() and "just before" in saved.read_text("utf-8"))
            found = await check_version(core.diagnostics_subject())
            assert (found.status, found.owner) == (CheckStatus.FAIL, Owner.IT)
            world.capabilities = msgspec.structs.replace(
                world.capabilities, min_client_version="0.1.0"
            )
            world.refuse_with = world.fault = None
            QTest.mouseClick(page.again, Qt.MouseButton.LeftButton)
            await until(lambda: workspace.actions.versions.page is None)
            assert workspace.window.rail.isVisible()
            await until(lambda: core.status.link is Link.ONLINE)
            await until(lambda: "written just before" in world.texts("c2"))

    run_in_qt_loop(qapp, work(), timeout_s=360)
    assert "a draft of some length" in saved.read_text("utf-8")


def _refuse_writing(request: Request) -> Response | None:
    return problem(ProblemCode.CLIENT_TOO_OLD) if request.method == "POST" else None


def _save(dialog: QFileDialog, path: Path) -> None:
    dialog.selectFile(str(path))
    dialog.setResult(1)
    dialog.finished.emit(1)


def test_a_version_that_was_too_old_says_so_without_a_line_and_loses_nothing(
    qapp: QApplication, tmp_path: Path, expect_log: LogGuard
) -> None:
    expect_log(".", required=False)
    too_new = world_with(min_client_version="9.0")
    too_new.fault = _refuse_writing

    async def work() -> None:
        async with opened(qapp, tmp_path, too_new) as workspace:
            await until(lambda: workspace.actions.versions.page is not None)
            await workspace.core.messaging.send(TALK, "waits for the new version")
        async with opened(qapp, tmp_path, None) as workspace:
            await until(lambda: workspace.actions.versions.page is not None)
            page = workspace.actions.versions.page
            assert page is not None
            await until(lambda: "waits for the new version" in page.texts.toPlainText())
            await _until_queued(workspace)
        assert too_new.submitted == []

    run_in_qt_loop(qapp, work(), timeout_s=360)


async def _until_queued(workspace: Workspace) -> None:
    """Return once the one waiting message is in its lane, after the try without a line."""
    async with asyncio.timeout(60):
        while True:
            waiting = await workspace.core.store.outbox.list_waiting()
            if [entry.state for entry in waiting] == [OutboxState.QUEUED]:
                return
            await asyncio.sleep(0.005)


def test_the_words_go_by_who_installed_parley(monkeypatch: pytest.MonkeyPatch) -> None:
    told = ClientVersions("2.0", "2.1", PAGE)
    machine = newer_banner(told, Installed.MACHINE)
    assert machine.lead == "A newer version of Parley is available: 2.1."
    assert machine.text == "Your IT installs it."
    assert [key for key, _ in machine.actions] == ["dismiss:newer_version"]
    own = newer_banner(told, Installed.USER)
    assert [key for key, _ in own.actions] == ["client_page", "dismiss:newer_version"]
    assert "Ask IT" in newer_banner(ClientVersions(newer="2.1"), Installed.USER).text
    assert "Your IT installs it." in too_old_words(told, "1.0", Installed.MACHINE)
    opened_urls: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened_urls.append)
