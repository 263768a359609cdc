"""A message that only the archive has is found in the real window and shown in its place.

It never uses a network beyond loopback.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.domain.status import Link
from tests.app.test_search_desk import forget
from tests.support.qt_loop import run_in_qt_loop
from tests.support.waiting import eventually
from tests.ui.kit import until
from tests.ui.test_workspace import open_workspace
from ui.models.palette_rows import PaletteRow
from ui.workspace import Workspace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def _archived(workspace: Workspace) -> list[PaletteRow]:
    return [row for row in workspace.search.model.rows() if row.in_archive]


def test_a_message_of_the_archive_is_found_by_typing_and_shown_in_its_place(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def work() -> None:
        async with open_workspace(qapp, tmp_path) as workspace:
            core = workspace.core
            await until(lambda: core.status.link is Link.ONLINE)
            await until(lambda: len(workspace.inbox.model.rows()) > 3)
            await until(lambda: not core.status.syncing)
            await until(lambda: hasattr(workspace, "search"))
            hits = (await core.store.search.search("with:hana", 0, 50)).messages
            lost = hits[3]
            await forget(core, lost.message_id)

            async def indexed() -> bool:
                return bool((await core.rooms.search.ask_archive("with:hana")).messages)

            await eventually(indexed, "the archive's index")
            palette = workspace.window.palette_view
            palette.open()
            palette.field.setText("with:hana")
            await until(lambda: len(_archived(workspace)) == 1)
            (row,) = _archived(workspace)
            assert row.message_id == lost.message_id
            number = workspace.search.model.number_of(row.key)
            palette.list.setCurrentIndex(workspace.search.model.index(number, 0))
            QTest.keyClick(palette.field, Qt.Key.Key_Return)
            await until(
                lambda: any(
                    item.row is not None and item.row.message.message_id == lost.message_id
                    for item in workspace.timeline.model.rows()
                )
            )
            assert not palette.isVisible()

    run_in_qt_loop(qapp, work(), timeout_s=360)
