"""The inbox pane under real keys and clicks.

It reads from plain lists; no window manager is needed.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.domain.changes import ChangeSet
from app.domain.inbox import InboxCounts, InboxFilter
from contract.ids import ConversationId
from contract.wire import Channel
from tests.ui.feeds import InboxFeed, StillClock, run_now
from tests.ui.sample_rows import NOW_UTC_MS, inbox_row, sample_inbox
from ui.delegates.inbox_delegate import ROW_HEIGHT_PX
from ui.models.inbox_presenter import InboxPresenter
from ui.theme.fonts import load_fonts
from ui.theme.palette import apply_theme
from ui.theme.tokens import DARK, LIGHT
from ui.views.inbox_view import InboxView


@pytest.fixture
def feed() -> InboxFeed:
    return InboxFeed(sample_inbox())


@pytest.fixture
def view(qapp: QApplication, qtbot: QtBot, feed: InboxFeed) -> Iterator[InboxView]:
    load_fonts()
    apply_theme(qapp, LIGHT)
    presenter = InboxPresenter(feed, StillClock(), run_now)
    pane = InboxView(presenter, LIGHT)
    qtbot.addWidget(pane)
    pane.resize(344, 800)
    pane.show()
    qtbot.waitExposed(pane)
    presenter.start()
    yield pane
    presenter.stop()


def chosen(view: InboxView) -> list[str]:
    heard: list[str] = []
    view.conversation_selected.connect(heard.append)
    return heard


def button_of(view: InboxView, name: str) -> QPushButton:
    found = view.findChild(QPushButton, name)
    assert isinstance(found, QPushButton)
    return found


def row_center(view: InboxView, number: int) -> QPoint:
    return view.list.visualRect(view.list.model().index(number, 0)).center()


def test_click_and_arrow_keys_choose_conversations(view: InboxView, qtbot: QtBot) -> None:
    heard = chosen(view)
    place = row_center(view, 1)
    QTest.mouseClick(view.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    view.list.setFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_End, Qt.Key.Key_Home):
        QTest.keyClick(view.list, key)
    assert heard == ["c2", "c3", "c4", "c3", "c12", "c1"]


def test_enter_opens_for_writing(view: InboxView, qtbot: QtBot) -> None:
    view.select_conversation(ConversationId("c3"))
    with qtbot.waitSignal(view.conversation_activated) as heard:
        QTest.keyClick(view.list, Qt.Key.Key_Return)
    assert heard.args == ["c3"]


def test_selecting_by_program_says_nothing(view: InboxView) -> None:
    heard = chosen(view)
    view.select_conversation(ConversationId("c5"))
    assert view.selected_conversation() == "c5"
    assert heard == []


def test_a_row_that_goes_takes_no_other_into_its_place(view: InboxView, feed: InboxFeed) -> None:
    view.select_conversation(ConversationId("c1"))
    heard = chosen(view)
    view._presenter.keep(None)
    del feed.all[0]
    view._presenter.refresh()
    assert heard == []
    assert view.selected_conversation() is None


def test_the_selection_follows_its_conversation_to_the_top(
    view: InboxView, feed: InboxFeed
) -> None:
    view.select_conversation(ConversationId("c4"))
    heard = chosen(view)
    feed.all[3] = inbox_row(4, "Ardent", at_utc_ms=NOW_UTC_MS, version=2)
    view._presenter.refresh()
    assert view.list.currentIndex().row() == 0
    assert view.selected_conversation() == "c4"
    assert heard == []


def test_chips_filter_and_count(view: InboxView, qtbot: QtBot) -> None:
    chip = button_of(view, f"inbox-filter-{InboxFilter.UNREAD}")
    assert chip.text() == "Unread 4"
    QTest.mouseClick(chip, Qt.MouseButton.LeftButton)
    assert view._presenter.query.filter is InboxFilter.UNREAD
    assert view.list.model().rowCount() == 4
    assert chip.isChecked()


@pytest.mark.parametrize(
    ("width_px", "counts", "shown"),
    [
        (344, (3, 5, 1), ["All", "Unread 3", "Awaiting me 5", "Expiring 1"]),
        (344, (23, 41, 2), ["All", "Unread 23", "Awaiting me", "Expiring 2"]),
        (344, (699, 993, 12), ["All", "Unread", "Awaiting me", "Expiring 12"]),
        (700, (699, 993, 12), ["All", "Unread 699", "Awaiting me 993", "Expiring 12"]),
    ],
)
def test_numbers_give_way_before_a_filter_is_cut(
    view: InboxView, width_px: int, counts: tuple[int, int, int], shown: list[str]
) -> None:
    unread, awaiting, expiring = counts
    view.resize(width_px, 800)
    view._presenter.counts_changed.emit(InboxCounts(1_000, unread, awaiting, expiring))
    chips = [button_of(view, f"inbox-filter-{each}") for each in InboxFilter]
    assert [chip.text() for chip in chips] == shown
    layout = view.layout()
    assert layout is not None
    layout.activate()
    assert all(chip.width() >= chip.sizeHint().width() for chip in chips)
    assert chips[2].accessibleName() == f"Awaiting me {awaiting}"


def test_an_empty_filter_says_so_in_plain_words(view: InboxView, feed: InboxFeed) -> None:
    feed.all.clear()
    view._presenter.set_filter(InboxFilter.UNREAD)
    assert view._empty_title.isVisible()
    assert view._empty_title.text() == "Nothing unread"
    view._presenter.set_channel(Channel.LINE)
    assert view._empty_words.text() == "Only LINE is shown."


def test_search_field_asks_for_the_palette(view: InboxView, qtbot: QtBot) -> None:
    field = button_of(view, "inbox-search")
    with qtbot.waitSignal(view.search_requested):
        QTest.mouseClick(field, Qt.MouseButton.LeftButton)


def test_screen_readers_read_the_rows(view: InboxView) -> None:
    interface = QAccessible.queryAccessibleInterface(view.list)
    assert interface is not None
    assert interface.text(QAccessible.Text.Name) == "Conversations"
    first = interface.child(0)
    assert first is not None
    assert first.text(QAccessible.Text.Name).startswith("Hana Watanabe, WhatsApp, 2 unread")


def test_every_control_has_a_name(view: InboxView) -> None:
    for control in view.findChildren(QPushButton):
        assert control.accessibleName(), control.objectName()


def test_both_looks_paint_differently(view: InboxView, qapp: QApplication) -> None:
    light = view.grab().toImage()
    apply_theme(qapp, DARK)
    view.set_tokens(DARK)
    dark = view.grab().toImage()
    assert light.pixelColor(300, 700).lightness() > 240
    assert dark.pixelColor(300, 700).lightness() < 60


def test_what_shows_stays_in_its_place_while_rows_above_move(
    view: InboxView, feed: InboxFeed
) -> None:
    feed.all[:] = [
        inbox_row(number, f"Client {number}", at_utc_ms=NOW_UTC_MS - 60_000 * number)
        for number in range(1, 301)
    ]
    view._presenter.refresh()
    view.select_conversation(ConversationId("c150"))
    bar, model = view.list.verticalScrollBar(), view._presenter.model
    view.list.executeDelayedItemsLayout()
    bar.setValue(140 * ROW_HEIGHT_PX + 7)
    heard = chosen(view)
    place = view.list.visualRect(model.index(model.number_of(ConversationId("c145")))).top()
    for number in (200, 210, 20):
        fresh = inbox_row(number, "News", at_utc_ms=NOW_UTC_MS + number, version=2)
        feed.all[number - 1] = fresh
        name = fresh.conversation.conversation_id
        view._presenter.on_changed(ChangeSet(conversations=frozenset({name})))
    feed.all.append(inbox_row(301, "Client 301", at_utc_ms=NOW_UTC_MS + 999))
    view._presenter.refresh()
    after = view.list.visualRect(model.index(model.number_of(ConversationId("c145")))).top()
    assert after == place
    assert view.selected_conversation() == "c150"
    assert heard == []
    bar.setValue(0)
    feed.all.append(inbox_row(302, "Client 302", at_utc_ms=NOW_UTC_MS + 1_999))
    view._presenter.refresh()
    assert bar.value() == 0 and model.number_of(ConversationId("c302")) == 0


def test_the_scroll_bar_is_honest_and_far_rows_come_when_they_show(
    view: InboxView, feed: InboxFeed, qtbot: QtBot
) -> None:
    feed.all[:] = [
        inbox_row(number, f"Client {number}", at_utc_ms=NOW_UTC_MS - 60_000 * number)
        for number in range(1, 10_001)
    ]
    view._presenter.refresh()
    view.list.executeDelayedItemsLayout()
    bar = view.list.verticalScrollBar()
    assert bar.maximum() == 10_000 * ROW_HEIGHT_PX - view.list.viewport().height()
    bar.setValue(bar.maximum())
    view.list.viewport().repaint()
    model = view._presenter.model
    qtbot.waitUntil(lambda: model.row_at(9_999) is not None, timeout=60_000)
    assert len(model.rows()) < 400
