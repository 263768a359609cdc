"""Tests of the import page: people asked, private chats refused, preview, report, what is kept.

They never use a network or an export of a real person.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.domain.errors import Conflict, Offline
from app.domain.imports import Imported, Person, Unfinished, Who
from contract.ids import ContactId
from contract.imports.day_order import DayOrder
from tests.app.imports.files import AMBIGUOUS, PRIVATE, telegram_json, whatsapp_zip
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.import_kit import BOOK, Desk, Kit, import_kit
from tests.ui.kit import until
from tests.ui.stories import play
from tests.ui.test_accessible_names import unnamed
from ui.models.import_people import PRIVATE as PRIVATE_WORDS
from ui.models.import_state import Step
from ui.models.import_story import leaving_words
from ui.theme.tokens import DARK, LIGHT
from ui.views.dialogs.import_person import ImportPersonDialog

CAMILLE = Person(Who.CLIENT, ContactId("c1"), "Camille Roux")
ELENA = Person(Who.ME, name="Elena Marchetti")


async def _known(kit: Kit, export: Path) -> None:
    """Read an export and confirm who its people are."""
    await kit.read(export)
    for name in ("Camille", "Elena"):
        kit.presenter.confirm(name)


async def _previewed(kit: Kit, folder: Path) -> None:
    """Go as far as the preview."""
    await _known(kit, whatsapp_zip(folder))
    kit.presenter.go()
    await kit.settled(Step.PREVIEW)


def test_the_title_line_says_what_the_file_is_and_what_becomes_of_it(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def story(kit: Kit) -> None:
        await kit.read(whatsapp_zip(tmp_path))
        assert kit.page.texts()[0] == (
            "WhatsApp export “WhatsApp Chat - Camille.zip” · 5 messages, 1 file · 14 Feb – 31 Jul "
            "2026 · nothing is stored before you confirm; then the original file is kept, "
            "readable by Compliance only"
        )
        assert kit.page.strip.texts() == ["✓ File", "2 People", "3 Preview", "4 Archive"]

    play(qapp, import_kit(), story)


def test_each_suggestion_waits_for_a_word_before_anything_is_uploaded(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def story(kit: Kit) -> None:
        await kit.read(whatsapp_zip(tmp_path))
        lines = {line.name: line for line in kit.state.people}
        assert lines["Camille"].words == "Name fits: Camille Roux. Please confirm"
        assert lines["Elena"].words == "Name fits: You (Elena Marchetti). Please confirm"
        assert lines["Tonton Marc"].words == "Kept as “unidentified participant” (1 message)"
        assert not kit.button("Preview").isEnabled()
        assert kit.state.hindrance == "Confirm or change who “Camille” is, and 1 more."
        QTest.keyClick(kit.button("Confirm Camille"), Qt.Key.Key_Space)
        assert kit.state.hindrance == "Confirm or change who “Elena” is."
        QTest.mouseClick(kit.button("Confirm Elena"), Qt.MouseButton.LeftButton)
        assert kit.button("Preview").isEnabled() and kit.desk.staged == []
        kit.presenter.go()
        await kit.settled(Step.PREVIEW)
        (asked,) = kit.desk.staged
        assert asked.people == {
            "Camille": CAMILLE,
            "Elena": ELENA,
            "Tonton Marc": Person(Who.UNIDENTIFIED),
        }

    play(qapp, import_kit(), story)


def test_the_keyboard_stays_with_the_name_that_was_confirmed(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def story(kit: Kit) -> None:
        kit.page.activateWindow()
        await kit.read(whatsapp_zip(tmp_path))
        focused = kit.page.focusWidget()
        assert focused is not None
        assert focused.accessibleName() == "Confirm Camille"
        QTest.keyClick(focused, Qt.Key.Key_Space)
        now = kit.page.focusWidget()
        assert now is not None
        assert now.accessibleName() == "Change Camille"

    play(qapp, import_kit(), story)


def test_a_private_chat_is_refused_as_a_whole_before_anything_is_uploaded(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def story(kit: Kit) -> None:
        await kit.read(whatsapp_zip(tmp_path, PRIVATE, "Mamma"))
        kit.presenter.confirm("Elena")
        assert kit.state.hindrance == PRIVATE_WORDS
        assert not kit.button("Preview").isEnabled()
        kit.presenter.go()
        await asyncio.sleep(0)
        assert kit.state.step is Step.PEOPLE and kit.desk.staged == []

    play(qapp, import_kit(), story)


def test_a_client_who_is_not_in_the_book_yet_makes_a_chat_no_private_one(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def story(kit: Kit) -> None:
        await kit.read(whatsapp_zip(tmp_path, PRIVATE, "Anna Blum"))
        kit.presenter.confirm("Elena")
        kit.presenter.choose("Mamma", Person(Who.NEW_CLIENT, name="Anna Blum"))
        assert kit.state.people[0].words == "New client, added to your book as “Anna Blum”"
        assert kit.state.hindrance == "" and kit.button("Preview").isEnabled()

    play(qapp, import_kit(), story)


def test_an_unsure_order_of_days_is_asked_with_an_example(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def story(kit: Kit) -> None:
        await _known(kit, whatsapp_zip(tmp_path, AMBIGUOUS))
        assert kit.state.hindrance == "Say which day is meant."
        kit.button("4 May 2026 (month/day/year)").click()
        await kit.settled()
        assert kit.state.order is DayOrder.MONTH_FIRST and kit.state.hindrance == ""
        assert "4 May – 4 Jun 2026" in kit.state.line
        assert kit.state.people[0].words == "Camille Roux"

    play(qapp, import_kit(), story)


def test_the_phones_time_zone_moves_the_times_and_keeps_the_people(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def story(kit: Kit) -> None:
        await kit.read(whatsapp_zip(tmp_path))
        kit.presenter.confirm("Camille")
        zones = kit.page.step.dates.zones
        zones.set_zones(await kit.desk.zones())
        assert zones.currentText() == "Europe/Paris"
        zones.setEditText("Nowhere/Land")
        field = zones.lineEdit()
        assert field is not None
        field.editingFinished.emit()
        assert zones.currentText() == "Europe/Paris"
        zones.setEditText("Asia/Tokyo")
        field.editingFinished.emit()
        await kit.settled()
        assert kit.state.zone == "Asia/Tokyo"
        assert next(line for line in kit.state.people if line.name == "Camille").asks is False
        assert kit.presenter.begun is not None
        assert kit.presenter.begun.read_as.zone == "Asia/Tokyo"

    play(qapp, import_kit(), story)


def test_a_file_of_several_chats_asks_which(qapp: QApplication, tmp_path: Path) -> None:
    async def story(kit: Kit) -> None:
        await kit.read(telegram_json(tmp_path))
        assert kit.state.chats == ("Camille Roux (2 messages)", "Mamma (2 messages)")
        assert kit.state.hindrance == "Choose a chat."
        kit.presenter.choose_chat(0)
        await kit.settled()
        assert [line.name for line in kit.state.people] == ["Camille Roux", "Elena"]
        assert kit.state.dates is None

    play(qapp, import_kit(), story)


def test_the_preview_shows_the_chat_as_bubbles_without_any_act(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def story(kit: Kit) -> None:
        await _previewed(kit, tmp_path)
        model = kit.presenter.preview.model
        await until(lambda: model.rowCount() > 5)
        words = [one for n in range(model.rowCount()) if (one := model.words_at(n)) is not None]
        assert [(one.own, one.author, one.text) for one in words] == [
            (False, "Camille Roux", "Bonjour Elena"),
            (True, "", "Good morning 😀"),
            (False, "Camille Roux", "📎 terms.pdf"),
            (False, "Tonton Marc", "à dimanche"),
            (False, "Camille Roux", "明日の会議は10時です"),
        ]
        assert not any(part.act for one in words for part in (*one.footer, *one.below))
        assert [(one.number, one.words) for one in kit.state.figures] == [
            ("5", "new messages"),
            ("0", "already here"),
            ("1", "by an unidentified participant"),
        ]

    play(qapp, import_kit(), story)


def test_the_report_tells_what_came_in_and_leads_to_the_conversation(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def story(kit: Kit) -> None:
        await _previewed(kit, tmp_path)
        QTest.keyClick(kit.button("Import 5 messages"), Qt.Key.Key_Space)
        await until(lambda: kit.state.done)
        assert kit.desk.confirmed[0].import_id == "import-1"
        for words in ("3 messages came into the archive", "2 messages were there already"):
            assert words in kit.state.outcome
        assert "1 message of unidentified participants" in kit.state.outcome
        assert "A line had no date." in kit.state.outcome
        assert "readable by Compliance only" in kit.state.outcome
        assert kit.page.strip.texts()[-1] == "✓ Archive"
        assert kit.state.line.endswith("14 Feb – 31 Jul 2026")
        assert kit.presenter.begun is None

    play(qapp, import_kit(Desk(outcome=Imported(3, 2, 1, notes=("A line had no date.",)))), story)


def test_what_is_in_the_archive_already_is_not_imported_again(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def story(kit: Kit) -> None:
        await _previewed(kit, tmp_path)
        assert kit.state.hindrance == "Everything in this chat is in the archive already."
        assert not kit.button("Import 0 messages").isEnabled()

    play(qapp, import_kit(Desk(new=0)), story)


def test_what_was_edited_since_can_be_brought_in_alone(qapp: QApplication, tmp_path: Path) -> None:
    async def story(kit: Kit) -> None:
        await _previewed(kit, tmp_path)
        assert kit.state.hindrance == ""
        assert ("2", "changed since") in [(one.number, one.words) for one in kit.state.figures]
        assert kit.button("Import 2 changes").isEnabled()

    play(qapp, import_kit(Desk(new=0, changed=2)), story)


def test_a_lost_line_is_said_and_the_upload_can_be_tried_again(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def story(kit: Kit) -> None:
        await _known(kit, whatsapp_zip(tmp_path))
        kit.desk.fault = Offline()
        kit.presenter.go()
        await kit.settled(Step.PREVIEW)
        assert "connection was lost" in kit.state.fault and kit.state.go == "Try again"
        kit.desk.fault = None
        kit.button("Try again").click()
        await kit.settled(Step.PREVIEW)
        assert kit.state.fault == "" and kit.state.go == "Import 5 messages"

    play(qapp, import_kit(), story)


def test_an_upload_can_be_stopped_and_one_can_go_back_to_the_people(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def story(kit: Kit) -> None:
        await _known(kit, whatsapp_zip(tmp_path))
        kit.desk.gate = asyncio.Event()
        kit.presenter.go()
        await until(lambda: kit.state.work is not None and kit.state.work.percent == 40)
        assert "is not stored yet" in leaving_words(kit.state, kit.presenter.begun)
        kit.button("Stop the import").click()
        await kit.settled(Step.PREVIEW)
        assert kit.state.go == "Try again"
        kit.button("Back").click()
        assert kit.state.step is Step.PEOPLE
        assert [line.asks for line in kit.state.people] == [False, False, False]

    play(qapp, import_kit(), story)


def test_what_was_begun_is_there_at_the_next_start_and_can_be_discarded(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def work() -> None:
        first = import_kit()
        await first.read(whatsapp_zip(tmp_path))
        first.presenter.confirm("Camille")
        await until(lambda: first.desk.left is not None and first.desk.left.people != {})
        left = first.desk.left
        await first.close()
        kit = import_kit(Desk(left=left))
        await kit.presenter.recall()
        assert kit.page.texts()[1] == (
            "Your import of “WhatsApp Chat - Camille.zip” is not finished. Nothing of it is stored."
        )
        other = whatsapp_zip(tmp_path, PRIVATE, "Mamma")
        assert not kit.presenter.take_file(other) and "not finished" in kit.state.fault
        kit.button("Go on with the import").click()
        await kit.settled(Step.PEOPLE)
        assert {line.name: line.asks for line in kit.state.people} == {
            "Camille": False,
            "Elena": True,
            "Tonton Marc": False,
        }
        kit.button("Back").click()
        kit.button("Discard the import").click()
        await until(lambda: kit.desk.discarded != [])
        assert kit.presenter.begun is None and kit.desk.left is None
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_confirmed_import_is_followed_to_its_report_after_a_restart(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def work() -> None:
        first = import_kit()
        await _previewed(first, tmp_path)
        first.desk.gate = asyncio.Event()
        first.presenter.go()
        await until(lambda: first.desk.left is not None and first.desk.left.confirmed)
        assert "goes on by itself" in leaving_words(first.state, first.presenter.begun)
        left = first.desk.left
        await first.close()
        kit = import_kit(Desk(left=left))
        await kit.presenter.recall()
        kit.button("Go on with the import").click()
        await until(lambda: kit.state.done)
        assert isinstance(left, Unfinished) and kit.desk.confirmed == [left]
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_figures_that_moved_are_shown_anew_before_they_are_confirmed_again(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def story(kit: Kit) -> None:
        await _previewed(kit, tmp_path)
        kit.desk.fault_once, kit.desk.new = Conflict(), 4
        kit.button("Import 5 messages").click()
        await kit.settled(Step.PREVIEW)
        assert "Look at it once more" in kit.state.fault and kit.desk.confirmed == []
        kit.button("Import 4 messages").click()
        await until(lambda: kit.state.done)
        assert [begun.new for begun in kit.desk.confirmed] == [4]

    play(qapp, import_kit(), story)


def test_a_file_that_is_no_export_says_so_and_the_next_one_is_taken(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def story(kit: Kit) -> None:
        other = tmp_path / "photo.zip"
        other.write_bytes(b"\x00\x01 no archive")
        await kit.read(other)
        assert kit.page.strip.texts()[0] == "1 File"
        assert "no chat that Parley can read" in kit.state.fault
        await kit.read(whatsapp_zip(tmp_path))
        assert kit.page.strip.texts()[1] == "2 People" and kit.state.fault == ""

    play(qapp, import_kit(), story)


def test_who_somebody_is_can_be_chosen_by_keys_alone(qapp: QApplication) -> None:
    dialog = ImportPersonDialog("Tonton Marc", "3 messages", "Elena Marchetti", BOOK, LIGHT)
    dialog.show()
    assert dialog.chosen() == Person(Who.UNIDENTIFIED)
    QTest.keyClick(dialog.field, Qt.Key.Key_Down)
    assert dialog.chosen() == ELENA
    QTest.keyClicks(dialog.field, "sakura")
    assert dialog.chosen() == Person(Who.CLIENT, ContactId("c2"), "Hana Watanabe")
    QTest.keyClicks(dialog.field, " nobody")
    assert dialog.chosen() is None
    QTest.keyClick(dialog.field, Qt.Key.Key_Down)
    assert dialog.chosen() == Person(Who.NEW_CLIENT, name="sakura nobody")
    dialog.field.setText("camille")
    accepted: list[bool] = []
    dialog.accepted.connect(lambda: accepted.append(True))
    QTest.keyClick(dialog.field, Qt.Key.Key_Return)
    assert accepted == [True] and dialog.chosen() == CAMILLE
    assert unnamed(dialog) == []
    dialog.deleteLater()


def test_every_control_of_every_step_has_a_name_in_both_looks(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def story(kit: Kit) -> None:
        assert unnamed(kit.page) == []
        await kit.read(whatsapp_zip(tmp_path, AMBIGUOUS))
        kit.page.set_tokens(DARK)
        assert unnamed(kit.page) == []

    play(qapp, import_kit(), story)
