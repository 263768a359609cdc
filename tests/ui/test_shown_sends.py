"""Tests of a text that leaves the composer as its row comes up. They never connect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.core import Core
from app.domain.clock import SystemClock
from app.settings.paths import AppPaths
from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source
from contract.ids import ConversationId
from tests.app.store.values import fill
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import composer_kit, conversation, hana, until
from ui import shown_sends
from ui.look import Look
from ui.models import typing_notice
from ui.window_state import WindowState
from ui.workspace import Workspace

HOME = ConversationId("talk-1")
TEXT = "Thank you, it is noted."


@asynccontextmanager
async def _writing(qapp: QApplication, folder: Path) -> AsyncIterator[Workspace]:
    """Open a window without a line on a conversation, with a text in its composer."""
    paths = AppPaths(folder / "data", folder / "data", folder / "config", folder / "logs")
    settings = Settings(load_schema(), [Source(Origin.USER, "the test", {"UndoSendSeconds": 0})])
    core = Core(settings, paths, SystemClock(), passphrase="correct horse battery")
    await core.open()
    await fill(core.store, (conversation(closes_in_ms=None),), contacts=(hana(),))
    look, state = Look(qapp, "light"), WindowState(paths.config_dir)
    workspace = Workspace(core, core._clock, look, state, "0.1.0")
    try:
        workspace.start()
        workspace.window.resize(1440, 900)
        workspace.open_conversation(HOME)
        await until(lambda: workspace.composer.conversation_id == HOME)
        workspace.window.composer.edit.setPlainText(TEXT)
        await until(workspace.window.composer.send_button.isEnabled)
        yield workspace
    finally:
        await workspace.close()
        await core.close()


def _shown(workspace: Workspace) -> bool:
    rows = (item.row for item in workspace.timeline.model.rows())
    return any(row is not None and row.message.text == TEXT for row in rows)


async def _send(workspace: Workspace) -> bool:
    """Press Enter; tell, once the text is gone, whether its row was there by then."""
    shown: list[bool] = []
    workspace.composer.text_replaced.connect(lambda _text: shown.append(_shown(workspace)))
    QTest.keyClick(workspace.window.composer.edit, Qt.Key.Key_Return)
    await until(lambda: bool(shown))
    assert workspace.window.composer.edit.toPlainText() == ""
    assert [one.text for one in await workspace.core.store.outbox.list_waiting(HOME)] == [TEXT]
    return shown[0]


def test_the_text_leaves_the_composer_once_its_row_is_there(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown_sends, "_SHOWN_WITHIN_S", 60.0)

    async def work() -> None:
        async with _writing(qapp, tmp_path) as workspace:
            assert await _send(workspace)

    run_in_qt_loop(qapp, work())


def test_a_text_whose_row_does_not_come_leaves_all_the_same(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def work() -> None:
        async with _writing(qapp, tmp_path) as workspace:
            workspace.signals.detach()  # the window hears of no change
            assert not await _send(workspace)

    run_in_qt_loop(qapp, work())


def test_nothing_is_waited_for_while_older_messages_are_on_screen(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown_sends, "_SHOWN_WITHIN_S", 60.0)

    async def work() -> None:
        async with _writing(qapp, tmp_path) as workspace:
            workspace.timeline.has_newer = True
            assert not await _send(workspace)

    run_in_qt_loop(qapp, work())


@pytest.mark.parametrize("told_after_ms", [10, 60_000])
def test_that_typing_has_ended_is_said_after_the_message_unless_more_is_typed(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, told_after_ms: int
) -> None:
    monkeypatch.setattr(typing_notice, "TOLD_AFTER_SENDING_MS", told_after_ms)
    monkeypatch.setattr(typing_notice, "TYPING_ENDS_AFTER_MS", 60_000)

    async def work() -> None:
        kit = composer_kit()
        QTest.keyClicks(kit.view.edit, "Hi")
        await until(lambda: kit.outgoing.typed == [True])
        QTest.keyClick(kit.view.edit, Qt.Key.Key_Return)
        await until(lambda: kit.view.edit.toPlainText() == "")
        if told_after_ms > 1_000:
            QTest.keyClicks(kit.view.edit, "one more")
            await until(lambda: kit.outgoing.saves > 0)
            assert kit.outgoing.typed == [True]
        else:
            await until(lambda: kit.outgoing.typed == [True, False])
        await kit.close()

    run_in_qt_loop(qapp, work())
