"""Drives the real window over a client's data folder and takes how long each frame took.

It asserts nothing and never sends: the core is opened, not connected, and events are applied
as the sync room applies them.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QApplication, QWidget

from app.core import Core
from app.domain.clock import SystemClock
from contract.ids import ConversationId, MessageId
from tests.benchmarks.arrivals import Arrivals
from ui.look import Look
from ui.models.inbox_model import InboxRole
from ui.window_state import WindowState
from ui.workspace import Workspace

MS = 1e3
WINDOW_PX = (1440, 900)
FRAME_S = 1 / 60
_WITHIN_S = 10.0
# What times are taken with; `time.thread_time` tells the window's own cost on a busy machine.
clock: Callable[[], float] = time.perf_counter


class Painted(QObject):
    """Tells when a widget was painted while a condition held."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._wanted: Callable[[], bool] | None = None
        self._done = asyncio.Event()
        self.at_s = 0.0
        widget.installEventFilter(self)

    async def wait(self, condition: Callable[[], bool]) -> float:
        """Return the `perf_counter` of the next paint's end with `condition` true."""
        self._done.clear()
        self._wanted = condition
        async with asyncio.timeout(_WITHIN_S):
            await self._done.wait()
        return self.at_s

    def _after_paint(self) -> None:
        self.at_s = clock()
        self._done.set()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Paint and self._wanted is not None and self._wanted():
            self._wanted = None
            # Runs right after the paint event that is about to be handled.
            asyncio.get_running_loop().call_soon(self._after_paint)
        return False


class Heartbeat:
    """Takes how long the window's thread was not free: gaps between beats beyond their period."""

    def __init__(self, period_s: float = 0.002) -> None:
        self._period_s = period_s
        self.blocks_ms: list[float] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Heartbeat:
        self._task = asyncio.create_task(self._beat(), name="heartbeat")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _beat(self) -> None:
        before = clock()
        while True:
            await asyncio.sleep(self._period_s)
            now = clock()
            due_s = self._period_s if clock is time.perf_counter else 0.0
            self.blocks_ms.append(max(0.0, (now - before - due_s) * MS))
            before = now


class FrameDriver:
    """One open window over a data folder; each method returns times in ms."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.window = workspace.window
        self._timeline = Painted(self.window.timeline.viewport())
        self._results = Painted(self.window.palette_view.list.viewport())

    async def open_rows(self, numbers: list[int]) -> list[float]:
        """Click on inbox rows by number; returns click → conversation painted of each.

        A row that is open already is left out.
        """
        took = [await self._click_row(number) for number in numbers]
        return [one for one in took if one is not None]

    async def open_conversation(self, conversation_id: ConversationId) -> float:
        """Open one conversation as a result of the search does; returns until painted."""
        if conversation_id == self.workspace.conversation.conversation_id:
            return 0.0
        began = clock()
        self.workspace.open_conversation(conversation_id)
        return (await self._painted(conversation_id) - began) * MS

    async def jump_to(self, message_id: MessageId) -> float:
        """Jump within the open conversation; returns until its row was painted."""
        began = clock()
        model = self.workspace.timeline.model
        self.window.timeline.jump_to(message_id)
        done = await self._timeline.wait(lambda: model.number_of_message(message_id) >= 0)
        return (done - began) * MS

    async def scroll(self, frames: int, px_per_frame: int) -> list[float]:
        """Scroll the timeline (down when positive) frame by frame; returns each frame's cost.

        A frame is moving the bar, what follows from it, and painting; reading pages in between
        is counted in the frame it falls into.
        """
        return await self._scroll(self.window.timeline, frames, px_per_frame)

    async def scroll_inbox(self, frames: int, px_per_frame: int) -> list[float]:
        """Scroll the inbox list likewise."""
        return await self._scroll(self.window.inbox.list, frames, px_per_frame)

    async def search(self, text: str, pause_s: float = 0.03) -> list[float]:
        """Type a query into the palette; returns each keystroke → its results painted."""
        palette = self.window.palette_view
        palette.open()
        await asyncio.sleep(pause_s)
        took = []
        for character in text:
            began = clock()
            shown = asyncio.Event()
            link = self.workspace.search.results_shown.connect(lambda _found, e=shown: e.set())
            palette.field.insert(character)
            done = await self._results.wait(shown.is_set)
            self.workspace.search.results_shown.disconnect(link)
            took.append((done - began) * MS)
            await asyncio.sleep(pause_s)
        palette.close_palette()
        return took

    async def type_draft(self, text: str, pause_s: float = 0.03) -> list[float]:
        """Type into the composer; returns each keystroke → the field painted."""
        edit = self.window.composer.edit
        edit.setFocus()
        painted = Painted(edit.viewport())
        took = []
        for character in text:
            began = clock()
            QTest.keyClicks(edit, character)
            took.append((await painted.wait(lambda: True) - began) * MS)
            await asyncio.sleep(pause_s)
        edit.viewport().removeEventFilter(painted)
        painted.deleteLater()
        return took

    def arriving(self, per_s: float, *, seed: int = 1) -> Arrivals:
        """Return events arriving at that rate, half of them in the open conversation."""
        return Arrivals(self.workspace, per_s, random.Random(seed))

    async def _click_row(self, number: int) -> float | None:
        lines = self.window.inbox.list
        index = self.workspace.inbox.model.index(number)
        lines.scrollTo(index)
        await asyncio.sleep(0.05)
        wanted = ConversationId(index.data(InboxRole.CONVERSATION_ID))
        if wanted == self.workspace.conversation.conversation_id:
            return None
        place: QPoint = lines.visualRect(index).center()
        began = clock()
        QTest.mouseClick(lines.viewport(), Qt.MouseButton.LeftButton, pos=place)
        return (await self._painted(wanted) - began) * MS

    async def _painted(self, wanted: ConversationId) -> float:
        timeline = self.workspace.timeline

        def shown() -> bool:
            return timeline.conversation_id == wanted and timeline.model.rowCount() > 0

        return await self._timeline.wait(shown)

    async def _scroll(
        self, lines: QAbstractItemView, frames: int, px_per_frame: int
    ) -> list[float]:
        bar = lines.verticalScrollBar()
        took = []
        async with Heartbeat() as beat:
            for _ in range(frames):
                beat.blocks_ms.clear()
                began = clock()
                bar.setValue(bar.value() + px_per_frame)
                moved_ms = (clock() - began) * MS
                await asyncio.sleep(FRAME_S)
                # Qt paints some ms later what moving the bar left to be painted.
                took.append(moved_ms + max(beat.blocks_ms, default=0.0))
        return took


@asynccontextmanager
async def driven(
    application: QApplication, core: Core, config_dir: Path
) -> AsyncIterator[FrameDriver]:
    """Open `core` (not its line) and its window; both are closed afterwards."""
    await core.open()
    workspace = Workspace(
        core, SystemClock(), Look(application, "light"), WindowState(config_dir), "0.1.0"
    )
    try:
        workspace.start()
        workspace.window.resize(*WINDOW_PX)
        workspace.window.activateWindow()
        async with asyncio.timeout(_WITHIN_S):
            while not workspace.inbox.is_loaded:
                await asyncio.sleep(0.005)
        yield FrameDriver(workspace)
    finally:
        await workspace.close()
        await core.close()
