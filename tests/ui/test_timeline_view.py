"""The timeline under real mouse and key events: selecting, copying, acting, keeping the place.

It reads from plain lists, never from a store.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QContextMenuEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from app.domain.changes import ChangeSet
from app.domain.timeline import TimelineRow
from contract.ids import ConversationId, MessageId
from tests.ui.feeds import StillClock, TimelineFeed, run_now
from tests.ui.sample_rows import message, sample_timeline, state_timeline, timeline_row
from ui.delegates.bubble_layout import BubbleLayout
from ui.models.timeline_presenter import TimelinePresenter
from ui.theme.fonts import load_fonts
from ui.theme.palette import apply_theme
from ui.theme.tokens import LIGHT
from ui.views.timeline_view import TimelineView

C1 = ConversationId("c1")
LEFT = Qt.MouseButton.LeftButton
Shown = Callable[[list[TimelineRow]], TimelineView]


@pytest.fixture
def shown(qapp: QApplication, qtbot: QtBot) -> Shown:
    load_fonts()
    apply_theme(qapp, LIGHT)
    QGuiApplication.clipboard().clear()

    def show(rows: list[TimelineRow]) -> TimelineView:
        presenter = TimelinePresenter(TimelineFeed(rows), StillClock(), run_now)
        view = TimelineView(presenter, LIGHT)
        presenter.setParent(view)
        qtbot.addWidget(view)
        view.resize(737, 600)
        view.show()
        view.activateWindow()
        qtbot.waitUntil(view.isActiveWindow, timeout=60_000)
        presenter.open(C1, "Hana Watanabe")
        return view

    return show


def layout_of(view: TimelineView, message_id: str) -> BubbleLayout:
    layout = view._layout_of(MessageId(message_id))
    assert layout is not None
    return layout


def on_screen(view: TimelineView, message_id: str, point: QPointF) -> QPoint:
    model = view.presenter.model
    number = model.number_of_message(MessageId(message_id))
    return (point + QPointF(view.visualRect(model.index(number)).topLeft())).toPoint()


def character(view: TimelineView, message_id: str, place: int) -> QPoint:
    """Return where the left edge of a character of a one-line text is on screen."""
    layout = layout_of(view, message_id)
    line = layout.text._layout.lineAt(0)
    found: object = line.cursorToX(place)  # Qt's pair of x and position
    at = found[0] if isinstance(found, tuple) else found
    assert isinstance(at, float)
    return on_screen(view, message_id, layout.text_origin + QPointF(at, 9))


def clipboard() -> str:
    return QGuiApplication.clipboard().text()


def drag(view: TimelineView, start: QPoint, end: QPoint) -> None:
    port = view.viewport()
    QTest.mousePress(port, LEFT, pos=start)
    QTest.mouseMove(port, (start + end) / 2)
    QTest.mouseMove(port, end)
    QTest.mouseRelease(port, LEFT, pos=end)


def part_center(view: TimelineView, message_id: str, words: str) -> QPoint:
    layout = layout_of(view, message_id)
    rects = [rect for part, rect in (*layout.footer, *layout.below) if part.text == words]
    return on_screen(view, message_id, rects[0].center())


def test_a_drag_selects_and_ctrl_c_copies(shown: Shown) -> None:
    view = shown(sample_timeline())
    drag(view, character(view, "m4", 0), character(view, "m4", 9))
    assert view.selected_text() == "Thank you"
    QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert clipboard() == "Thank you"


def test_a_drag_beyond_the_bubble_ends_at_its_text(shown: Shown) -> None:
    view = shown(sample_timeline())
    end = on_screen(view, "m5", QPointF(700, 300))
    drag(view, character(view, "m5", 3), end)
    assert view.selected_text() == "約定確認をお願いします"


def test_double_click_selects_a_word_and_a_third_click_all(shown: Shown) -> None:
    view = shown(sample_timeline())
    point = character(view, "m4", 14)
    QTest.mouseClick(view.viewport(), LEFT, pos=point)
    QTest.mouseDClick(view.viewport(), LEFT, pos=point)
    assert view.selected_text() == "Could"
    QTest.mouseClick(view.viewport(), LEFT, pos=point)
    assert view.selected_text().endswith("as well?")
    assert view.selected_text().startswith("Thank you!")


def test_keys_alone_choose_a_message_select_and_copy(shown: Shown) -> None:
    view = shown(sample_timeline())
    view.clearFocus()
    view.setFocus(Qt.FocusReason.TabFocusReason)
    shift, control = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
    QTest.keyClick(view, Qt.Key.Key_Up)
    for _ in range(5):
        QTest.keyClick(view, Qt.Key.Key_Right, shift)
    assert view.selected_text() == "Thank"
    QTest.keyClick(view, Qt.Key.Key_Right, shift | control)
    QTest.keyClick(view, Qt.Key.Key_Left, shift)
    assert view.selected_text() == "Thank"
    QTest.keyClick(view, Qt.Key.Key_End, shift)
    QTest.keyClick(view, Qt.Key.Key_C, control)
    assert clipboard() == "Thank you! Could you confirm the coupon payment calendar as well?"
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert view.selected_text() == ""
    QTest.keyClick(view, Qt.Key.Key_Down)
    QTest.keyClick(view, Qt.Key.Key_C, control)
    assert clipboard() == "明日の約定確認をお願いします"
    QTest.keyClick(view, Qt.Key.Key_A, control)
    assert view.selected_text() == "明日の約定確認をお願いします"


@pytest.mark.parametrize(
    ("message_id", "words", "signal", "args"),
    [
        ("m20", "Archived #48\u202f219", "receipt_requested", ["m20"]),
        ("m22", "Send again…", "resolve_requested", ["m22", "send_again"]),
        ("m28", "Cancel", "cancel_requested", ["m28"]),
        ("m29", "Edit", "edit_requested", ["m29"]),
        ("m30", "Undo", "undo_requested", ["m30"]),
        ("m25", "2 versions archived", "receipt_requested", ["m25"]),
    ],
)
def test_footers_are_buttons(
    shown: Shown, qtbot: QtBot, message_id: str, words: str, signal: str, args: list[str]
) -> None:
    view = shown(state_timeline())
    view.resize(737, 1300)
    with qtbot.waitSignal(getattr(view, signal)) as heard:
        QTest.mouseClick(view.viewport(), LEFT, pos=part_center(view, message_id, words))
    assert heard.args == args


def test_ask_proposes_a_text(shown: Shown, qtbot: QtBot) -> None:
    view = shown(state_timeline())
    view.resize(737, 1300)
    with qtbot.waitSignal(view.ask_requested) as heard:
        QTest.mouseClick(view.viewport(), LEFT, pos=part_center(view, "m22", "Ask Hana"))
    assert heard.args == ["m22", "Did you receive my message “Please buy 2 000 at market.”?"]


def test_enter_does_what_the_message_offers_first(shown: Shown, qtbot: QtBot) -> None:
    view = shown(state_timeline())
    view.clearFocus()
    view.setFocus(Qt.FocusReason.TabFocusReason)
    with qtbot.waitSignal(view.undo_requested) as heard:
        QTest.keyClick(view, Qt.Key.Key_Return)
    assert heard.args == ["m30"]


def test_files_and_links_are_only_asked_for(shown: Shown, qtbot: QtBot) -> None:
    view = shown([*sample_timeline(), *state_timeline()])
    view.resize(737, 2000)
    file, rect = layout_of(view, "m3").files[0]
    with qtbot.waitSignal(view.file_save_requested) as heard:
        QTest.mouseClick(view.viewport(), LEFT, pos=on_screen(view, "m3", rect.center()))
    assert heard.args == [file]
    text = layout_of(view, "m25").words.text
    with qtbot.waitSignal(view.link_requested) as heard:
        place = character(view, "m25", text.index("https") + 3)
        QTest.mouseClick(view.viewport(), LEFT, pos=place)
    assert heard.args == ["https://example.org/terms?id=7"]


def test_a_drag_over_a_link_selects_and_opens_nothing(shown: Shown, qtbot: QtBot) -> None:
    view = shown(state_timeline())
    view.resize(737, 1300)
    start = layout_of(view, "m25").words.text.index("https")
    with qtbot.assertNotEmitted(view.link_requested):
        drag(view, character(view, "m25", start), character(view, "m25", start + 5))
    assert view.selected_text() == "https"


def test_a_quote_leads_to_what_it_quotes(shown: Shown) -> None:
    view = shown(sample_timeline())
    quote = layout_of(view, "m4").quote
    assert quote is not None
    QTest.mouseClick(view.viewport(), LEFT, pos=on_screen(view, "m4", quote.center()))
    assert view.bubbles.highlighted == "m3"


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
def test_the_menu_offers_what_the_message_allows(shown: Shown, qtbot: QtBot) -> None:
    view = shown(state_timeline())
    view.resize(737, 1300)
    at = on_screen(view, "m22", layout_of(view, "m22").bubble.center())
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, view.viewport().mapToGlobal(at))
    QApplication.sendEvent(view.viewport(), event)
    menu = view.findChild(QMenu)
    assert isinstance(menu, QMenu)
    assert [action.text() for action in menu.actions()] == [
        "Copy text",
        "Reply",
        "Ask the client",
        "Send again…",
        "It was delivered",
        "Give up",
        "Details",
        "Copy link to this message",
    ]
    with qtbot.waitSignal(view.resolve_requested) as heard:
        menu.actions()[5].trigger()
    assert heard.args == ["m22", "give_up"]
    menu.close()


def changed(view: TimelineView, feed: TimelineFeed, row: TimelineRow) -> None:
    feed.all.append(row)
    ids = frozenset({row.message.message_id})
    view.presenter.on_changed(ChangeSet(messages={C1: ids}))


def feed_of(view: TimelineView) -> TimelineFeed:
    source = view.presenter._source
    assert isinstance(source, TimelineFeed)
    return source


def test_it_opens_and_stays_at_the_newest_message(shown: Shown) -> None:
    view = shown([timeline_row(number, f"Message {number}") for number in range(100)])
    bar = view.verticalScrollBar()
    assert bar.maximum() > 0 and bar.value() == bar.maximum()
    changed(view, feed_of(view), timeline_row(100, "News"))
    assert bar.value() == bar.maximum()
    assert view.is_at_end()
    view.resize(500, 300)
    assert bar.value() == bar.maximum()


def test_reading_further_up_is_not_disturbed_by_news(shown: Shown) -> None:
    view = shown([timeline_row(number, f"Message {number}") for number in range(50)])
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum() - 400)
    top = character(view, "m30", 0)
    changed(view, feed_of(view), timeline_row(50, "News"))
    assert character(view, "m30", 0) == top
    assert not view.is_at_end()


def test_older_rows_come_without_moving_what_is_read(shown: Shown) -> None:
    view = shown([timeline_row(number, f"Message {number}") for number in range(300)])
    first_before = view.presenter.model.rows()[1].message_id()
    index = view.presenter.model.number_of_message(MessageId("m270"))
    offset = view.visualRect(view.presenter.model.index(index)).top()
    bar = view.verticalScrollBar()
    moved = bar.value() - 10
    bar.setValue(10)
    assert view.presenter.model.rows()[1].message_id() != first_before
    index = view.presenter.model.number_of_message(MessageId("m270"))
    assert view.visualRect(view.presenter.model.index(index)).top() == offset + moved


def test_scrolling_up_to_the_first_and_down_to_the_last_row(shown: Shown) -> None:
    view = shown([timeline_row(number, f"Message {number}") for number in range(900)])
    bar = view.verticalScrollBar()
    for _ in range(40):
        bar.setValue(0)
    assert view.presenter.model.rows()[1].message_id() == "m0"
    assert not view.presenter.has_older and view.presenter.has_newer
    for _ in range(40):
        bar.setValue(bar.maximum())
    assert view.presenter.model.rows()[-1].message_id() == "m899"
    assert view.is_at_end()


def test_a_jump_shows_and_highlights_a_far_message(shown: Shown, qtbot: QtBot) -> None:
    view = shown([timeline_row(number, f"Message {number}") for number in range(900)])
    view.jump_to(MessageId("m10"))
    index = view.presenter.model.index(view.presenter.model.number_of_message(MessageId("m10")))
    assert view.viewport().rect().contains(view.visualRect(index))
    assert view.bubbles.highlighted == "m10"
    qtbot.waitUntil(lambda: view.bubbles.highlighted is None, timeout=60_000)
    view.scroll_to_end()
    assert view.presenter.model.rows()[-1].message_id() == "m899"


def test_what_was_seen_is_told_once(shown: Shown) -> None:
    view = shown(sample_timeline())
    view.activateWindow()
    seen: list[tuple[int, bool]] = []
    view.seen.connect(lambda upto, everything: seen.append((upto, everything)))
    news = TimelineRow(message(100, "News", at_utc_ms=1_795_300_000_000))
    changed(view, feed_of(view), news)
    view.verticalScrollBar().valueChanged.emit(view.verticalScrollBar().value())
    assert seen[-1:] == [(1_795_300_000_000, True)]
    assert len(seen) == len(set(seen))
    view.look_again()
    assert seen[-1] == seen[-2]


def test_what_is_below_the_view_is_not_told_as_seen(shown: Shown) -> None:
    rows = [TimelineRow(message(number, f"Line {number}")) for number in range(80)]
    view = shown(rows)
    seen: list[tuple[int, bool]] = []
    view.seen.connect(lambda upto, everything: seen.append((upto, everything)))
    view.presenter.open(C1, "Hana Watanabe", anchor=rows[5].message.message_id)
    assert seen and not seen[-1][1]
    assert seen[-1][0] < rows[-1].message.place_at_utc_ms
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())
    view.scroll_to_end()
    assert seen[-1] == (rows[-1].message.place_at_utc_ms, True)


def test_screen_readers_find_every_row(shown: Shown) -> None:
    view = shown(sample_timeline())
    interface = QAccessible.queryAccessibleInterface(view)
    assert interface is not None
    children = [interface.child(number) for number in range(interface.childCount())]
    names = [child.text(QAccessible.Text.Name) for child in children]
    assert any(name.startswith("You, Good morning Hana-san") for name in names)
    assert len(names) == view.presenter.model.rowCount()
