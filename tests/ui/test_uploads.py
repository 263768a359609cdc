"""Tests of files on their way up: counted, stopped, kept with the conversation they belong to.

They use no network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QToolButton

from app.domain.drafts import Draft
from contract.ids import ConversationId, MessageId
from contract.wire import Attachment
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import ComposerKit, composer_kit, conversation, hana, until
from ui.models.composer_state import QuotedMessage, UploadStep


@pytest.fixture
def terms(tmp_path: Path) -> Path:
    """Write a small file."""
    path = tmp_path / "terms.pdf"
    path.write_bytes(b"%PDF-1.7")
    return path


def _labels(kit: ComposerKit) -> list[str]:
    return [one.text() for one in kit.view.findChildren(QLabel) if one.isVisible()]


def test_an_upload_counts_and_can_be_stopped(qapp: QApplication, terms: Path) -> None:
    async def work() -> None:
        kit = composer_kit()
        kit.outgoing.upload_gate = asyncio.Event()
        kit.presenter.offer_file(str(terms))
        await until(lambda: "uploading, 40 %" in _labels(kit))
        (stop,) = [
            one
            for one in kit.view.findChildren(QToolButton)
            if one.accessibleName() == "Stop uploading terms.pdf"
        ]
        QTest.mouseClick(stop, Qt.MouseButton.LeftButton)
        assert kit.presenter.state().uploads == ()
        kit.outgoing.upload_gate.set()
        await asyncio.sleep(0.02)
        assert kit.presenter.state().uploads == () and kit.faults == []
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_file_is_said_to_be_checked_until_its_upload_begins(
    qapp: QApplication, terms: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        kit = composer_kit()
        checked, upload = asyncio.Event(), kit.outgoing.upload
        kit.outgoing.upload_gate = asyncio.Event()

        async def checking(path: Path, progress: Callable[[int, int], None]) -> Attachment:
            await checked.wait()
            progress(0, 1000)
            return await upload(path, lambda done, whole: None)

        monkeypatch.setattr(kit.outgoing, "upload", checking)
        kit.presenter.offer_file(str(terms))
        await until(lambda: "checking…" in _labels(kit))
        assert not kit.presenter.state().send.enabled
        checked.set()
        await until(lambda: "uploading, 0 %" in _labels(kit))
        kit.outgoing.upload_gate.set()
        await until(lambda: kit.presenter.state().uploads[0].step is UploadStep.READY)
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_chip_keeps_the_focus_while_its_file_goes_on(qapp: QApplication, terms: Path) -> None:
    async def work() -> None:
        kit = composer_kit()
        kit.outgoing.upload_gate = asyncio.Event()
        kit.presenter.offer_file(str(terms))
        await until(lambda: "uploading, 40 %" in _labels(kit))
        (remove,) = [
            one for one in kit.view.findChildren(QToolButton) if "terms.pdf" in one.accessibleName()
        ]
        remove.setFocus()
        kit.outgoing.upload_gate.set()
        await until(lambda: kit.presenter.state().uploads[0].step is UploadStep.READY)
        assert kit.view.window().focusWidget() is remove
        assert remove.accessibleName() == "Remove terms.pdf"
        assert kit.said[-1] == "terms.pdf is attached"
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_file_arrives_in_the_conversation_it_was_chosen_in(
    qapp: QApplication, terms: Path
) -> None:
    async def work() -> None:
        kit = composer_kit()
        kit.outgoing.upload_gate = asyncio.Event()
        kit.presenter.offer_file(str(terms))
        await until(lambda: "uploading, 40 %" in _labels(kit))
        kit.presenter.show(conversation(2), (hana(),), None)
        assert kit.presenter.state().uploads == ()
        kit.outgoing.upload_gate.set()
        await until(lambda: not kit.presenter.uploads._running)
        assert kit.presenter.state().uploads == ()
        kit.presenter.show(conversation(1), (hana(),), kit.outgoing.drafts.get("talk-1"))
        (file,) = kit.presenter.state().uploads
        assert file.step is UploadStep.READY and file.attachment_id is not None
        kept = (file.attachment_id,)
        drafts = kit.outgoing.drafts
        await until(lambda: "talk-1" in drafts and drafts["talk-1"].attachment_ids == kept)
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_text_put_back_keeps_what_was_typed_meanwhile_and_what_it_answers(
    qapp: QApplication,
) -> None:
    async def work() -> None:
        kit = composer_kit()
        QTest.keyClicks(kit.view.edit, "so far")
        before = await kit.presenter.flush()
        QTest.keyClicks(kit.view.edit, " and on")
        quote = QuotedMessage(MessageId("m9"), "Hana Watanabe", "When?")
        back = Draft(ConversationId("talk-1"), "taken back\n\nso far", MessageId("m9"))
        kit.presenter.adopt(back, quote, before)
        assert kit.view.edit.toPlainText() == "taken back\n\nso far and on"
        await kit.presenter.flush()
        saved = kit.outgoing.drafts["talk-1"]
        assert (saved.text, saved.quote_message_id) == ("taken back\n\nso far and on", "m9")
        await kit.close()

    run_in_qt_loop(qapp, work())
