"""The queue of a real window over a real store without a line: reached, edited, cancelled.

They never connect.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QPushButton

from app.core import Core
from app.domain.clock import SystemClock
from app.domain.drafts import Draft
from app.settings.paths import AppPaths
from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source
from contract.ids import ConversationId
from contract.states import OutboxEvent
from tests.app.store.values import fill
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import conversation as kit_conversation
from tests.ui.kit import hana, until
from ui.look import Look
from ui.views.dialogs.plain_dialog import PlainDialog
from ui.views.dialogs.queue_dialog import QueueDialog
from ui.window_state import WindowState
from ui.workspace import Workspace

A, B = ConversationId("a"), ConversationId("b")


@asynccontextmanager
async def _offline(qapp: QApplication, folder: Path) -> AsyncIterator[Workspace]:
    """Open a window over two conversations, in which three messages each wait for a line."""
    paths = AppPaths(folder / "data", folder / "data", folder / "config", folder / "logs")
    settings = Settings(load_schema(), [Source(Origin.USER, "the test", {"UndoSendSeconds": 0})])
    core = Core(settings, paths, SystemClock(), passphrase="correct horse battery")
    await core.open()
    sendable = kit_conversation(closes_in_ms=None)
    talks = tuple(
        msgspec.structs.replace(sendable, conversation_id=home, title=title)
        for home, title in ((A, "Anna"), (B, "王小明"))
    )
    await fill(core.store, talks, contacts=(hana(),))
    for n in range(3):
        for home in (A, B):
            await core.messaging.send(home, f"{home} {n}", hint=b"")
    workspace = Workspace(
        core, core._clock, Look(qapp, "light"), WindowState(paths.config_dir), "0.1.0"
    )
    try:
        workspace.start()
        workspace.window.resize(1440, 900)
        await until(lambda: core.status.outbox_waiting == 6)
        yield workspace
    finally:
        await workspace.close()
        await core.close()


async def _queue(workspace: Workspace) -> QueueDialog:
    """Open the queue from the status line and wait for its rows."""
    button = workspace.window.status_line.findChild(QPushButton, "statusOutbox")
    assert button is not None
    await until(lambda: button.accessibleName() == "Outbox: 6 waiting, show what waits")
    QTest.keyClick(button, Qt.Key.Key_Space)
    queue = workspace.actions.queue
    await until(lambda: queue.dialog is not None and queue.dialog.current() is not None)
    assert queue.dialog is not None
    return queue.dialog


def test_editing_before_it_is_sent_joins_the_draft_and_loses_neither(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def work() -> None:
        async with _offline(qapp, tmp_path) as workspace:
            await workspace.core.store.drafts.save(Draft(B, "typed since"))
            dialog = await _queue(workspace)
            assert [dialog.list.model().index(n, 0).data() for n in range(2)] == ["Anna", "王小明"]
            QTest.keyClick(dialog.list, Qt.Key.Key_Down)
            QTest.keyClick(dialog.list, Qt.Key.Key_Return)
            await until(lambda: workspace.composer.conversation_id == B)
            assert workspace.window.composer.edit.toPlainText() == "b 0\n\ntyped since"
            assert workspace.actions.queue.dialog is None
            waiting = [entry.text for entry in await workspace.core.store.outbox.list_waiting()]
            assert waiting == ["a 0", "a 1", "b 1", "a 2", "b 2"]

    run_in_qt_loop(qapp, work(), timeout_s=360)


def test_what_is_typed_in_the_open_conversation_stays_when_its_messages_are_cancelled(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def work() -> None:
        async with _offline(qapp, tmp_path) as workspace:
            workspace.open_conversation(A)
            await until(lambda: workspace.composer.conversation_id == A)
            edit = workspace.window.composer.edit
            await until(edit.isEnabled)
            QTest.keyClicks(edit, "typing")
            assert edit.toPlainText() == "typing"
            sending = await workspace.core.store.outbox.list_waiting(A)
            first = sending[0].message_id
            await workspace.core.store.outbox.transition(first, OutboxEvent.START)
            dialog = await _queue(workspace)
            QTest.keyClick(dialog.list, Qt.Key.Key_Delete)
            assert "can’t be cancelled" in dialog.note.text()
            dialog.cancel_all.click()
            asking = await _asked(dialog)
            asking.accept()
            await until(lambda: dialog.note.text().startswith("Cancelled 5 messages."))
            assert "1 were already on their way" in dialog.note.text()
            await until(lambda: edit.toPlainText() == "a 1\n\na 2\n\ntyping")
            draft = await workspace.core.store.drafts.get(B)
            assert draft is not None and draft.text == "b 0\n\nb 1\n\nb 2"

    run_in_qt_loop(qapp, work(), timeout_s=360)


@pytest.mark.parametrize("delete", [False, True], ids=["refused", "deleted"])
def test_texts_are_deleted_only_when_the_person_says_so(
    qapp: QApplication, tmp_path: Path, delete: bool
) -> None:
    async def work() -> None:
        async with _offline(qapp, tmp_path) as workspace:
            dialog = await _queue(workspace)
            dialog.cancel_talk.click()
            asking = await _asked(dialog)
            if not delete:
                asking.reject()
                await until(lambda: not dialog.findChildren(PlainDialog))
                assert await workspace.core.store.outbox.counts() == (6, 0)
                return
            asking.findChildren(QCheckBox)[0].setChecked(True)
            asking.accept()
            await until(lambda: dialog.note.text() == "Cancelled 3 messages.")
            assert await workspace.core.store.drafts.get(A) is None
            assert await workspace.core.store.outbox.counts() == (3, 0)

    run_in_qt_loop(qapp, work(), timeout_s=360)


async def _asked(dialog: QueueDialog) -> PlainDialog:
    await until(lambda: bool(dialog.findChildren(PlainDialog)))
    return dialog.findChildren(PlainDialog)[0]


def test_the_queue_is_reached_by_key_and_from_the_palette(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def work() -> None:
        async with _offline(qapp, tmp_path) as workspace:
            queue = workspace.actions.queue
            workspace.window.activateWindow()
            await until(workspace.window.isActiveWindow)
            QTest.keyClick(
                workspace.window,
                Qt.Key.Key_O,
                Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
            )
            await until(lambda: queue.dialog is not None)
            assert queue.dialog is not None
            QTest.keyClick(queue.dialog, Qt.Key.Key_Escape)
            await until(lambda: queue.dialog is None)
            title, keys, _ = workspace.actions._actions["outbox"]
            assert (title, keys) == ("Show waiting messages", "Ctrl+Shift+O")

    run_in_qt_loop(qapp, work(), timeout_s=360)
