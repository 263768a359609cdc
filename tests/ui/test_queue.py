"""The queue of waiting messages: words, a bounded window by key, keys, both looks, the outcome.

They send nothing: rows come from a store, a list or a core without a line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QApplication

from app.domain.archive import AlarmKind, ArchiveAlarm
from app.domain.changes import ChangeSet
from app.domain.queue import MAX_QUEUE_ROWS, QueuePage, QueueRow
from app.domain.status import CoreStatus, Link
from contract.states import DeliveryState, OutboxState
from contract.wire import Channel
from tests.app.store.values import START_UTC_MS, entry
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import until
from ui.bridge.spawn import Spawner
from ui.models import queue_presenter
from ui.models.queue_presenter import QueuePresenter
from ui.models.queue_progress import QueueProgress
from ui.models.queue_words import QueueSetting, progress_words, queue_words, total_words
from ui.theme.style_sheet import style_sheet
from ui.theme.tokens import DARK, LIGHT, Tokens
from ui.views.dialogs.queue_dialog import QueueDialog

ONLINE = QueueSetting(START_UTC_MS, online=True)


def _row(
    number: int = 1,
    state: OutboxState = OutboxState.QUEUED,
    *,
    is_head: bool = True,
    title: str = "Marcus Feld",
    text: str = "",
    delivery: DeliveryState | None = None,
    **fields: Any,
) -> QueueRow:
    made = replace(entry(f"m{number:05}", text or f"text {number}", state=state), **fields)
    return QueueRow(number, made, title, Channel.WHATSAPP, is_head, delivery)


@pytest.mark.parametrize(
    ("row", "setting", "state", "reason"),
    [
        (_row(), replace(ONLINE, online=False), "Offline", "waits for the connection"),
        (_row(), replace(ONLINE, paused=True), "Paused", "archive’s proof"),
        (_row(), ONLINE, "Next", "as soon as"),
        (_row(is_head=False), ONLINE, "In line", "messages before it"),
        (
            _row(problem_code="timeout", next_attempt_utc_ms=START_UTC_MS + 60_000),
            ONLINE,
            "Again 08:54:20",
            "next one is at 08:54:20",
        ),
        (
            _row(1, OutboxState.UNDO, undo_until_utc_ms=START_UTC_MS + 3_100),
            ONLINE,
            "Undo: 4 s",
            "undo period",
        ),
        (_row(1, OutboxState.SENDING), ONLINE, "On its way", "can’t be cancelled"),
        (_row(1, OutboxState.ACCEPTED), ONLINE, "At the service", "can’t be cancelled"),
        (
            _row(1, OutboxState.ACCEPTED, delivery=DeliveryState.HELD),
            ONLINE,
            "Held",
            "waits for a supervisor",
        ),
        (
            _row(1, OutboxState.ACCEPTED, delivery=DeliveryState.UNKNOWN),
            ONLINE,
            "Unknown",
            "decide in the conversation",
        ),
        (
            _row(1, OutboxState.REFUSED, problem_detail="It names a price."),
            ONLINE,
            "Not sent",
            "It names a price. Edit it",
        ),
    ],
)
def test_each_row_says_why_it_waits(
    row: QueueRow, setting: QueueSetting, state: str, reason: str
) -> None:
    words = queue_words(row, setting, UTC)
    assert words.state == state and reason in words.reason
    assert words.accessible.startswith(f"Marcus Feld, {state}. {words.reason}")
    assert words.accessible.endswith("text 1")


def test_a_row_of_files_or_of_a_conversation_that_went_still_has_words() -> None:
    row = _row(title="", text=" ", attachment_ids=("f1", "f2"))
    words = queue_words(row, ONLINE, UTC)
    assert words.preview == "2 files" and words.title == "A conversation that is no longer here"


def test_totals_and_progress_are_said_in_numbers_one_can_read() -> None:
    assert "taken by the service" in total_words(CoreStatus())
    offline = CoreStatus(link=Link.OFFLINE, outbox_waiting=5_000, outbox_refused=1)
    assert total_words(offline) == (
        "5\u202f000 messages wait, 1 was refused. They go when the connection is back."
    )
    alarm = ArchiveAlarm(AlarmKind.FORK, "x", 1, 0, 0, "", 0, "")
    assert "alarm" in total_words(replace(offline, archive_alarm=alarm))
    assert progress_words(0, 0, None) == ""
    assert progress_words(10, 5_000, None) == "10 of 5\u202f000 sent"
    assert progress_words(1_000, 5_000, 170.0).endswith("about 3 minutes left")
    assert progress_words(4_990, 5_000, 1.0).endswith("less than a minute left")


def test_progress_counts_what_is_written_meanwhile_and_times_only_the_line() -> None:
    now = [0]
    progress = QueueProgress(lambda: now[0])

    def take(waiting: int, link: Link = Link.ONLINE) -> None:
        progress.take(CoreStatus(link=link, outbox_waiting=waiting))

    take(500, Link.OFFLINE)
    now[0] = 60_000
    take(500)
    assert (progress.sent, progress.whole, progress.left_s()) == (0, 500, None)
    now[0] = 70_000
    take(400)
    assert progress.left_s() == pytest.approx(40.0)
    take(410)
    assert (progress.sent, progress.whole) == (100, 510)
    take(0)
    assert (progress.sent, progress.whole) == (0, 0)


class ListedQueue:
    """A queue over a list, which counts how much it is asked for."""

    def __init__(self, rows: list[QueueRow]) -> None:
        self.rows = rows
        self.asked: list[int] = []

    async def later(self, position: int, limit: int) -> QueuePage:
        self.asked.append(limit)
        found = [row for row in self.rows if row.position > position]
        return QueuePage(tuple(found[:limit]), len(found) < len(self.rows), len(found) > limit)

    async def earlier(self, position: int, limit: int) -> QueuePage:
        self.asked.append(limit)
        found = [row for row in self.rows if row.position < position]
        cut = tuple(found[-limit:])
        return QueuePage(cut, len(found) > limit, len(found) < len(self.rows))


def _presenter(queue: ListedQueue) -> QueuePresenter:
    presenter = QueuePresenter(
        queue, Spawner(lambda *_: None), lambda: START_UTC_MS, QueueProgress(lambda: START_UTC_MS)
    )
    QAbstractItemModelTester(presenter.model, presenter)
    return presenter


async def _moved(presenter: QueuePresenter, load: Callable[[], None]) -> None:
    """Load a page and wait until it is in the window."""
    rows = presenter.model.rows()
    before = (rows[0].position, rows[-1].position)
    load()
    await until(lambda: (rows[0].position, rows[-1].position) != before)
    assert len(rows) <= MAX_QUEUE_ROWS


def test_five_thousand_rows_are_walked_by_key_within_the_window_both_ways(
    qapp: QApplication,
) -> None:
    queue = ListedQueue([_row(n) for n in range(1, 5_001)])
    presenter = _presenter(queue)
    model = presenter.model

    async def work() -> None:
        presenter.look(True)
        await until(lambda: bool(model.rows()))
        seen = {row.position for row in model.rows()}
        while 5_000 not in seen:
            await _moved(presenter, presenter.load_later)
            seen |= {row.position for row in model.rows()}
        assert seen == set(range(1, 5_001)) and not presenter.has_later
        while model.rows()[0].position > 1:
            await _moved(presenter, presenter.load_earlier)
        assert max(queue.asked) <= MAX_QUEUE_ROWS

    run_in_qt_loop(qapp, work())


def test_rows_that_went_leave_the_window_and_many_changes_are_few_readings(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Far longer than fifty turns of the loop take, on whatever machine.
    monkeypatch.setattr(queue_presenter, "_PAUSE_S", 1.5)
    queue = ListedQueue([_row(n) for n in range(1, 301)])
    presenter = _presenter(queue)

    async def work() -> None:
        presenter.look(True)
        await until(lambda: len(presenter.model.rows()) == 100)
        asked = len(queue.asked)
        for _ in range(50):
            del queue.rows[0]
            presenter.on_changed(ChangeSet(outbox=True))
            await asyncio.sleep(0)
        await until(lambda: presenter.model.rows()[0].position == 51)
        readings = len(queue.asked) - asked
        presenter.look(False)
        presenter.on_changed(ChangeSet(outbox=True))
        assert readings <= 4 and not presenter.model.rows()

    run_in_qt_loop(qapp, work())


_LONG = "Dr. Konstantin-Alexander von Hohenlohe-Langenburg-Schillingsfürst " * 4
_ROWS = [
    _row(1, OutboxState.SENDING),
    _row(2, OutboxState.QUEUED, is_head=False, title="王小明", text="合同已经签好，请查收。" * 30),
    _row(3, title="佐藤 花子", text="明日の打ち合わせは十時です。"),
    _row(4, title=_LONG, text="long words " * 60),
    _row(5, title="สมชาย", text="สวัสดีครับ เอกสารแนบมาแล้ว"),
]


def _dialog(tokens: Tokens, rows: list[QueueRow]) -> tuple[QueueDialog, QueuePresenter]:
    presenter = _presenter(ListedQueue(rows))
    presenter.model.set_rows(rows)
    presenter.on_status(CoreStatus(link=Link.ONLINE, outbox_waiting=len(rows)))
    return QueueDialog(presenter, tokens), presenter


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_names_of_any_length_and_script_stay_in_their_rows_in_both_looks(
    qapp: QApplication, tokens: Tokens, tmp_path: Path
) -> None:
    qapp.setStyleSheet(style_sheet(tokens))
    dialog, _ = _dialog(tokens, _ROWS)
    dialog.resize(520, 620)
    dialog.show()
    QApplication.processEvents()
    image = dialog.grab().toImage()
    assert dialog.width() == 520, "nothing forces the dialog wider"
    assert dialog.list.horizontalScrollBar().maximum() == 0
    for row in range(len(_ROWS)):
        rect = dialog.list.visualRect(dialog.list.model().index(row, 0))
        at = dialog.list.viewport().mapTo(dialog, rect.topLeft())
        strip = image.copy(at.x() + 40, at.y() + 4, rect.width() - 60, rect.height() - 8)
        assert _colors(strip) > 8, "each row is painted"
    dialog.deleteLater()
    qapp.setStyleSheet("")


def _colors(image: QImage) -> int:
    return len(
        {image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(image.height())}
    )


def test_keys_walk_edit_and_cancel_and_what_is_on_its_way_is_told(qapp: QApplication) -> None:
    dialog, _ = _dialog(LIGHT, _ROWS)
    asked: list[tuple[str, int]] = []
    dialog.edit_requested.connect(lambda row: asked.append(("edit", row.position)))
    dialog.cancel_requested.connect(lambda row: asked.append(("cancel", row.position)))
    dialog.cancel_conversation_requested.connect(lambda row: asked.append(("all", row.position)))
    dialog.show()
    dialog.activateWindow()
    assert dialog.current() is _ROWS[0] and not dialog.cancel.isEnabled()
    QTest.keyClick(dialog.list, Qt.Key.Key_Delete)
    assert "can’t be cancelled" in dialog.note.text() and asked == []
    QTest.keyClick(dialog.list, Qt.Key.Key_Down)
    QTest.keyClick(dialog.list, Qt.Key.Key_Delete)
    QTest.keyClick(dialog.list, Qt.Key.Key_Down)
    QTest.keyClick(dialog.list, Qt.Key.Key_Return)
    dialog.cancel_talk.click()
    assert asked == [("cancel", 2), ("edit", 3), ("all", 3)]
    names = [w.accessibleName() for w in (dialog.list, dialog.bar, dialog.cancel_talk)]
    assert names == [
        "Waiting messages",
        "How far the sending is",
        "Cancel what waits for 佐藤 花子",
    ]
    said = dialog.list.model().index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said.startswith("王小明, In line.")
    dialog.deleteLater()


def test_rows_are_said_anew_each_second_only_while_an_undo_period_runs(
    qapp: QApplication,
) -> None:
    now = [START_UTC_MS]
    queue = ListedQueue(
        [_row(1), _row(2, OutboxState.UNDO, undo_until_utc_ms=START_UTC_MS + 9_000)]
    )
    presenter = QueuePresenter(
        queue, Spawner(lambda *_: None), lambda: now[0], QueueProgress(lambda: now[0])
    )
    said: list[int] = []
    presenter.model.dataChanged.connect(lambda *_: said.append(now[0]))

    async def work() -> None:
        presenter.look(True)
        await until(lambda: len(presenter.model.rows()) == 2)
        assert presenter.model.setting.now_utc_ms == START_UTC_MS
        now[0] += 1_000
        presenter.on_status(CoreStatus())
        assert said[-1] == now[0]
        del queue.rows[1]
        presenter.on_changed(ChangeSet(outbox=True))
        await until(lambda: len(presenter.model.rows()) == 1)
        count = len(said)
        now[0] += 1_000
        presenter.on_status(CoreStatus())
        assert len(said) == count
        presenter.look(False)

    run_in_qt_loop(qapp, work())
