"""The dialogs for several clients and for templates by themselves: keyboard, room, plain reasons.

They open no store and send nothing.
"""

from __future__ import annotations

import msgspec
import pytest
from PySide6.QtCore import QEventLoop, QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.broadcast import BroadcastLine
from app.domain.drafts import CheckedDraft
from contract.ids import ConversationId
from contract.policy.matrix import Reach
from contract.policy.model import Action, Decision
from contract.supervision import Template
from contract.wire import Channel
from tests.ui.kit import conversation, decide, decision_of
from ui.models.broadcast_lines import ClientChat, matrix_rows, no_rules, summary_of
from ui.models.template_choice import TemplateChoice
from ui.theme.palette import apply_theme
from ui.theme.tokens import DARK, LIGHT
from ui.views.dialogs.broadcast_dialog import BroadcastDialog
from ui.views.dialogs.template_dialog import TemplateDialog

NAMES = (
    "Freifrau Dr. Maria-Theresia von und zu Hohenstein-Waldeckersleben",
    "渡辺 花子（サクラ・ファミリーオフィス東京本社 資産承継部）",
    "李伟",
    "Rechtsanwaltskanzlei Donaudampfschifffahrtsgesellschaftskapitän",
)
CHATS = [ClientChat(f"c{number}", NAMES[number % 4], "WhatsApp") for number in range(40)]
ROOM_PX = (1280, 720)


def line(number: int, decision: Decision, *, excess_chars: int = 0) -> BroadcastLine:
    """Return a line of a client whose window is open."""
    return BroadcastLine(
        conversation_id=ConversationId(f"c{number}"),
        name=NAMES[number % 4],
        channel=Channel.WHATSAPP,
        reach=Reach.FREE_TEXT,
        decision=decision,
        several=40,
        report=b"",
        excess_chars=excess_chars,
    )


@pytest.fixture
def dialog(qtbot: QtBot, qapp: QApplication) -> BroadcastDialog:
    """Return the dialog for several clients on screen."""
    apply_theme(qapp, LIGHT)
    made = BroadcastDialog(CHATS, LIGHT, most_people=30)
    qtbot.addWidget(made)
    made.show()
    made.activateWindow()
    return made


def decide_on(text: str) -> Decision:
    """Return what the rules say of a text."""
    return decide(CheckedDraft(conversation().conversation_id, text)) or decision_of(())


def check(dialog: BroadcastDialog, *lines: BroadcastLine) -> None:
    """Answer the newest check."""
    assert dialog.show_rows(newest_check(dialog), matrix_rows(lines), summary_of(lines))


def newest_check(dialog: BroadcastDialog) -> int:
    """Return the number of the check that is asked for once nothing changes any more."""
    loop = QEventLoop()
    asked: list[int] = []
    dialog.check_requested.connect(lambda number, _ids, _text: asked.append(number))
    dialog.check_requested.connect(loop.quit)
    QTimer.singleShot(60_000, loop, loop.quit)
    loop.exec()
    return asked[-1]


def link(dialog: QWidget, words: str) -> QPushButton:
    """Return the button with those words."""
    return next(one for one in dialog.findChildren(QPushButton) if one.text() == words)


def said(dialog: QWidget) -> set[str]:
    """Return every line that is seen."""
    return {one.text() for one in dialog.findChildren(QLabel) if one.isVisible()}


def test_space_and_a_click_anywhere_in_a_row_tick_it(dialog: BroadcastDialog) -> None:
    dialog.people.setCurrentRow(1)
    QTest.keyClick(dialog.people, Qt.Key.Key_Space)
    assert dialog.ticked() == ["c1"]
    assert "1 client chosen" in said(dialog)
    row = dialog.people.visualItemRect(dialog.people.item(0))
    QTest.mouseClick(
        dialog.people.viewport(), Qt.MouseButton.LeftButton, pos=row.center() + QPoint(40, 0)
    )
    assert dialog.ticked() == ["c0", "c1"]
    QTest.keyClick(dialog.people, Qt.Key.Key_Space)
    assert dialog.ticked() == ["c1"]


def test_all_that_are_shown_are_chosen_at_once_and_asked_about_once(
    dialog: BroadcastDialog,
) -> None:
    told: list[int] = []
    dialog.choice.changed.connect(lambda: told.append(dialog.choice.count()))
    dialog.choice.field.setText("花子 whatsapp")
    link(dialog, "Choose all shown").click()
    assert (told, len(dialog.ticked())) == ([10], 10)
    dialog.choice.field.setText("nobody of that name")
    assert "No client has these words in the name." in said(dialog)
    assert not link(dialog, "Choose all shown").isEnabled()
    assert len(dialog.ticked()) == 10
    link(dialog, "Clear").click()
    assert dialog.ticked() == []


def test_why_send_is_off_stands_beside_it(dialog: BroadcastDialog) -> None:
    assert "Choose at least one client." in said(dialog)
    link(dialog, "Choose all shown").click()
    assert "30 clients at most at a time: take 10 away." in said(dialog)
    dialog.choice.field.setText("花子")
    link(dialog, "Clear").click()
    link(dialog, "Choose all shown").click()
    assert "Write a message." in said(dialog)
    dialog.edit.setPlainText("guaranteed")
    assert "Checking…" in said(dialog)
    check(dialog, line(0, decide_on("guaranteed")))
    assert "Give a reason in a few words." in said(dialog)
    dialog.reason.setText("Agreed with Compliance")
    assert dialog.send.isEnabled()
    dialog.restore(dialog.text_to_send() + "!", ())
    assert dialog.show_rows(newest_check(dialog), (), no_rules())
    assert not dialog.send.isEnabled()
    assert any("rules have not arrived" in words for words in said(dialog))


def test_enter_never_sends_and_tab_leads_through(dialog: BroadcastDialog) -> None:
    accepted: list[bool] = []
    dialog.accepted.connect(lambda: accepted.append(True))
    dialog.restore("guaranteed", ["c0"])
    check(dialog, line(0, decide_on("guaranteed")))
    dialog.reason.setText("Agreed with Compliance")
    for field in (dialog.choice.field, dialog.people, dialog.table, dialog.reason):
        field.setFocus()
        QTest.keyClick(field, Qt.Key.Key_Return)
    assert (accepted, dialog.isVisible()) == ([], True)
    dialog.table.setFocus()
    dialog.table.setCurrentCell(0, 0)
    QTest.keyClick(dialog.table, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is dialog.reason
    QTest.keyClick(dialog.reason, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert dialog.text_to_send() == "guaranteed"


def test_long_names_and_reasons_are_never_cut_off(dialog: BroadcastDialog) -> None:
    dialog.restore("guaranteed", [f"c{number}" for number in range(20)])
    check(dialog, *(line(number, decide_on("guaranteed")) for number in range(20)))
    table = dialog.table
    for row in (0, 1, 3):
        width = table.columnWidth(0) - 16
        item = table.item(row, 0)
        assert item is not None
        needed = table.fontMetrics().horizontalAdvance(item.text()) / width
        assert table.rowHeight(row) >= table.fontMetrics().height() * needed
    assert table.horizontalScrollBar().maximum() == 0
    assert (dialog.width() <= ROOM_PX[0], dialog.height() <= ROOM_PX[1] - 40) == (True, True)
    assert dialog.minimumSizeHint().height() <= ROOM_PX[1] - 80


def test_those_who_will_not_get_it_come_first_and_the_foot_counts_who_waits() -> None:
    held = msgspec.structs.replace(decision_of(()), action=Action.APPROVE)
    lines = [
        line(0, decide_on("hello")),
        line(1, decide_on("4111 1111 1111 1111")),
        line(2, decide_on("hello"), excess_chars=12),
        line(3, held),
    ]
    rows = matrix_rows(lines)
    assert [row.conversation_id for row in rows] == ["c1", "c2", "c0", "c3"]
    assert (rows[1].verdict, rows[1].note) == (
        "Too long",
        "12 characters more than WhatsApp takes.",
    )
    summary = summary_of(lines)
    assert summary.button == "Send to 2"
    assert summary.words.endswith("2 will not. 1 of them will wait for your supervisor first.")
    assert summary_of(lines[3:]).button == "Ask for approval (1)"
    assert summary_of(lines[1:2]).button == "Send"


def test_a_template_with_many_places_fits_a_small_screen_and_enter_never_sends(
    qtbot: QtBot, qapp: QApplication
) -> None:
    apply_theme(qapp, DARK)
    places = 12
    body = " ".join(f"{{{{{number + 1}}}}}" for number in range(places)) + " Wiedervorlage" * 20
    long = Template(
        template_id="t",
        channel=Channel.WHATSAPP,
        language="de",
        name=NAMES[0],
        body=body,
        parameters=places,
    )
    dialog = TemplateDialog(TemplateChoice([long]), "WhatsApp", "Words.", DARK)
    qtbot.addWidget(dialog)
    dialog.show()
    for field in dialog.value_fields():
        field.setText("渡辺花子")
    dialog.show_finding("A promise. " * 8, "Send anyway", needs_reason=True)
    dialog.reason.setText("Agreed with Compliance")
    QApplication.processEvents()
    assert dialog.height() <= ROOM_PX[1] - 80
    assert {field.height() >= 30 for field in dialog.value_fields()} == {True}
    asked: list[str] = []
    dialog.send_requested.connect(lambda text, _reason: asked.append(text))
    for place in (*dialog.value_fields()[:1], dialog.reason, dialog.list):
        QTest.keyClick(place, Qt.Key.Key_Return)
    assert (asked, dialog.isVisible()) == ([], True)
    dialog.use.click()
    assert len(asked) == 1


def test_a_channel_without_templates_says_whom_to_ask(qtbot: QtBot) -> None:
    dialog = TemplateDialog(TemplateChoice([]), "WhatsApp", "Words.", LIGHT)
    qtbot.addWidget(dialog)
    dialog.show()
    assert any("Ask your administrator" in words for words in said(dialog))
    assert not dialog.use.isEnabled()
