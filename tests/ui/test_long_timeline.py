"""The timeline over a hundred thousand messages: end to end, jumps, what arrives meanwhile.

It reads from a plain list, never from a store.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.domain.changes import ChangeSet
from app.domain.timeline import MAX_WINDOW_ROWS, TimelineRow
from contract.ids import ConversationId, MessageId
from contract.wire import Direction
from tests.ui.feeds import LongFeed, StillClock, run_now
from tests.ui.sample_rows import DAY_MS, NOW_UTC_MS, message
from ui.models.timeline_items import ItemKind
from ui.models.timeline_presenter import TimelinePresenter
from ui.theme.fonts import load_fonts
from ui.theme.palette import apply_theme
from ui.theme.tokens import LIGHT
from ui.views.timeline_view import TimelineView

C1 = ConversationId("c1")
COUNT = 100_000
_EVERY_MS = DAY_MS // 60
_FATAL = QAbstractItemModelTester.FailureReportingMode.Fatal


def row(number: int) -> TimelineRow:
    return TimelineRow(message(number, f"Message {number}", at_utc_ms=placed(number)))


def placed(number: int) -> int:
    return NOW_UTC_MS - (COUNT - number) * _EVERY_MS


@pytest.fixture(scope="module")
def history() -> list[TimelineRow]:
    return [row(number) for number in range(COUNT)]


@pytest.fixture
def view(qapp: QApplication, qtbot: QtBot, history: list[TimelineRow]) -> Iterator[TimelineView]:
    load_fonts()
    apply_theme(qapp, LIGHT)
    presenter = TimelinePresenter(LongFeed(history), StillClock(), run_now)
    shown = TimelineView(presenter, LIGHT)
    presenter.setParent(shown)
    qtbot.addWidget(shown)
    shown.resize(737, 600)
    shown.show()
    shown.activateWindow()
    qtbot.waitUntil(shown.isActiveWindow, timeout=60_000)
    presenter.open(C1, "Hana Watanabe")
    yield shown
    presenter.close()


def feed_of(view: TimelineView) -> LongFeed:
    source = view.presenter._source
    assert isinstance(source, LongFeed)
    return source


def window(view: TimelineView) -> list[int]:
    """Return the numbers of the messages in the model, which must follow each other."""
    ids = [item.message_id() for item in view.presenter.model.rows()]
    numbers = [int(one[1:]) for one in ids if one is not None]
    assert all(after == before + 1 for before, after in pairwise(numbers))
    assert view.presenter.model.rowCount() <= MAX_WINDOW_ROWS
    return numbers


def seen(view: TimelineView) -> dict[int, int]:
    """Return the messages that show, with where their tops stand."""
    model, found = view.presenter.model, {}
    for number in view.rows.geometry.visible(view.verticalScrollBar().value()):
        one = model.rows()[number].message_id()
        if one is not None:
            found[int(one[1:])] = view.visualRect(model.index(number)).top()
    return found


def arrive(view: TimelineView) -> None:
    """Let a new message come."""
    fresh = row(len(feed_of(view).all))
    feed_of(view).add(fresh)
    ids = frozenset({fresh.message.message_id})
    view.presenter.on_changed(ChangeSet(messages={C1: ids}))


@pytest.mark.slow
def test_end_to_end_and_back_without_gap_or_duplicate(view: TimelineView) -> None:
    bar, before = view.verticalScrollBar(), window(view)
    assert before[-1] == COUNT - 1
    steps = 0
    while view.presenter.has_older or bar.value() > 0:
        bar.setValue(0)
        now = window(view)
        assert now[0] <= before[0] and now[-1] >= before[0]
        before, steps = now, steps + 1
        if steps % 100 == 0:
            stood = seen(view)
            arrive(view)
            assert seen(view) == stood
    assert before[0] == 0
    while view.presenter.has_newer or not view.is_at_end():
        bar.setValue(bar.maximum())
        now = window(view)
        assert now[-1] >= before[-1] and now[0] <= before[-1]
        before = now
    assert before[-1] == len(feed_of(view).all) - 1 >= COUNT


def test_every_message_shows_while_paging_up_by_keys(view: TimelineView) -> None:
    tester = QAbstractItemModelTester(view.presenter.model, _FATAL)
    shown: set[int] = set(seen(view))
    view.setFocus()
    while min(shown) > COUNT - 1_200:
        QTest.keyClick(view, Qt.Key.Key_PageUp)
        shown |= set(seen(view))
    assert shown == set(range(min(shown), COUNT))
    del tester


def test_what_is_read_stays_while_hundreds_arrive(view: TimelineView) -> None:
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum() - 300)
    stood = seen(view)
    for _ in range(600):
        arrive(view)
    assert seen(view) == stood
    assert len(window(view)) <= MAX_WINDOW_ROWS
    view.scroll_to_end()
    assert window(view)[-1] == COUNT + 599 and view.is_at_end()


def test_the_newest_is_followed_and_the_window_stays_small(view: TimelineView) -> None:
    for number in range(300):
        arrive(view)
        assert view.is_at_end()
        assert window(view)[-1] == COUNT + number


def test_jumps_by_id_and_by_date(view: TimelineView) -> None:
    view.jump_to(MessageId("m12345"))
    assert 12_345 in seen(view)
    view.presenter.jump_to_moment(placed(70_000) - 1)
    assert 70_000 in seen(view)
    view.presenter.jump_to_moment(NOW_UTC_MS + DAY_MS)
    assert COUNT - 1 in seen(view)


def test_the_way_to_the_newest_is_offered_while_it_is_not_seen(view: TimelineView) -> None:
    assert view.newest.isHidden()
    view.jump_to(MessageId("m500"))
    view.newest.show_unread(3)
    assert view.newest.isVisible() and view.newest.text() == "↓ 3 new"
    QTest.mouseClick(view.newest, Qt.MouseButton.LeftButton)
    assert COUNT - 1 in seen(view) and view.is_at_end() and view.newest.isHidden()


def test_home_and_end_lead_to_the_first_and_last_of_all(view: TimelineView) -> None:
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Home)
    assert 0 in seen(view)
    QTest.keyClick(view, Qt.Key.Key_End)
    assert COUNT - 1 in seen(view)


def test_it_opens_at_the_first_new_message_however_far_up(view: TimelineView) -> None:
    view.presenter.open(C1, "Hana Watanabe", read_upto_utc_ms=placed(60_000))
    first = next(number for number in range(60_001, COUNT) if is_in(view, number))
    model = view.presenter.model
    mark = model.number_of(("new",))
    assert model.rows()[mark].kind is ItemKind.NEW
    assert model.rows()[mark + 1].message_id() == f"m{first}"
    assert 0 <= view.visualRect(model.index(mark)).top() < view.viewport().height()
    assert view.presenter.has_newer


def is_in(view: TimelineView, number: int) -> bool:
    return feed_of(view).all[number].message.direction is Direction.IN


def test_days_stand_above_their_first_message_alone(view: TimelineView) -> None:
    view.jump_to(MessageId("m50000"))
    for _ in range(12):
        view.verticalScrollBar().setValue(0)
    items = view.presenter.model.rows()
    days = [item.key for item in items if item.kind is ItemKind.DAY]
    assert len(days) == len(set(days)) > 3


def test_layouts_kept_are_few(view: TimelineView) -> None:
    for _ in range(30):
        view.verticalScrollBar().setValue(0)
        view.viewport().repaint()
    assert len(view.bubbles._cache) <= 160
