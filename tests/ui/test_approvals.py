"""Tests of the supervisor's page: queue, decision, notes, faults. They never use a network."""

from __future__ import annotations

import asyncio
from functools import partial

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QApplication, QScrollArea

from app.domain.errors import Offline
from contract.ids import ConversationId, EmployeeId, MessageId
from contract.supervision import Approval, ApprovalState
from contract.wire import Channel, WireFinding
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import until
from tests.ui.sample_rows import HOUR_MS, NOW_UTC_MS, term_sheet
from tests.ui.stories import play
from tests.ui.waiting_kit import WaitingKit, WaitingRows
from ui.bridge.spawn import Spawner
from ui.models.approvals_model import ApprovalsModel
from ui.models.approvals_presenter import ApprovalsPresenter
from ui.theme.tokens import DARK, LIGHT
from ui.views.composer_edit import ComposerEdit
from ui.views.pages.approvals import ApprovalsPage


def held(number: int = 1, text: str = "Attached is the allocation 😀 for the fund.") -> Approval:
    """Return a message that waits for a supervisor."""
    start = text.find("allocation")
    found = WireFinding(
        rule_id="mnpi.allocation",
        action="approve",
        start=max(start, 0),
        end=max(start, 0) + len("allocation"),
        message_key="allocation",
        message="“allocation” may be inside information",
        detail="A supervisor reads it first.",
        why="MAR article 10",
    )
    return Approval(
        approval_id=f"m{number}.1",
        conversation_id=ConversationId("talk-1"),
        message_id=MessageId(f"m{number}"),
        author_id=EmployeeId("emp-em"),
        author_name="Emma Meyer",
        title="Hana Watanabe",
        channel=Channel.WHATSAPP,
        text=text,
        held_at_utc_ms=NOW_UTC_MS - 5 * 60_000,
        expires_at_utc_ms=NOW_UTC_MS + 2 * HOUR_MS,
        attachments=(term_sheet(),),
        findings=(found,),
        justification="The client asked for it.",
    )


class Queue(WaitingRows[Approval]):
    """Held messages that wait."""

    async def decide(self, approval: Approval, *, approve: bool, note: str, key: str) -> Approval:
        await self.decided(approval, approve, note, key)
        state = ApprovalState.APPROVED if approve else ApprovalState.REJECTED
        return msgspec.structs.replace(approval, state=state, note=note)


Kit = WaitingKit[Queue, ApprovalsPresenter, ApprovalsPage]


def _kit(*rows: Approval) -> Kit:
    queue = Queue(lambda row: row.approval_id, list(rows))
    spawner = Spawner(lambda name, fault: None)
    presenter, page = ApprovalsPresenter(queue, spawner, lambda: NOW_UTC_MS), ApprovalsPage(LIGHT)
    page.follow(presenter)
    return Kit(queue, presenter, page, spawner, "Note to the author")


def test_the_open_message_shows_all_a_supervisor_needs(qapp: QApplication) -> None:
    async def story(kit: Kit) -> None:
        await kit.opened()
        words = kit.words()
        assert "Emma Meyer to Hana Watanabe" in words
        assert "“The client asked for it.”" in words
        assert "“allocation” may be inside information" in words
        assert any("MAR article 10 · Rule mnpi.allocation" in one for one in words)
        assert any(term_sheet().name in one for one in words)
        (mark,) = kit.page.detail.findChildren(ComposerEdit)[0].extraSelections()
        assert mark.cursor.selectedText() == "allocation"
        kit.page.set_tokens(DARK)

    play(qapp, _kit(held()), story)


def _is_whole(text: ComposerEdit) -> bool:
    return text.height() >= 40 * text.fontMetrics().height()


def test_a_long_text_is_read_whole_and_page_keys_reach_its_end(qapp: QApplication) -> None:
    async def work() -> None:
        for words in ("お約束の割当表を添付します。\n", "Die Zuteilung für den Fonds liegt bei.\n"):
            kit = _kit(held(text=words * 40))
            await kit.opened()
            text = kit.page.detail.findChildren(ComposerEdit)[0]
            bar = text.verticalScrollBar()
            await until(partial(_is_whole, text))
            assert (bar.maximum(), text.firstVisibleBlock().blockNumber()) == (0, 0)
            outer = kit.page.detail.findChildren(QScrollArea)[0].verticalScrollBar()
            assert outer.value() == 0
            kit.page.detail.focus_note()
            for _ in range(10):
                QTest.keyClick(kit.note(), Qt.Key.Key_PageDown)
            assert outer.value() == outer.maximum() > 0
            QTest.keyClick(kit.note(), Qt.Key.Key_PageUp)
            assert outer.value() < outer.maximum()
            await kit.close()

    run_in_qt_loop(qapp, work())


def test_an_approval_goes_once_and_the_next_one_is_shown(qapp: QApplication) -> None:
    async def story(kit: Kit) -> None:
        await kit.opened()
        kit.queue.gate = asyncio.Event()
        approve = kit.button("Approve and send")
        for _ in range(2):
            QTest.mouseClick(approve, Qt.MouseButton.LeftButton)
        kit.queue.gate.set()
        await until(lambda: kit.presenter.model.rowCount() == 1)
        assert [one[:3] for one in kit.queue.decisions] == [("m1.1", True, "")]
        await kit.settled()
        assert "Approved. The message to Hana Watanabe is on its way." in kit.words()

    play(qapp, _kit(held(1), held(2, "Second allocation")), story)


def test_a_rejection_needs_a_note(qapp: QApplication) -> None:
    async def story(kit: Kit) -> None:
        await kit.opened()
        kit.press("Reject")
        assert kit.queue.decisions == []
        assert "Say why, so that Emma Meyer can mend it." in kit.words()
        QTest.keyClicks(kit.note(), "use the template")
        kit.press("Reject")
        await until(lambda: len(kit.queue.decisions) == 1)
        assert kit.queue.decisions[0][:3] == ("m1.1", False, "use the template")
        await until(lambda: "Nothing waits for you." in " ".join(kit.words()))

    play(qapp, _kit(held()), story)


def test_a_note_stays_with_its_message(qapp: QApplication) -> None:
    async def story(kit: Kit) -> None:
        await kit.opened()
        QTest.keyClicks(kit.note(), "half a no")
        kit.page.focus_list()
        QTest.keyClick(kit.page.list, Qt.Key.Key_Down)
        assert kit.note().text() == ""
        QTest.keyClick(kit.page.list, Qt.Key.Key_Up)
        assert kit.note().text() == "half a no"
        await kit.opened()  # read anew
        assert kit.note().text() == "half a no"

    play(qapp, _kit(held(1), held(2, "Second allocation")), story)


def test_a_cut_line_keeps_the_note_and_repeats_under_the_same_key(qapp: QApplication) -> None:
    async def story(kit: Kit) -> None:
        await kit.opened()
        QTest.keyClicks(kit.note(), "fine")
        for _ in range(2):
            kit.queue.fault = Offline()
            kit.button("Approve and send").click()
            await kit.settled()
            assert kit.note().text() == "fine" and kit.presenter.model.rowCount() == 1
        keys = {key for *_, key in kit.queue.decisions}
        assert len(kit.queue.decisions) == 2 and len(keys) == 1

    play(qapp, _kit(held()), story)


def test_a_message_decided_by_another_is_said_and_read_anew(qapp: QApplication) -> None:
    async def story(kit: Kit) -> None:
        await kit.opened()
        kit.queue.rows, kit.queue.taken = [], True
        kit.button("Approve and send").click()
        await until(lambda: kit.presenter.model.rowCount() == 0)
        assert any("decided meanwhile" in one for one in kit.words())

    play(qapp, _kit(held()), story)


def test_an_empty_queue_and_one_that_cannot_be_read_say_so(qapp: QApplication) -> None:
    async def story(kit: Kit) -> None:
        assert "Reading what waits for you…" in kit.words()
        kit.queue.fault = Offline()
        await kit.opened()
        assert any("no connection" in one for one in kit.words())
        kit.queue.fault = None
        kit.button("Try again").click()
        await until(lambda: "Nothing waits for you." in kit.words())

    play(qapp, _kit(), story)


def test_the_keyboard_walks_the_queue_and_leads_to_the_note(qapp: QApplication) -> None:
    async def story(kit: Kit) -> None:
        await kit.opened()
        await until(kit.page.isActiveWindow)
        kit.page.focus_list()
        QTest.keyClick(kit.page.list, Qt.Key.Key_Down)
        QTest.keyClick(kit.page.list, Qt.Key.Key_Return)
        assert kit.note().hasFocus()
        QTest.keyClick(kit.note(), Qt.Key.Key_Tab)
        assert kit.button("Reject").hasFocus()

    play(qapp, _kit(held(1), held(2)), story)


def test_the_queue_is_a_sound_model_and_speaks(qapp: QApplication) -> None:
    model = ApprovalsModel()
    tester = QAbstractItemModelTester(model)
    model.set_now(NOW_UTC_MS)
    model.set_rows([held(1), held(2)])
    model.set_rows([held(2)])
    said = model.data(model.index(0), Qt.ItemDataRole.AccessibleTextRole)
    assert said.startswith("Emma Meyer to Hana Watanabe, WhatsApp") and "1 h left" not in said
    assert "2 h left" in said and tester is not None
