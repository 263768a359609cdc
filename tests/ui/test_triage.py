"""Tests of the page of unknown senders: queue, decisions, notes, faults.

They never use a network.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from app.domain.errors import Offline
from contract.ids import AccountId, ConversationId, EmployeeId
from contract.triage import TriageCommand, TriageItem, TriageMessage, TriageState
from contract.wire import Channel, Colleague, Contact, Direction, MessageKind
from tests.ui.import_kit import BOOK
from tests.ui.kit import until
from tests.ui.sample_rows import NOW_UTC_MS
from tests.ui.stories import play
from tests.ui.test_accessible_names import unnamed
from tests.ui.waiting_kit import WaitingKit, WaitingRows
from ui.bridge.spawn import Spawner
from ui.models.triage_model import TriageModel
from ui.models.triage_presenter import TriagePresenter
from ui.sender_linking import SenderLinking
from ui.theme.tokens import DARK, LIGHT
from ui.views.dialogs.client_dialog import ClientDialog
from ui.views.pages.settings import ChoiceBox
from ui.views.pages.triage import TriagePage
from ui.views.rail import Page, Rail


def said(text: str, minutes_ago: int, direction: Direction = Direction.IN) -> TriageMessage:
    """Return a message of some minutes ago."""
    return TriageMessage(
        direction=direction,
        kind=MessageKind.TEXT,
        text=text,
        at_utc_ms=NOW_UTC_MS - minutes_ago * 60_000,
    )


def stranger(number: int = 1, *messages: TriageMessage) -> TriageItem:
    """Return an unknown sender who wrote two messages and got the notice."""
    people = {"emp-em": "Emma Meyer", "emp-kt": "Kenta Tan"}
    return TriageItem(
        conversation_id=ConversationId(f"t{number}"),
        account_id=AccountId("acc-wa"),
        account_label="Aare Private Bank, +41 44 •• 12",
        channel=Channel.WHATSAPP,
        title=f"Sofia {number}",
        label="…4 71",
        waits_since_utc_ms=NOW_UTC_MS - 30 * 60_000,
        message_count=5,
        messages=messages
        or (
            said("Good morning, I was given this number.", 30),
            said("Messages in this chat are recorded.", 29, Direction.OUT),
            said("Could somebody call me about my late father’s account?", 12),
        ),
        candidates=tuple(
            Colleague(employee_id=EmployeeId(one), display_name=name, initials=name[:1])
            for one, name in people.items()
        ),
    )


@dataclass
class Queue(WaitingRows[TriageItem]):
    """Unknown senders that wait; `linked` are the clients they were said to be."""

    linked: list[str] = field(default_factory=list)

    async def book(self) -> tuple[Contact, ...]:
        return BOOK

    async def decide(self, item: TriageItem, command: TriageCommand, *, key: str) -> TriageItem:
        self.linked.append(command.contact_id)
        await self.decided(item, command.action, command.employee_id, command.note, key)
        names = {one.contact_id: one.display_name for one in BOOK}
        title = names.get(command.contact_id, item.title)
        return msgspec.structs.replace(item, state=TriageState.ASSIGNED, title=title)


Kit = WaitingKit[Queue, TriagePresenter, TriagePage]


def _kit(*rows: TriageItem) -> Kit:
    queue = Queue(lambda row: row.conversation_id, list(rows))
    spawner = Spawner(lambda name, fault: None)
    presenter, page = TriagePresenter(queue, spawner, lambda: NOW_UTC_MS), TriagePage(LIGHT)
    page.follow(presenter)
    return Kit(queue, presenter, page, spawner, "Note for the archive")


def test_the_owner_sees_who_wrote_what_to_which_number(qapp: QApplication) -> None:
    async def story(kit: Kit) -> None:
        await kit.opened()
        words = kit.words()
        assert "Sofia 1" in words
        assert any("wrote to Aare Private Bank, +41 44 •• 12" in one for one in words)
        assert "Could somebody call me about my late father’s account?" in words
        assert any(one.startswith("Parley · ") for one in words)
        assert "2 older messages are in the archive." in words
        kit.page.set_tokens(DARK)

    play(qapp, _kit(stranger(1), stranger(2)), story)


def test_a_sender_taken_over_is_opened_in_the_inbox(qapp: QApplication) -> None:
    async def story(kit: Kit) -> None:
        opened: list[str] = []
        kit.presenter.claimed.connect(opened.append)
        await kit.opened()
        kit.press("Take over")
        await kit.settled()
        assert [one[:4] for one in kit.queue.decisions] == [("t1", "claim", "", "")]
        assert opened == ["t1"]
        assert "Sofia 1 is in your inbox now." in kit.words()

    play(qapp, _kit(stranger(1), stranger(2)), story)


def test_a_sender_is_given_to_the_colleague_chosen(qapp: QApplication) -> None:
    async def story(kit: Kit) -> None:
        await kit.opened()
        (box,) = kit.page.detail.findChildren(ChoiceBox)
        box.setCurrentIndex(box.findText("Kenta Tan"))
        kit.press("Assign")
        await kit.settled()
        assert kit.queue.decisions[0][1:3] == ("assign", "emp-kt")
        assert "Kenta Tan has Sofia 1 in the inbox now." in " ".join(kit.words())

    play(qapp, _kit(stranger(1)), story)


def test_a_dismissal_needs_a_note_and_says_that_nothing_is_lost(qapp: QApplication) -> None:
    async def story(kit: Kit) -> None:
        await kit.opened()
        kit.press("Dismiss")
        assert kit.queue.decisions == []
        assert any("Say why" in one for one in kit.words())
        QTest.keyClicks(kit.note(), "advertising")
        kit.press("Dismiss")
        await until(lambda: len(kit.queue.decisions) == 1)
        assert kit.queue.decisions[0][1:4] == ("dismiss", "", "advertising")
        await until(lambda: "Nobody unknown waits." in " ".join(kit.words()))
        assert "The messages stay in the archive." in " ".join(kit.words())

    play(qapp, _kit(stranger(1)), story)


def test_a_cut_line_repeats_under_the_same_key_and_another_owner_is_told_of(
    qapp: QApplication,
) -> None:
    async def story(kit: Kit) -> None:
        await kit.opened()
        kit.queue.fault = Offline()
        for _ in range(2):
            kit.press("Take over")
            await kit.settled()
        assert len({one[4] for one in kit.queue.decisions}) == 1
        kit.queue.fault, kit.queue.taken, kit.queue.rows = None, True, []
        kit.press("Take over")
        await until(lambda: kit.presenter.model.rowCount() == 0)
        assert any("decided this meanwhile" in one for one in kit.words())

    play(qapp, _kit(stranger(1)), story)


def test_a_sender_is_linked_to_a_client_of_the_book_with_the_decision(qapp: QApplication) -> None:
    async def story(kit: Kit) -> None:
        linking = SenderLinking(kit.presenter, kit.page, kit.spawner, lambda: LIGHT, kit.page)
        await kit.opened()
        assert any("Joins the book as a new client" in one for one in kit.words())
        kit.press("Link to a client…")
        await until(lambda: linking.dialog is not None and linking.dialog.isVisible())
        dialog = linking.dialog
        assert dialog is not None and dialog.chosen() is None and unnamed(dialog) == []
        QTest.keyClicks(dialog.field, "sakura")
        QTest.keyClick(dialog.field, Qt.Key.Key_Return)
        await until(lambda: linking.dialog is None)
        assert "Is Hana Watanabe: the address joins this client." in kit.words()
        QTest.keyClick(kit.page.list, Qt.Key.Key_Down)
        assert any("Joins the book as a new client" in one for one in kit.words())
        QTest.keyClick(kit.page.list, Qt.Key.Key_Up)
        kit.queue.fault = Offline()
        kit.press("Take over")
        await kit.settled()
        assert "Is Hana Watanabe: the address joins this client." in kit.words()
        kit.queue.fault = None
        kit.press("Take over")
        await until(lambda: kit.presenter.model.rowCount() == 1)
        assert kit.queue.linked == ["c2", "c2"]
        assert len({one[-1] for one in kit.queue.decisions}) == 1
        await kit.settled()
        assert "Hana Watanabe is in your inbox now." in kit.words()

    play(qapp, _kit(stranger(1), stranger(2)), story)


def test_a_link_can_be_taken_back_and_groups_have_none(qapp: QApplication) -> None:
    group = msgspec.structs.replace(stranger(2), group=True)

    async def story(kit: Kit) -> None:
        await kit.opened()
        first = kit.presenter.model.row_at(0)
        assert first is not None
        kit.presenter.set_link(first, BOOK[0])
        kit.press("Don’t link")
        kit.press("Take over")
        await until(lambda: kit.presenter.model.rowCount() == 1)
        assert kit.queue.linked == [""]
        assert "Link to a client…" not in kit.buttons() and "Don’t link" not in kit.buttons()

    play(qapp, _kit(stranger(1), group), story)


def test_the_dialog_says_where_nobody_can_be_chosen(qapp: QApplication) -> None:
    dialog = ClientDialog("Sofia", BOOK, DARK)
    dialog.show()
    QTest.keyClicks(dialog.field, "nobody")
    assert dialog.chosen() is None
    assert "No client of your book has these words." in texts_of(dialog)
    dialog.field.clear()
    assert dialog.chosen() is None, "an emptied field proposes nobody"
    QTest.keyClick(dialog.field, Qt.Key.Key_Down)
    assert dialog.chosen() == BOOK[0]
    empty = ClientDialog("Sofia", (), DARK)
    empty.show()
    assert "Nobody is in your book yet." in texts_of(empty)
    for one in (dialog, empty):
        one.deleteLater()


def texts_of(widget: QWidget) -> list[str]:
    """Return every label that shows."""
    return [one.text() for one in widget.findChildren(QLabel) if one.isVisible()]


def test_the_queue_is_a_sound_model_that_speaks_and_the_rail_counts(qapp: QApplication) -> None:
    model = TriageModel()
    tester = QAbstractItemModelTester(model)
    model.set_now(NOW_UTC_MS)
    model.set_rows([stranger(1), stranger(2)])
    model.set_rows([stranger(2)])
    spoken = model.data(model.index(0), Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("Sofia 2, WhatsApp, …4 71 to Aare Private Bank")
    assert "2 messages" in spoken
    assert tester is not None
    rail = Rail(LIGHT)
    rail.show_queue(Page.TRIAGE, True, 3)
    assert not rail.button_of(Page.TRIAGE).isHidden()
    assert rail.button_of(Page.TRIAGE).accessibleName() == "Unknown senders, 3 waiting"
    rail.show_queue(Page.TRIAGE, False, 0)
    assert rail.button_of(Page.TRIAGE).isHidden()
    rail.deleteLater()
