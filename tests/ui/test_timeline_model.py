"""The timeline's model and presenter: days, bounds, live changes, countdown.

It reads from plain lists, never from a store.
"""

from __future__ import annotations

import asyncio
from datetime import UTC
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.domain.changes import ChangeSet
from app.domain.timeline import MAX_WINDOW_ROWS, TimelineRow
from contract.ids import ConversationId, MessageId
from contract.states import OutboxState
from tests.ui.feeds import StillClock, TimelineFeed, run_now
from tests.ui.sample_rows import (
    DAY_MS,
    NOW_UTC_MS,
    at,
    message,
    outbox_row,
    sample_timeline,
    timeline_row,
)
from tests.ui.test_inbox_presenter import Tasks, settled
from ui.models.message_words import Setting
from ui.models.timeline_items import ItemKind, timeline_items
from ui.models.timeline_model import TimelineModel
from ui.models.timeline_presenter import FIRST_ROWS, TimelinePresenter

C1 = ConversationId("c1")
_FATAL = QAbstractItemModelTester.FailureReportingMode.Fatal
_SETTING = Setting("Hana", now_utc_ms=NOW_UTC_MS, zone=UTC)


def shown(presenter: TimelinePresenter) -> list[str]:
    rows = presenter.model.rows()
    return [str(item.message_id()) for item in rows if item.message_id() is not None]


def opened(feed: TimelineFeed) -> TimelinePresenter:
    presenter = TimelinePresenter(feed, StillClock(), run_now)
    presenter.open(C1, "Hana Watanabe")
    return presenter


def touched(*numbers: int) -> ChangeSet:
    return ChangeSet(messages={C1: frozenset(MessageId(f"m{number}") for number in numbers)})


@settings(max_examples=40)
@given(st.lists(st.lists(st.integers(0, 30), unique=True, max_size=10), min_size=1, max_size=5))
def test_any_succession_of_windows_is_shown_without_a_reset(
    qapp: QApplication, windows: list[list[int]]
) -> None:
    model = TimelineModel()
    tester = QAbstractItemModelTester(model, _FATAL)
    resets: list[int] = []
    model.modelReset.connect(lambda: resets.append(1))
    for numbers in windows:
        rows = [
            TimelineRow(message(number, at_utc_ms=at(9, 0) - (30 - number) * DAY_MS // 4))
            for number in sorted(numbers)
        ]
        model.show_window(rows, _SETTING)
        items = timeline_items(rows, NOW_UTC_MS, zone=UTC)
        assert list(model.rows()) == items
        days = [item for item in items if item.kind is ItemKind.DAY]
        assert len(days) == len({item.key for item in days})
    assert not resets
    del tester


def test_days_and_the_new_mark_stand_above_their_first_message() -> None:
    rows = [
        TimelineRow(message(1, at_utc_ms=at(9, 0, 1))),
        TimelineRow(message(2, at_utc_ms=at(9, 0))),
        TimelineRow(message(3, at_utc_ms=at(9, 1))),
    ]
    items = timeline_items(rows, NOW_UTC_MS, MessageId("m3"), UTC)
    assert [item.words or item.message_id() for item in items] == [
        "Yesterday",
        "m1",
        "Today",
        "m2",
        "New messages",
        "m3",
    ]


def test_paging_both_ways_stays_within_the_bound_and_in_order(qapp: QApplication) -> None:
    feed = TimelineFeed([timeline_row(number) for number in range(1200)])
    presenter = opened(feed)
    assert len(shown(presenter)) == FIRST_ROWS
    for _ in range(14):
        presenter.load(older=True)
        numbers = [int(name[1:]) for name in shown(presenter)]
        assert len(numbers) <= MAX_WINDOW_ROWS
        assert all(after == before + 1 for before, after in pairwise(numbers))
    assert presenter.has_newer
    for _ in range(14):
        presenter.load(older=False)
    assert shown(presenter)[-1] == "m1199"
    assert (presenter.has_older, presenter.has_newer) == (True, False)


def test_live_messages_come_at_the_end_and_changes_in_their_place(qapp: QApplication) -> None:
    feed = TimelineFeed([timeline_row(number) for number in range(100)])
    presenter = opened(feed)
    feed.all.append(timeline_row(100, "News"))
    feed.all[99] = TimelineRow(message(99, "Mended", version=2))
    presenter.on_changed(touched(99, 100))
    assert shown(presenter)[-2:] == ["m99", "m100"]
    assert presenter.model.rows()[-2].row == feed.all[99]
    presenter.on_changed(ChangeSet(messages={ConversationId("c2"): frozenset({MessageId("x")})}))
    assert len(shown(presenter)) == FIRST_ROWS + 1


def test_an_old_window_takes_changes_but_no_live_messages(qapp: QApplication) -> None:
    feed = TimelineFeed([timeline_row(number) for number in range(300)])
    presenter = opened(feed)
    found: list[str] = []
    presenter.found.connect(found.append)
    presenter.jump_to(MessageId("m50"))
    assert found == ["m50"] and presenter.has_newer
    before = shown(presenter)
    feed.all.append(timeline_row(300))
    feed.all[50] = TimelineRow(message(50, "Mended", version=2))
    presenter.on_changed(touched(50, 300))
    assert shown(presenter) == before
    number = presenter.model.number_of_message(MessageId("m50"))
    row = presenter.model.rows()[number].row
    assert row is not None and row.message.text == "Mended"
    presenter.jump_to(None)
    assert shown(presenter)[-1] == "m300"


async def test_the_answer_for_a_conversation_left_is_dropped(qapp: QApplication) -> None:
    tasks = Tasks()
    feed = TimelineFeed(sample_timeline())
    presenter = TimelinePresenter(feed, StillClock(), tasks.spawn)
    feed.gate = asyncio.Event()
    presenter.open(C1, "Hana Watanabe")
    await asyncio.sleep(0)
    slow, feed.gate = feed.gate, None
    feed.all = [timeline_row(77)]
    presenter.open(ConversationId("c2"), "Marcus Feld")
    slow.set()
    await settled(tasks.running)
    assert shown(presenter) == ["m77"]


def test_countdown_announces_only_its_row_and_then_rests(qapp: QApplication, qtbot: QtBot) -> None:
    clock = StillClock()
    undo = outbox_row(9, "Hi", OutboxState.UNDO, undo_until_utc_ms=NOW_UTC_MS + 2000)
    presenter = TimelinePresenter(TimelineFeed([*sample_timeline(), undo]), clock, run_now)
    presenter.open(C1, "Hana Watanabe")
    assert presenter._countdown.isActive()
    last = presenter.model.rowCount() - 1
    changed: set[int] = set()
    presenter.model.dataChanged.connect(lambda first, end: changed.update((first.row(), end.row())))
    clock.utc_ms += 1000
    qtbot.waitUntil(lambda: bool(changed), timeout=60_000)
    assert changed == {last}
    clock.utc_ms += 1500
    qtbot.waitUntil(lambda: not presenter._countdown.isActive(), timeout=60_000)
    presenter.close()


def test_no_timer_counts_while_nothing_is_to_be_undone(qapp: QApplication) -> None:
    presenter = opened(TimelineFeed(sample_timeline()))
    assert not presenter._countdown.isActive()
    presenter.close()
    assert not presenter._minute.isActive()
    assert presenter.model.rowCount() == 0


def test_going_offline_changes_only_what_waits(qapp: QApplication) -> None:
    queued = outbox_row(9, "Hi", OutboxState.QUEUED)
    presenter = opened(TimelineFeed([*sample_timeline(), queued]))
    last = presenter.model.rowCount() - 1
    changed: list[int] = []
    presenter.model.dataChanged.connect(lambda first, _last: changed.append(first.row()))
    presenter.model.set_online(False)
    assert changed == [last]
    words = presenter.model.words_at(last)
    assert words is not None and words.footer[0].text == "Waiting for the connection"


def test_rows_are_read_by_screen_readers(qapp: QApplication) -> None:
    presenter = opened(TimelineFeed(sample_timeline()))
    role = Qt.ItemDataRole.AccessibleTextRole
    said = [presenter.model.index(n).data(role) for n in range(presenter.model.rowCount())]
    assert all(said)
    assert any(text.startswith("You, Good morning") for text in said)
