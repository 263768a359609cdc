"""What the receipt's dialog says and does, in both looks, by keyboard and for screen readers.

They verify nothing: views are handed in as the core hands them.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.domain.archive import AlarmKind, ArchiveAlarm, Finding, ReceiptView
from contract.states import DeliveryState
from contract.wire import Message
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import StillClock, until
from tests.ui.receipts import verified_view
from tests.ui.sample_rows import NOW_UTC_MS, message
from ui.bridge.spawn import Spawner
from ui.models.receipt_words import alarm_lines, receipt_words
from ui.receipt_actions import ReceiptActions
from ui.theme.style_sheet import style_sheet
from ui.theme.tokens import DARK, LIGHT, Tokens
from ui.views.dialogs.receipt_dialog import ReceiptDialog

SENT = message(1, "Hello", out=True, archive=48_218)


def test_a_verified_receipt_says_plain_words_first_and_folds_the_rest() -> None:
    words = receipt_words(SENT, verified_view(), NOW_UTC_MS, UTC)
    assert words.title == "This message is archived, and this computer checked it"
    assert words.subtitle == "Archived 10:38:00, before it was delivered · checked just now"
    assert dict(words.lines) == {
        "Sent": "with a reason: “term sheet approved, ticket 4411”",
        "Versions": "1",
        "Kept until": words.lines[2][1],
        "Partner archive": "copy confirmed 10:38:05",
        "Witnesses": "2 of 2",
    }
    technical = dict(words.technical)
    assert technical["Inclusion proof"] == "26 hashes, valid"
    assert technical["Since the last check"].startswith("the log only grew (48\u202f217\u202f903 →")
    assert words.can_save


@pytest.mark.parametrize(
    ("version", "action", "words"),
    [
        ("2026.11.3", "allow", "2026.11.3, nothing found"),
        ("2026.11.3", "justify", "2026.11.3, a reason was asked for"),
        ("2026.11.3", "of a later time", "2026.11.3"),
        ("", "", "decided by your firm's rules; some of them are not shown here"),
    ],
)
def test_the_policy_that_decided_stands_among_the_technical_details(
    version: str, action: str, words: str
) -> None:
    view = replace(verified_view(), decided=True, policy_version=version, policy_action=action)
    technical = receipt_words(SENT, view, NOW_UTC_MS, UTC).technical
    assert [name for name, _ in technical][-3:] == ["Since the last check", "Policy", "Root"]
    assert dict(technical)["Policy"] == words
    undecided = receipt_words(SENT, verified_view(), NOW_UTC_MS, UTC)
    assert "Policy" not in dict(undecided.technical)


def test_a_refused_message_is_never_said_to_be_delivered() -> None:
    refused = msgspec.structs.replace(SENT, state=DeliveryState.BLOCKED)
    words = receipt_words(refused, verified_view(), NOW_UTC_MS, UTC)
    assert words.title == "This message is archived as refused, and this computer checked it"
    assert "delivered" not in words.subtitle


@pytest.mark.parametrize("finding", [one for one in Finding if one is not Finding.VERIFIED])
def test_nothing_is_called_checked_that_was_not_verified(finding: Finding) -> None:
    view = replace(verified_view(), finding=finding, saved=b"", alarm=AlarmKind.GAP)
    words = receipt_words(SENT, view, NOW_UTC_MS, UTC)
    assert "computer checked" not in words.title and "checked just now" not in words.subtitle
    assert words.tone != "ok" and not words.technical and not words.can_save


def test_history_given_by_the_service_is_not_called_built_here() -> None:
    words = receipt_words(SENT, replace(verified_view(), own_leaf=False), NOW_UTC_MS, UTC)
    assert words.title.startswith("This message's entry is archived")
    assert dict(words.technical)["Entry's text"] == "given by the service"


@pytest.mark.parametrize("kind", list(AlarmKind))
def test_every_alarm_has_a_sentence_and_its_code(kind: AlarmKind) -> None:
    alarm = ArchiveAlarm(kind, "proof_mismatch", NOW_UTC_MS, NOW_UTC_MS, 9, "ab" * 32, 7, "cd" * 32)
    sentence, lines = alarm_lines(alarm, UTC)
    assert sentence.endswith(".") and "proof_mismatch" in dict(lines)["Code"]


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_the_dialog_shows_folds_and_names_everything(qapp: QApplication, tokens: Tokens) -> None:
    dialog = ReceiptDialog(tokens)
    dialog.setStyleSheet(style_sheet(tokens))
    dialog.show_words(receipt_words(SENT, verified_view(), NOW_UTC_MS, UTC))
    dialog.show()
    assert "Log key" not in dialog.texts() and "Witnesses" in dialog.texts()
    folded_px = dialog.height()
    fold = next(one for one in dialog.findChildren(QWidget) if one.accessibleName().startswith("T"))
    fold.setFocus()
    QTest.keyClick(fold, Qt.Key.Key_Space)
    assert "archive.example.bank+33d7b496" in dialog.texts()
    qapp.processEvents()
    assert dialog.height() > folded_px
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    dialog.deleteLater()


def test_check_again_copy_and_save_do_what_they_say(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Message] = []
    views = [replace(verified_view(), finding=Finding.UNREACHABLE, saved=b""), verified_view()]
    file = tmp_path / "receipt"

    async def check(one: Message) -> ReceiptView:
        asked.append(one)
        return views[min(len(asked), len(views)) - 1]

    async def choose(parent: QWidget, title: str, name: str) -> str:
        return str(file)

    async def work() -> None:
        spawner = Spawner(lambda name, fault: None)
        window = QWidget()
        monkeypatch.setattr("ui.receipt_actions.ask_where_to_save", choose)
        actions = ReceiptActions(check, StillClock(), spawner, lambda: window, lambda: LIGHT)
        actions.open(SENT)
        await until(lambda: actions.dialog is not None and len(asked) == 1)
        dialog = actions.dialog
        assert dialog is not None
        await until(lambda: dialog.check.isEnabled())
        assert not dialog.save.isVisible()
        QTest.mouseClick(dialog.check, Qt.MouseButton.LeftButton)
        await until(lambda: dialog.save.isVisible())
        QTest.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
        assert qapp.clipboard().text().startswith("Parley entry 48218 ")
        QTest.mouseClick(dialog.save, Qt.MouseButton.LeftButton)
        await until(lambda: dialog.note.text().startswith("Saved."))
        assert file.read_bytes() == b"{}"
        dialog.accept()
        await until(lambda: actions.dialog is None)
        await spawner.close()
        await asyncio.sleep(0)
        window.deleteLater()

    run_in_qt_loop(qapp, work())
