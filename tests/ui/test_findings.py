"""Tests of findings in the composer: marks, actions, answers. They never use a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit

from app.domain.drafts import CheckedDraft, Draft
from contract.ids import ConversationId
from contract.policy.model import Action, Decision, Finding, Fix, FixKind, OverrideKind
from contract.wire import WireFinding
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import (
    CARD,
    ComposerKit,
    composer_kit,
    conversation,
    decide,
    decision_of,
    hana,
    until,
)
from tests.ui.sample_rows import term_sheet
from ui.models.draft_policy import PolicyChecks
from ui.models.spoken_findings import SPEAK_AFTER_MS

_RETURN = Qt.Key.Key_Return
_CONTROL = Qt.KeyboardModifier.ControlModifier


def _rule(
    words: str,
    action: Action,
    override: OverrideKind = OverrideKind.NOT_ALLOWED,
    fixes: tuple[Fix, ...] = (),
) -> Callable[[CheckedDraft], Decision]:
    """Return a check whose one rule finds each occurrence of `words`."""

    def check(draft: CheckedDraft) -> Decision:
        found, at = [], draft.text.find(words)
        while at >= 0:
            found.append(
                Finding(
                    rule_id="rule.one",
                    action=action,
                    confidence=85,
                    message_key="one",
                    message=f"“{words}”",
                    start=at,
                    end=at + len(words),
                    why="A rule of law",
                    fixes=fixes,
                    override_kind=override,
                )
            )
            at = draft.text.find(words, at + 1)
        return decision_of(found)

    return check


def _kit(check: Callable[[CheckedDraft], Decision | None], language: str = "en") -> ComposerKit:
    return composer_kit(PolicyChecks(check, language=lambda: language))


def _button(kit: ComposerKit, text: str) -> QAbstractButton:
    buttons = kit.view.findChildren(QAbstractButton)
    return next(one for one in buttons if one.text() == text and one.isVisible())


def _press(kit: ComposerKit, text: str) -> None:
    QTest.mouseClick(_button(kit, text), Qt.MouseButton.LeftButton)


def _offers(kit: ComposerKit) -> list[str]:
    buttons = kit.view.findChildren(QAbstractButton)
    return [one.text() for one in buttons if one.isVisible() and one.property("kind") == "link"]


def _marked(kit: ComposerKit) -> list[str]:
    return [one.cursor.selectedText() for one in kit.view.edit.extraSelections()]


def _reason(kit: ComposerKit) -> QLineEdit:
    fields = kit.view.findChildren(QLineEdit)
    return next(one for one in fields if one.accessibleName() == "Reason for sending")


def _hidden(field: QLineEdit) -> bool:
    """Tell, freshly each time, whether a field's whole row is hidden."""
    home = field.parentWidget()
    return home is None or home.isHidden()


def test_marks_stand_under_the_found_words_among_emoji(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        kit.view.edit.setPlainText(f"𠮷野家 👨‍👩‍👧 {CARD} 😀 guaranteed 👍🏽")
        assert _marked(kit) == [CARD, "guaranteed"]
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_marks_leave_selection_and_undo_alone(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        edit = kit.view.edit
        QTest.keyClicks(edit, f"{CARD} is it")
        steps = edit.document().availableUndoSteps()
        cursor = edit.textCursor()
        cursor.setPosition(2)
        cursor.setPosition(9, cursor.MoveMode.KeepAnchor)
        edit.setTextCursor(cursor)
        kit.presenter.evaluate()
        assert edit.textCursor().selectedText() == CARD[2:9]
        assert edit.document().availableUndoSteps() == steps
        QTest.keyClick(edit, Qt.Key.Key_Home)
        edit.insertPlainText("😀x ")
        assert _marked(kit) == [CARD]
        edit.undo()
        assert CARD in edit.toPlainText() and _marked(kit) == [CARD]
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_text_written_over_by_itself_keeps_its_marks(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        kit.view.edit.setPlainText("guaranteed")
        kit.view.edit.selectAll()
        kit.view.edit.insertPlainText("guaranteed")
        assert _marked(kit) == ["guaranteed"]
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_removed_words_leave_no_doubled_space_and_come_back_by_one_undo(
    qapp: QApplication,
) -> None:
    async def work() -> None:
        fix = Fix(kind=FixKind.REMOVE, label="Remove")
        kit = _kit(_rule("secret", Action.BLOCK, fixes=(fix,)))
        kit.view.edit.setPlainText("a secret plan")
        _press(kit, "Remove")
        assert kit.view.edit.toPlainText() == "a plan"
        kit.view.edit.undo()
        assert kit.view.edit.toPlainText() == "a secret plan"
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_disclaimer_is_added_below_the_text(qapp: QApplication) -> None:
    async def work() -> None:
        fix = Fix(kind=FixKind.ADD_DISCLAIMER, label="Add it", replacement="Capital at risk.")
        kit = _kit(_rule("fund", Action.JUSTIFY, fixes=(fix,)))
        kit.view.edit.setPlainText("the fund \n")
        _press(kit, "Add it")
        assert kit.view.edit.toPlainText() == "the fund\n\nCapital at risk."
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_under_a_block_only_its_mending_is_offered(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        kit.view.edit.setPlainText(f"{CARD} guaranteed")
        assert _offers(kit) == ["Mask", "Why?", "Replace", "Why?"]
        send = kit.view.send_button
        assert not send.isEnabled()
        said = "Mend what is marked in red first."
        assert send.toolTip() == send.accessibleDescription() == said
        assert kit.presenter.state().status == said
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_warning_goes_only_on_the_word_of_someone_who_read_it(qapp: QApplication) -> None:
    async def work() -> None:
        kit = _kit(_rule("offline", Action.WARN, OverrideKind.WITH_ACKNOWLEDGEMENT))
        QTest.keyClicks(kit.view.edit, "let us talk offline")
        QTest.keyClick(kit.view.edit, _RETURN)
        await asyncio.sleep(0.02)
        assert kit.outgoing.sends == [] and kit.view.send_button.hasFocus()
        assert "press “Send anyway”" in kit.presenter.state().status
        _press(kit, "Send anyway")
        await until(lambda: len(kit.outgoing.sends) == 1)
        assert kit.outgoing.answers == [(("rule.one",), ())]
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_another_warning_of_the_same_rule_asks_again(qapp: QApplication) -> None:
    async def work() -> None:
        kit = _kit(_rule("off", Action.WARN, OverrideKind.WITH_ACKNOWLEDGEMENT))
        kit.view.edit.setPlainText("off")
        kit.presenter.answers.acknowledge(["rule.one|other words"])
        assert kit.presenter.state().verdict.to_acknowledge == 1
        assert kit.presenter.state().verdict.acknowledged == ()
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_finding_reported_as_false_holds_nothing_and_can_be_taken_back(
    qapp: QApplication,
) -> None:
    async def work() -> None:
        kit = _kit(_rule("4411", Action.JUSTIFY, OverrideKind.FALSE_POSITIVE))
        kit.view.edit.setPlainText("room 4411")
        assert kit.view.send_button.text() == "Send with reason…"
        _press(kit, "Report as false")
        assert kit.view.send_button.text() == "Send" and _marked(kit) == []
        _press(kit, "Take back")
        assert kit.view.send_button.text() == "Send with reason…"
        _press(kit, "Report as false")
        QTest.keyClick(kit.view.edit, _RETURN)
        await until(lambda: len(kit.outgoing.sends) == 1)
        assert kit.outgoing.answers == [((), ("rule.one",))]
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_finding_that_needs_approval_turns_send_into_asking(qapp: QApplication) -> None:
    async def work() -> None:
        kit = _kit(_rule("allocation", Action.APPROVE))
        QTest.keyClicks(kit.view.edit, "the allocation")
        assert kit.view.send_button.text() == "Ask for approval"
        QTest.keyClick(kit.view.edit, _RETURN)
        await until(lambda: len(kit.outgoing.sends) == 1)
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_reason_has_to_say_something_and_is_kept_with_the_draft(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        kit.view.edit.setPlainText("guaranteed")
        _press(kit, "Send with reason…")
        field = _reason(kit)
        QTest.keyClicks(field, "ok")
        QTest.keyClick(field, _RETURN)
        await asyncio.sleep(0.02)
        assert kit.outgoing.sends == [] and kit.presenter.state().reason_note
        await until(lambda: "talk-1" in kit.outgoing.drafts)
        await kit.presenter.flush()
        kept = kit.outgoing.drafts["talk-1"]
        assert kept.justification == "ok"
        kit.presenter.show(conversation(2), (hana(),), None)
        assert (field.text(), _hidden(field)) == ("", True)
        kit.presenter.show(conversation(1), (hana(),), kept)
        assert (field.text(), _hidden(field)) == ("ok", False)
        field.selectAll()
        QTest.keyClicks(field, "the client asked")
        QTest.keyClick(field, _RETURN)
        await until(lambda: kit.outgoing.sends == [("talk-1", "guaranteed", "the client asked")])
        assert _hidden(field)
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_reason_in_japanese_may_be_half_as_long(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        kit.view.edit.setPlainText("guaranteed")
        kit.presenter.answers.set_reason("顧客の依頼")
        assert kit.view.send_button.text() == "Send with reason"
        kit.presenter.answers.set_reason("依頼です")
        assert kit.view.send_button.text() == "Send with reason…"
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_reason_the_text_no_longer_needs_does_not_go_along(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        kit.view.edit.setPlainText("guaranteed")
        kit.presenter.answers.set_reason("the client asked")
        kit.view.edit.setPlainText("expected")
        QTest.keyClick(kit.view.edit, _RETURN)
        await until(lambda: kit.outgoing.sends == [("talk-1", "expected", "")])
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_draft_of_another_client_moves_where_it_belongs(qapp: QApplication) -> None:
    async def work() -> None:
        fix = Fix(kind=FixKind.MOVE, label="Move draft…", replacement="talk-9")
        kit = _kit(_rule("Feld", Action.BLOCK, fixes=(fix,)))
        moved: list[str] = []
        kit.view.move_requested.connect(moved.append)
        kit.view.edit.setPlainText("Dear Mr Feld")
        _press(kit, "Move draft…")
        assert moved == ["talk-9"] and kit.view.edit.toPlainText() == "Dear Mr Feld"
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_finding_in_a_file_names_the_file_and_marks_no_text(qapp: QApplication) -> None:
    async def work() -> None:
        sheet = term_sheet()

        def check(draft: CheckedDraft) -> Decision:
            found = [
                Finding(
                    rule_id="rule.file",
                    action=Action.BLOCK,
                    confidence=85,
                    message_key="card",
                    message="A card number",
                    start=3,
                    end=9,
                    attachment=file.sha256,
                    fixes=(Fix(kind=FixKind.MASK, label="Mask", replacement="•"),),
                )
                for file in draft.files
            ]
            return decision_of(found)

        kit = _kit(check)
        kit.presenter.uploads.restore((sheet.attachment_id,), ConversationId("talk-1"))
        kit.presenter.uploads.describe((sheet,))
        kit.view.edit.setPlainText("see the attached file")
        assert kit.view.finding_words() == (f"A card number in “{sheet.name}”",)
        assert _marked(kit) == [] and "Mask" not in _offers(kit)
        _press(kit, "Remove file")
        assert kit.view.finding_words() == () and kit.view.send_button.isEnabled()
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_many_findings_scroll_and_say_how_many_more(qapp: QApplication) -> None:
    async def work() -> None:
        kit = _kit(_rule("x", Action.HINT))
        kit.view.resize(700, 500)
        kit.view.edit.setPlainText("x a x b x c x d x")
        await until(lambda: "2 more" in _offers(kit))
        _press(kit, "2 more")
        await until(lambda: not any("more" in one for one in _offers(kit)))
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_rule_and_regulation_stand_behind_why(qapp: QApplication) -> None:
    async def work() -> None:
        kit = _kit(_rule("x", Action.WARN))
        kit.view.edit.setPlainText("x")
        shown = [one.text() for one in kit.view.findChildren(QAbstractButton)]
        assert not any("rule.one" in one for one in shown)
        why = _button(kit, "Why?")
        assert why.accessibleDescription() == "A rule of law · Rule rule.one"
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_row_keeps_the_keyboard_while_its_words_move(qapp: QApplication) -> None:
    async def work() -> None:
        kit = _kit(_rule("x", Action.WARN))
        kit.view.edit.setPlainText("x")
        why = _button(kit, "Why?")
        kit.view.edit.moveCursor(kit.view.edit.textCursor().MoveOperation.Start)
        await until(kit.view.isActiveWindow)
        why.setFocus()
        kit.view.edit.insertPlainText("moved ")
        assert why.hasFocus() and _marked(kit) == ["x"]
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_findings_speak_the_users_language(qapp: QApplication) -> None:
    async def work() -> None:
        for language, offer in (("de", "Trotzdem senden"), ("ja", "このまま送信"), ("xx", None)):
            kit = _kit(_rule("x", Action.WARN), language)
            kit.view.edit.setPlainText("x")
            assert (offer or "Send anyway") in _offers(kit)
            await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_growing_number_is_told_once_and_a_second_one_again(qapp: QApplication) -> None:
    def numbers(draft: CheckedDraft) -> Decision:
        found, at = [], 0
        for word in draft.text.split(" "):
            if word.isdigit():
                found.append(
                    Finding(
                        rule_id="phone",
                        action=Action.WARN,
                        confidence=75,
                        message_key="phone",
                        message="A number",
                        start=at,
                        end=at + len(word),
                    )
                )
            at += len(word) + 1
        return decision_of(found)

    async def work() -> None:
        kit = _kit(numbers)
        for key in "12345":
            QTest.keyClicks(kit.view.edit, key)
            await asyncio.sleep(SPEAK_AFTER_MS / 3000)
        await until(lambda: kit.said == ["Please check: A number."])
        QTest.keyClicks(kit.view.edit, " and 6")
        await until(lambda: kit.said == ["Please check: A number."] * 2)
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_slow_check_runs_beside_the_window_and_send_waits_for_its_own(
    qapp: QApplication,
) -> None:
    async def work() -> None:
        asked: list[str] = []
        gate = asyncio.Event()

        def slow(draft: CheckedDraft) -> Decision | None:
            asked.append(draft.text)
            until_s = asyncio.get_running_loop().time() + 0.03
            while asyncio.get_running_loop().time() < until_s:
                pass
            return decide(draft)

        async def later(draft: CheckedDraft) -> Decision | None:
            await gate.wait()
            return decide(draft)

        kit = composer_kit(PolicyChecks(slow, later))
        long_text = f"{CARD} " + "word " * 25
        kit.view.edit.setPlainText(long_text)
        assert _marked(kit) == [CARD]
        before = len(asked)
        kit.view.edit.moveCursor(kit.view.edit.textCursor().MoveOperation.Start)
        QTest.keyClicks(kit.view.edit, "see ")
        assert len(asked) == before and kit.presenter.state().verdict_stale
        assert _marked(kit) == [CARD]  # the mark went along with its words
        gate.set()
        await until(lambda: not kit.presenter.state().verdict_stale)
        assert _marked(kit) == [CARD]
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_what_the_server_alone_asks_for_can_be_answered_after_a_refusal(
    qapp: QApplication,
) -> None:
    async def work() -> None:
        kit = composer_kit()
        neutral = WireFinding(
            rule_id="compliance",
            action="justify",
            start=0,
            end=0,
            message_key="neutral",
            message="This needs a reason",
            override_kind="allowWithJustification",
        )
        draft = Draft(ConversationId("talk-1"), "about the deal")
        kit.presenter.adopt(draft, refused=(neutral,))
        assert kit.view.finding_words() == ("This needs a reason",)
        assert kit.view.send_button.text() == "Send with reason…"
        kit.view.edit.insertPlainText("Hello, ")
        kit.presenter.answers.set_reason("the client asked")
        QTest.keyClick(kit.view.edit, _RETURN)
        await until(lambda: len(kit.outgoing.sends) == 1)
        assert kit.outgoing.sends[0][2] == "the client asked"
        QTest.keyClicks(kit.view.edit, "next")
        assert kit.view.finding_words() == ()
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_refused_text_is_held_back_until_it_changes(qapp: QApplication) -> None:
    async def work() -> None:
        kit = composer_kit()
        blocked = WireFinding(
            rule_id="compliance",
            action="block",
            start=0,
            end=0,
            message_key="neutral",
            message="Not allowed with this client, ask Compliance, ref. 7F3A",
        )
        kit.presenter.adopt(Draft(ConversationId("talk-1"), "the deal"), refused=(blocked,))
        assert not kit.view.send_button.isEnabled()
        QTest.keyClicks(kit.view.edit, ", no")
        assert kit.view.send_button.isEnabled()
        await kit.close()

    run_in_qt_loop(qapp, work())
