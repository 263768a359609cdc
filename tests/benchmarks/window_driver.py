"""A process that opens the real window over a data folder, is driven, and says what it took.

It never decides whether a figure is good, and leaves nothing running.

Usage: python -m tests.benchmarks.window_driver ROOT (hands | send). One JSON object on the last
line of its standard output maps each kind of step to its times in ms.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView

from app.domain.status import Link
from app.domain.timeline import TimelineRow
from contract.ids import ConversationId
from contract.wire import Direction
from tests.benchmarks import dataset
from tests.benchmarks.frames import FRAME_S, MS, FrameDriver, Painted, driven
from tests.benchmarks.measuring import SEED
from tests.benchmarks.search_terms import CJK, LATIN
from tests.support.core_side import conversation_of
from tests.support.waiting import eventually
from ui.bridge.loop import create_loop, run_to_end
from ui.window_life import create_application

CLICKS = 60
SENDS = 60
EVENTS_PER_S = 500.0
SCROLL_FRAMES, SCROLL_PX = 900, 90
BIG = ConversationId(dataset.BIG_CONVERSATION)
# Of the sample workspace, on a channel that remembers our key.
SEND_TO = "Greta Sommer"
# Qt's timers fire up to this much late: the rest is waited for turn by turn.
_TIMER_S = 0.004
_PAUSE_S = 0.03
Figures = dict[str, list[float]]


def main(arguments: list[str]) -> int:
    """Drive the window as asked for and print the figures; returns the exit status."""
    root, what = Path(arguments[0]), arguments[1]
    paths = dataset.folders(root)
    application = create_application(paths.config_dir)
    figures: Figures = {}

    async def live() -> int:
        async with driven(application, dataset.make_core(root), paths.config_dir) as driver:
            await {"hands": _hands, "send": _send}[what](driver, figures)
        return 0

    status = run_to_end(create_loop(application), live)
    print(json.dumps(figures), flush=True)
    return status


async def _hands(driver: FrameDriver, figures: Figures) -> None:
    """Click, scroll and search, the last while events arrive; nothing is connected."""
    chance = random.Random(SEED)
    model = driver.workspace.inbox.model
    others = [number for number in range(40) if number != model.number_of(BIG)]
    figures["click"] = []
    for number in range(CLICKS + 5):
        await driver.open_rows([chance.choice(others)])
        took = await driver.open_rows([model.number_of(BIG)])
        figures["click"] += took if number >= 5 else []  # the first ones load fonts and code
    figures["scroll"] = await _scroll(driver.window.timeline, -SCROLL_PX)
    figures["scroll inbox"] = await _scroll(driver.window.inbox.list, SCROLL_PX)
    await _type(driver, "warm")
    async with driver.arriving(EVENTS_PER_S) as arrivals:
        began, before = time.perf_counter(), arrivals.applied
        for name, terms in (("latin", LATIN), ("cjk", CJK)):
            figures[name] = [took for term in terms for took in await _type(driver, term)]
        passed_s = time.perf_counter() - began
        figures["applied per s"] = [(arrivals.applied - before) / passed_s]


async def _type(driver: FrameDriver, term: str) -> list[float]:
    """Type a term into the palette; return each keystroke → the list painted with its results."""
    palette, search = driver.window.palette_view, driver.workspace.search
    painted, answered = Painted(palette.list.viewport()), asyncio.Event()

    def on_results() -> None:
        answered.set()
        palette.list.viewport().update()  # equal results need no new paint: one is taken anyway

    link = search.results_shown.connect(on_results)
    palette.open()
    await asyncio.sleep(_PAUSE_S)
    took = []
    for character in term:
        answered.clear()
        began = time.perf_counter()
        palette.field.insert(character)
        took.append((await painted.wait(answered.is_set) - began) * MS)
        await asyncio.sleep(_PAUSE_S)
    search.results_shown.disconnect(link)
    palette.close_palette()
    return took


async def _scroll(lines: QAbstractItemView, px_per_frame: int) -> list[float]:
    """Move the bar 60 times a second; return from when each frame was due until it was painted.

    Whatever held the thread when a frame was due (a page read meanwhile) is counted in that frame.
    """
    bar, painted = lines.verticalScrollBar(), Painted(lines.viewport())
    took, due_s = [], time.perf_counter()
    for _ in range(SCROLL_FRAMES):
        due_s = max(due_s + FRAME_S, time.perf_counter())
        while (left_s := due_s - time.perf_counter()) > 0:
            await asyncio.sleep(max(0.0, left_s - _TIMER_S))
        bar.setValue(bar.value() + px_per_frame)
        lines.viewport().update()
        took.append((await painted.wait(lambda: True) - due_s) * MS)
    return took


async def _send(driver: FrameDriver, figures: Figures) -> None:
    """Send text after text through the embedded backend, each once the last is archived."""
    core = driver.workspace.core
    await core.connect()

    async def is_online() -> bool:
        return core.status.link is Link.ONLINE and not core.status.syncing

    await eventually(is_online, "the embedded backend", timeout_s=60)
    home = await conversation_of(core, SEND_TO)
    driver.workspace.open_conversation(home)

    async def takes_drafts() -> bool:
        return driver.workspace.composer.conversation_id == home

    await eventually(takes_drafts, "the composer")
    painted = Painted(driver.window.timeline.viewport())
    figures["row"], figures["archived"] = [], []
    stamp = time.time_ns()
    for number in range(-3, SENDS):
        row_ms, archived_ms = await _send_one(
            driver, painted, f"Thank you, number {number} of {stamp} is noted."
        )
        if number >= 0:
            figures["row"].append(row_ms)
            figures["archived"].append(archived_ms)


async def _send_one(driver: FrameDriver, painted: Painted, text: str) -> tuple[float, float]:
    """Type a text, press Enter; return the times to its row and to its verified seal, painted."""
    composer = driver.window.composer

    def row() -> TimelineRow | None:
        items = reversed(driver.workspace.timeline.model.rows())
        rows = (item.row for item in items if item.row is not None)
        newest = (each for each in rows if each.message.direction is Direction.OUT)
        return next((each for each in newest if each.message.text == text), None)

    def is_verified() -> bool:
        found = row()
        return found is not None and found.verified

    async def can_send() -> bool:
        return composer.send_button.isEnabled()

    composer.edit.setFocus()
    composer.edit.setPlainText(text)
    await eventually(can_send, "Send to be offered")
    began = time.perf_counter()
    QTest.keyClick(composer.edit, Qt.Key.Key_Return)
    shown = await painted.wait(lambda: row() is not None)
    archived = shown if is_verified() else await painted.wait(is_verified)
    await asyncio.sleep(0.05)
    return (shown - began) * MS, (archived - began) * MS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
