"""Tests of the composer's keys, drafts and sends. They never use a network."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QInputMethodEvent, QKeyEvent, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication
from pytestqt.qtbot import QtBot

from app.domain.drafts import Draft
from app.domain.errors import DiskFull
from contract.ids import ConversationId
from contract.wire import Message
from tests.support.log_guard import LogGuard
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import CARD, ComposerKit, composer_kit, conversation, hana, until
from tests.ui.sample_rows import timeline_row
from ui.models.spoken_findings import SPEAK_AFTER_MS
from ui.theme.tokens import LIGHT
from ui.views.composer_edit import MAX_LINES, ComposerEdit

_RETURN = Qt.Key.Key_Return
_SHIFT = Qt.KeyboardModifier.ShiftModifier


def conversation_message(text: str) -> Message:
    """Return a message of one's own that is out."""
    return timeline_row(1, text, out=True).message


def _compose(kit: ComposerKit, preedit: str, commit: str = "") -> None:
    event = QInputMethodEvent(preedit, [])
    if commit:
        event.setCommitString(commit)
    QApplication.sendEvent(kit.view.edit, event)


def test_enter_sends_and_clears_only_after_the_commit(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        kit.outgoing.gate = asyncio.Event()
        QTest.keyClicks(kit.view.edit, "Good morning")
        QTest.keyClick(kit.view.edit, _RETURN)
        await asyncio.sleep(0.02)
        assert kit.view.edit.toPlainText() == "Good morning"
        kit.outgoing.gate.set()
        await until(lambda: kit.view.edit.toPlainText() == "")
        assert kit.outgoing.sends == [("talk-1", "Good morning", "")]
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_shift_enter_breaks_the_line(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        QTest.keyClicks(kit.view.edit, "a")
        QTest.keyClick(kit.view.edit, _RETURN, _SHIFT)
        QTest.keyClicks(kit.view.edit, "b")
        assert kit.view.edit.toPlainText() == "a\nb"
        assert kit.outgoing.sends == []
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_enter_during_composition_neither_sends_nor_breaks(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        QTest.keyClicks(kit.view.edit, "x")
        _compose(kit, "やくじょう")
        QTest.keyClick(kit.view.edit, _RETURN)
        _compose(kit, "", "約定")
        QTest.keyClick(kit.view.edit, _RETURN)  # the same key, delivered behind the commit
        assert kit.view.edit.toPlainText() == "x約定"
        await asyncio.sleep(0.02)
        assert kit.outgoing.sends == []
        QTest.keyClick(kit.view.edit, _RETURN)
        await until(lambda: len(kit.outgoing.sends) == 1)
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_one_wish_to_send_sends_once(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        kit.outgoing.gate = asyncio.Event()
        QTest.keyClicks(kit.view.edit, "once")
        QTest.keyClick(kit.view.edit, _RETURN)
        repeated = QKeyEvent(
            QEvent.Type.KeyPress, _RETURN, Qt.KeyboardModifier.NoModifier, "\r", True
        )
        QApplication.sendEvent(kit.view.edit, repeated)
        QTest.keyClick(kit.view.edit, _RETURN)
        QTest.mouseDClick(kit.view.send_button, Qt.MouseButton.LeftButton)
        QTest.mouseClick(kit.view.send_button, Qt.MouseButton.LeftButton)
        kit.outgoing.gate.set()
        await until(lambda: kit.view.edit.toPlainText() == "")
        assert len(kit.outgoing.sends) == 1
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_text_typed_while_a_send_commits_stays(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        kit.outgoing.gate = asyncio.Event()
        QTest.keyClicks(kit.view.edit, "first")
        QTest.keyClick(kit.view.edit, _RETURN)
        QTest.keyClicks(kit.view.edit, " second")
        kit.outgoing.gate.set()
        await until(lambda: len(kit.outgoing.sends) == 1)
        await until(lambda: kit.view.edit.toPlainText() == " second")
        await kit.presenter.flush()
        assert kit.outgoing.drafts["talk-1"].text == " second"
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_refused_send_keeps_the_text_and_says_why(
    qapp: QApplication, expect_log: LogGuard
) -> None:
    expect_log("send ended with", logger="ui.bridge.spawn")
    expect_log("save draft ended with", logger="ui.bridge.spawn", required=False)

    async def work() -> None:
        kit = composer_kit()
        QTest.keyClicks(kit.view.edit, "keep me")
        kit.outgoing.fault = DiskFull()
        QTest.keyClick(kit.view.edit, _RETURN)
        await until(lambda: "send:disk_full" in kit.faults)
        assert kit.view.edit.toPlainText() == "keep me"
        assert "disk is full" in kit.presenter.state().fault
        kit.outgoing.fault = None
        await kit.presenter.flush()
        assert kit.outgoing.drafts["talk-1"].text == "keep me"
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_draft_is_saved_soon_after_the_last_key(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        QTest.keyClicks(kit.view.edit, "Dear Hana")
        await until(lambda: "talk-1" in kit.outgoing.drafts)
        assert kit.outgoing.drafts["talk-1"].text == "Dear Hana"
        assert kit.outgoing.saves == 1
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_draft_survives_the_switch_to_another_conversation(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        QTest.keyClicks(kit.view.edit, "half a sen")
        other = Draft(ConversationId("talk-2"), "the other")
        kit.presenter.show(None, (), None)
        kit.presenter.show(conversation(2), (hana(),), other)
        assert kit.view.edit.toPlainText() == "the other"
        # Back before the save ran: what was typed counts, not what the store still holds.
        kit.presenter.show(conversation(1), (hana(),), None)
        assert kit.view.edit.toPlainText() == "half a sen"
        await until(lambda: "talk-1" in kit.outgoing.drafts)
        assert kit.outgoing.drafts["talk-1"].text == "half a sen"
        assert "talk-2" not in kit.outgoing.drafts
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_draft_that_could_not_be_saved_is_kept_and_saved_later(
    qapp: QApplication, expect_log: LogGuard
) -> None:
    expect_log("save draft ended with", logger="ui.bridge.spawn")

    async def work() -> None:
        kit = composer_kit()
        kit.outgoing.fault = DiskFull()
        QTest.keyClicks(kit.view.edit, "not lost")
        await until(lambda: "save draft:disk_full" in kit.faults)
        kit.presenter.show(conversation(2), (hana(),), None)
        kit.outgoing.fault = None
        await kit.presenter.flush()
        assert kit.outgoing.drafts["talk-1"].text == "not lost"
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_nothing_can_be_sent_between_two_conversations(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        QTest.keyClicks(kit.view.edit, "for Hana")
        kit.presenter.show(None, (), None)
        QTest.keyClicks(kit.view.edit, "!")
        QTest.keyClick(kit.view.edit, _RETURN)
        await asyncio.sleep(0.02)
        assert kit.outgoing.sends == []
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_blocked_draft_says_what_to_mend_and_is_mended_by_its_button(
    qapp: QApplication,
) -> None:
    async def work() -> None:
        kit = composer_kit()
        # Two emoji: positions in code points and in UTF-16 units differ.
        kit.view.edit.setPlainText(f"😀😀 {CARD} guaranteed")
        assert kit.view.finding_words() == ("A payment card number", "A promise")
        assert kit.view.send_button.text() == "Send — 1 to mend"
        assert not kit.view.send_button.isEnabled()
        assert kit.view.send_button.accessibleDescription()
        QTest.keyClick(kit.view.edit, _RETURN)
        mask = next(b for b in kit.view.findChildren(QAbstractButton) if b.text() == "Mask")
        QTest.mouseClick(mask, Qt.MouseButton.LeftButton)
        assert kit.view.edit.toPlainText() == "😀😀 •••• 1111 guaranteed"
        assert kit.view.send_button.text() == "Send with reason…"
        assert kit.outgoing.sends == []
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_rule_that_asks_for_a_reason_gets_one(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        QTest.keyClicks(kit.view.edit, "guaranteed")
        QTest.keyClick(kit.view.edit, _RETURN)
        assert kit.outgoing.sends == []
        field = kit.view.focusWidget()
        assert field.accessibleName() == "Reason for sending"
        QTest.keyClicks(field, "ticket 4411")
        QTest.keyClick(field, _RETURN)
        await until(lambda: kit.outgoing.sends == [("talk-1", "guaranteed", "ticket 4411")])
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_new_finding_is_told_once(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        QTest.keyClicks(kit.view.edit, f"{CARD} is mine")
        await until(lambda: bool(kit.said))
        QTest.keyClicks(kit.view.edit, ", not yours")
        await asyncio.sleep(2 * SPEAK_AFTER_MS / 1000)
        assert kit.said == ["To mend: A payment card number."]
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_the_field_grows_to_eight_lines(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        heights = []
        for lines in (1, 4, 8, 20):
            kit.view.edit.setPlainText("\n".join("x" * lines))
            heights.append(kit.view.edit.height())
        assert heights[0] < heights[1] < heights[2] == heights[3]
        await kit.close()

    run_in_qt_loop(qapp, work())


@pytest.mark.parametrize("length", [129, 161])
def test_the_counter_shows_near_the_limit(qapp: QApplication, length: int) -> None:
    async def work() -> None:
        kit = composer_kit()
        kit.view.edit.setPlainText("x" * length)
        state = kit.presenter.state()
        assert state.counter == f"{length} / 160"
        assert state.over_limit is (length > 160)
        assert state.send.enabled is (length <= 160)
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_window_that_closes_while_writing_offers_templates(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        kit.presenter.show(conversation(closes_in_ms=1), (hana(),), None)
        QTest.keyClicks(kit.view.edit, "still here")
        assert kit.view.send_button.isEnabled()
        asked: list[bool] = []
        kit.view.choose_template_requested.connect(lambda: asked.append(True))
        kit.presenter.refresh(conversation(closes_in_ms=0), (hana(),))
        assert not kit.view.send_button.isEnabled()
        buttons = kit.view.findChildren(QAbstractButton)
        choose = next(one for one in buttons if one.text() == "Choose a template…")
        QTest.mouseClick(choose, Qt.MouseButton.LeftButton)
        assert asked == [True] and kit.view.edit.toPlainText() == "still here"
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_template_taken_back_may_go_again_unless_it_is_changed(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        kit.presenter.show(conversation(closes_in_ms=0), (hana(),), None)
        filled = Draft(ConversationId("talk-1"), "Your statement is ready.", template_id="t-1")
        kit.presenter.adopt(filled)
        assert kit.view.send_button.isEnabled()
        QTest.keyClicks(kit.view.edit, "!")
        assert not kit.view.send_button.isEnabled()
        await kit.close()

    run_in_qt_loop(qapp, work())


@pytest.mark.parametrize(
    "line", ["明日の約定確認をお願いします。", "请确认明天的交易。", "Guten Tag"]
)
def test_the_field_is_high_enough_for_every_script(qtbot: QtBot, line: str) -> None:
    edit = ComposerEdit(LIGHT)
    qtbot.addWidget(edit)
    edit.resize(600, 40)
    edit.show()
    edit.setPlainText("\n".join([line] * MAX_LINES))
    edit.moveCursor(QTextCursor.MoveOperation.End)
    QApplication.processEvents()
    assert edit.firstVisibleBlock().blockNumber() == 0
    assert edit.cursorRect().bottom() <= edit.viewport().height()
    edit.appendPlainText(line)
    assert edit.verticalScrollBar().maximum() > 0


def test_words_of_a_sent_message_are_changed_in_the_composer(
    qapp: QApplication, expect_log: LogGuard
) -> None:
    expect_log("send ended with disk_full")
    expect_log("save draft ended with", logger="ui.bridge.spawn", required=False)

    async def work() -> None:
        kit = composer_kit()
        sent = conversation_message("Frist words")
        assert kit.presenter.propose(sent.text, instead_of=sent)
        assert kit.view.edit.toPlainText() == "Frist words"
        kit.view.edit.setPlainText("First words")
        kit.outgoing.fault = DiskFull()
        QTest.keyClick(kit.view.edit, _RETURN)
        await until(lambda: kit.faults != [])
        assert kit.view.edit.toPlainText() == "First words"
        kit.outgoing.fault = None
        QTest.keyClick(kit.view.edit, _RETURN)
        await until(lambda: kit.outgoing.edits == [(sent.message_id, "First words")])
        await until(lambda: kit.view.edit.toPlainText() == "")
        assert kit.outgoing.sends == []
        QTest.keyClicks(kit.view.edit, "A draft")
        assert not kit.presenter.propose(sent.text, instead_of=sent)
        assert kit.view.edit.toPlainText() == "A draft"
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_file_beside_changed_words_is_not_lost(
    qapp: QApplication, expect_log: LogGuard, tmp_path: Path
) -> None:
    expect_log("send ended with refused")
    paper = tmp_path / "paper.txt"
    paper.write_text("words")

    async def work() -> None:
        kit = composer_kit()
        assert kit.presenter.propose("Frist words", instead_of=conversation_message("Frist words"))
        kit.presenter.uploads.add(paper)
        await until(lambda: len(kit.presenter.uploads.attachments()) == 1)
        QTest.keyClick(kit.view.edit, _RETURN)
        await until(lambda: kit.faults != [])
        assert kit.outgoing.edits == []
        assert len(kit.presenter.uploads.attachments()) == 1
        assert kit.view.edit.toPlainText() == "Frist words"
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_what_was_to_change_a_message_stays_as_a_draft_when_left(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        sent = conversation_message("Frist words")
        kit.presenter.propose(sent.text, instead_of=sent)
        kit.view.edit.setPlainText("First words, really")
        kit.presenter.show(None, (), None)
        await until(lambda: "talk-1" in kit.outgoing.drafts)
        saved = kit.outgoing.drafts["talk-1"]
        assert (saved.text, saved.quote_message_id) == ("First words, really", None)
        await kit.close()

    run_in_qt_loop(qapp, work())
