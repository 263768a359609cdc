"""Tests of the whole window on a real core with its embedded backend.

They never use a network beyond loopback.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.core import Core
from app.diagnostics.checks import CHECKS
from app.domain.clock import Clock, SystemClock
from app.domain.errors import DiskFull
from app.domain.links import link_to_conversation
from app.domain.status import Link
from app.settings.paths import AppPaths
from app.settings.schema import load_schema
from app.settings.settings import Settings
from contract.ids import ConversationId, MessageId
from tests.app.core_world import HoldableClock
from tests.support.log_guard import LogGuard
from tests.support.processes import children_with
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import until
from tests.ui.test_accessible_names import unnamed
from ui.arrivals import Arrivals
from ui.look import Look
from ui.models.draft_saver import SAVE_DRAFT
from ui.views.rail import Page
from ui.window_state import WindowState
from ui.workspace import Workspace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
CLIENT = "Marcus Feld"


@asynccontextmanager
async def open_workspace(
    application: QApplication, folder: Path, clock: Clock | None = None
) -> AsyncIterator[Workspace]:
    """Open a core under a passphrase and its window; close both afterwards."""
    paths = AppPaths(folder / "data", folder / "data", folder / "config", folder / "logs")
    clock = clock or SystemClock()
    core = Core(Settings(load_schema(), ()), paths, clock, passphrase="correct horse battery")
    await core.open()
    state = WindowState(paths.config_dir)
    workspace = Workspace(core, clock, Look(application, "light"), state, "0.1.0")
    try:
        workspace.start()
        workspace.window.resize(1440, 900)
        await core.connect()
        yield workspace
    finally:
        await workspace.close()
        await core.close()


async def _ready(workspace: Workspace) -> ConversationId:
    """Wait for the sample workspace and open one conversation by its row."""
    model = workspace.inbox.model
    core = workspace.core
    await until(lambda: core.status.link is Link.ONLINE and bool(core.status.policy_version))
    found: list[ConversationId] = []

    def is_listed() -> bool:
        """Look once at both: the list may be read anew between two looks."""
        talks = (row.conversation for row in model.rows())
        found[:] = [talk.conversation_id for talk in talks if talk.title == CLIENT]
        return bool(found) and not core.status.syncing

    await until(is_listed)
    shown = found[0]
    workspace.open_conversation(shown)
    await until(lambda: workspace.window.header.texts()[0] == CLIENT)
    await until(lambda: workspace.composer.conversation_id == shown)
    return shown


def test_the_conversation_and_a_draft_of_the_last_moment_are_there_at_the_next_start(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def work() -> None:
        async with open_workspace(qapp, tmp_path) as workspace:
            shown = await _ready(workspace)
            assert unnamed(workspace.window) == []
            QTest.keyClicks(workspace.window.composer.edit, "half a sentence")
        async with open_workspace(qapp, tmp_path) as workspace:
            edit = workspace.window.composer.edit
            await until(lambda: workspace.window.header.texts()[0] == CLIENT)
            await until(lambda: workspace.window.inbox.selected_conversation() == shown)
            await until(lambda: edit.toPlainText() == "half a sentence")

    run_in_qt_loop(qapp, work(), timeout_s=360)


def test_what_is_typed_while_a_link_arrives_goes_to_no_other_client(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def work() -> None:
        async with open_workspace(qapp, tmp_path) as workspace:
            shown = await _ready(workspace)
            window, model = workspace.window, workspace.inbox.model
            other = next(
                row.conversation.conversation_id
                for row in model.rows()
                if row.conversation.conversation_id != shown
            )
            window.activateWindow()
            window.composer.edit.setFocus()
            QTest.keyClicks(window.composer.edit, "sell ")
            arrivals = Arrivals(qapp)
            arrivals.attach(workspace)
            arrivals.take(link_to_conversation(other))
            await until(lambda: workspace.composer.conversation_id == other)
            assert window.focusWidget() is window.timeline
            QTest.keyClicks(window.focusWidget(), "everything")
            QTest.keyClick(window.focusWidget(), Qt.Key.Key_Return)
            assert window.composer.edit.toPlainText() == ""
            workspace.open_conversation(shown)
            await until(lambda: window.composer.edit.toPlainText() == "sell ")

    run_in_qt_loop(qapp, work(), timeout_s=360)


def test_the_window_does_not_close_over_a_draft_it_can_not_save(
    qapp: QApplication,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    expect_log: LogGuard,
) -> None:
    expect_log(".", logger="ui", required=False)

    async def work() -> None:
        async with open_workspace(qapp, tmp_path) as workspace:
            talk = await _ready(workspace)
            left: list[bool] = []
            workspace.closing.connect(lambda: left.append(True))

            async def full(_draft: object) -> None:
                raise DiskFull

            with monkeypatch.context() as patched:
                patched.setattr(workspace.core.store.drafts, "save", full)
                QTest.keyClicks(workspace.window.composer.edit, "must stay")
                workspace.window.close()
                shown = workspace.window.banners
                await until(lambda: any("not saved yet" in text for text in shown.texts()))
                assert workspace.window.isVisible() and left == []
                again = workspace.spawner.spawn(workspace.composer.flush(), SAVE_DRAFT)
                assert again is not None
                await again  # it fails as well, and takes nothing back of what was said
                assert any("not saved yet" in text for text in shown.texts())
            workspace.retry()
            await until(lambda: len(shown.texts()) == 1)
            await workspace.composer.flush()
            saved = await workspace.core.store.drafts.get(talk)
            assert saved is not None and saved.text == "must stay"
            workspace.window.close()
            await until(lambda: left == [True])

    run_in_qt_loop(qapp, work(), timeout_s=360)


def test_undo_brings_the_text_back_before_it_was_submitted(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def work() -> None:
        clock = HoldableClock()
        async with open_workspace(qapp, tmp_path, clock) as workspace:
            shown = await _ready(workspace)
            clock.hold()
            edit, view = workspace.window.composer.edit, workspace.window.timeline
            QTest.keyClicks(edit, "too early")
            QTest.keyClick(edit, Qt.Key.Key_Return)
            await until(lambda: workspace.core.status.outbox_waiting == 1)
            await until(lambda: _newest(workspace) is not None and edit.toPlainText() == "")
            sent = _newest(workspace)
            assert sent is not None
            QTest.keyClicks(edit, "meanwhile")
            _click_undo(workspace, sent)
            await until(lambda: "too early" in edit.toPlainText())
            assert "meanwhile" in edit.toPlainText()
            await until(lambda: view.presenter.model.number_of_message(sent) < 0)
            page = await workspace.core.api.inbox.messages(shown)
            assert all(message.text != "too early" for message in page.messages)

    run_in_qt_loop(qapp, work(), timeout_s=360)


def test_a_killed_service_is_started_again_and_the_window_says_so(
    qapp: QApplication, tmp_path: Path, expect_log: LogGuard
) -> None:
    expect_log(".", logger="app", required=False)
    expect_log(".", logger="backend_client", required=False)

    async def work() -> None:
        async with open_workspace(qapp, tmp_path) as workspace:
            await _ready(workspace)
            (service,) = children_with("serve")
            banners, said = workspace.window.banners, set[str]()
            workspace.signals.status_changed.connect(lambda _: said.update(banners.texts()))
            service.kill()
            await until(lambda: any("is being started again" in text for text in said))
            await until(lambda: workspace.core.status.link is Link.ONLINE)
            await until(lambda: len(banners.texts()) == 1)
            QTest.keyClick(workspace.window, Qt.Key.Key_F12)
            await until(lambda: workspace.window.page() is Page.DIAGNOSTICS)
            await until(lambda: len(workspace.window.diagnostics.results()) == len(CHECKS))

    run_in_qt_loop(qapp, work(), timeout_s=360)


def _newest(workspace: Workspace) -> MessageId | None:
    model = workspace.timeline.model
    for number in reversed(range(model.rowCount())):
        item = model.row_at(number)
        if item is not None and item.row is not None and item.row.message.text == "too early":
            return item.row.message.message_id
    return None


def _click_undo(workspace: Workspace, message_id: MessageId) -> None:
    view = workspace.window.timeline
    number = view.presenter.model.number_of_message(message_id)
    view.scrollToBottom()
    rect = view.visualRect(view.presenter.model.index(number))
    for y in range(rect.top(), rect.bottom(), 3):
        for x in range(rect.right(), rect.left(), -6):
            part = view._hit(QPointF(x, y))[1].part
            if part is not None and part.act == "undo":
                QTest.mouseClick(
                    view.viewport(),
                    Qt.MouseButton.LeftButton,
                    Qt.KeyboardModifier.NoModifier,
                    QPointF(x, y).toPoint(),
                )
                return
    raise AssertionError("the bubble offers no Undo")
