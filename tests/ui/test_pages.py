"""Tests of files in the composer and of the pages beside the inbox. They use no network."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox

from app.settings.keys import Key
from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source
from contract.wire import Contact
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import composer_kit, hana, until
from ui.models.composer_state import UploadStep
from ui.models.people_model import PeopleModel
from ui.models.settings_rows import service_words, setting_rows
from ui.theme.tokens import LIGHT
from ui.views.pages.people import PeoplePage
from ui.views.pages.settings import SettingsPage


def _files(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def test_a_pasted_file_is_uploaded_and_sent(qapp: QApplication, tmp_path: Path) -> None:
    path = tmp_path / "terms.pdf"
    path.write_bytes(b"%PDF-1.7")

    async def work() -> None:
        kit = composer_kit()
        kit.view.edit.insertFromMimeData(_files(path))
        assert kit.presenter.state().send.label == "Send — file on its way"
        await until(lambda: kit.presenter.state().uploads[0].step is UploadStep.READY)
        assert kit.presenter.state().uploads[0].name == "terms.pdf"
        QTest.keyClick(kit.view.edit, Qt.Key.Key_Return)
        await until(lambda: kit.outgoing.sends == [("talk-1", "", "")])
        await until(lambda: kit.presenter.state().uploads == ())
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_failed_upload_can_be_tried_again_or_removed(qapp: QApplication, tmp_path: Path) -> None:
    path = tmp_path / "gone.pdf"
    path.write_bytes(b"x")

    async def work() -> None:
        kit = composer_kit()
        kit.view.edit.setPlainText("with a file")
        data = _files(path)
        kit.view.edit.insertFromMimeData(data)
        path.unlink()
        await until(lambda: kit.presenter.state().uploads[0].step is UploadStep.FAILED)
        assert kit.presenter.state().send.label == "Send — file not ready"
        path.write_bytes(b"back")
        again = [one for one in kit.view.findChildren(QAbstractButton) if one.text() == "Try again"]
        QTest.mouseClick(again[-1], Qt.MouseButton.LeftButton)
        await until(lambda: kit.presenter.state().uploads[0].step is UploadStep.READY)
        kit.presenter.uploads.remove(kit.presenter.state().uploads[0].number)
        assert kit.presenter.state().send.label == "Send"
        await kit.close()

    run_in_qt_loop(qapp, work())


def test_a_setting_of_the_firm_is_locked_and_says_so(qapp: QApplication) -> None:
    managed = Source(Origin.MANAGED, "policies.json", {"Theme": "dark"})
    settings = Settings(load_schema(), [managed])
    page = SettingsPage(LIGHT)
    page.show_settings(setting_rows(settings, 100), service_words(settings))
    boxes = {box.accessibleName(): box for box in page.findChildren(QComboBox)}
    assert not boxes["Theme"].isEnabled()
    assert boxes["Theme"].currentText() == "Dark"
    assert boxes["Theme"].accessibleDescription() == "Managed by your firm"
    chosen: list[tuple[str, object]] = []
    page.setting_chosen.connect(lambda key, value: chosen.append((key, value)))
    QTest.keyClick(boxes["Enter sends"], Qt.Key.Key_Down)
    assert chosen == [(Key.ENTER_SENDS, False)]
    page.deleteLater()


def test_people_are_narrowed_and_opened(qapp: QApplication) -> None:
    model = PeopleModel()
    model.set_contacts([hana()])
    page = PeoplePage(model, LIGHT)
    page.show()
    chosen: list[Contact] = []
    page.contact_chosen.connect(chosen.append)
    QTest.keyClicks(page.field, "sakura xyz")
    assert model.rowCount() == 0
    page.field.clear()
    QTest.keyClicks(page.field, "SAKURA han")
    assert model.rowCount() == 1
    page.list.setCurrentIndex(model.index(0, 0))
    QTest.keyClick(page.list, Qt.Key.Key_Return)
    assert [one.display_name for one in chosen] == ["Hana Watanabe"]
    page.close()
    page.deleteLater()
