"""Tests of files dropped on the window: taken where nothing else takes them, asked where unclear.

They never use a network.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import conversation, hana, until, window_over_values
from ui.bridge.spawn import Spawner
from ui.models.conversation_facts import ConversationFacts
from ui.models.import_words import looks_like_export
from ui.theme.tokens import DARK
from ui.views.dialogs.dropped_file import DroppedFileDialog, Meant
from ui.views.main_window import MainWindow

_COPY = Qt.DropAction.CopyAction
_LEFT = Qt.MouseButton.LeftButton
_NONE = Qt.KeyboardModifier.NoModifier


def _files(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def _drag(target: QWidget, data: QMimeData) -> bool:
    """Carry files over a widget; tells whether it or what it stands in takes them."""
    event = QDragEnterEvent(QPoint(5, 5), _COPY, data, _LEFT, _NONE)
    event.ignore()
    QApplication.sendEvent(target, event)
    return event.isAccepted()


def _drop(target: QWidget, data: QMimeData) -> None:
    event = QDropEvent(QPointF(5, 5), _COPY, data, _LEFT, _NONE)
    QApplication.sendEvent(target, event)


def _window(application: QApplication, spawner: Spawner) -> MainWindow:
    window = window_over_values(application, spawner)
    window.resize(1280, 720)
    window.show()
    window.show_conversation(ConversationFacts(conversation(), (hana(),)))
    return window


def test_a_file_over_the_window_is_offered_the_import(qapp: QApplication, tmp_path: Path) -> None:
    path = tmp_path / "chat.zip"
    path.write_bytes(b"PK")

    async def work() -> None:
        spawner = Spawner(lambda name, fault: None)
        window = _window(qapp, spawner)
        taken: list[list[Path]] = []
        window.file_drop.dropped.connect(taken.append)
        assert _drag(window, _files(path)) and window.file_drop.hint.isVisible()
        window.set_tokens(DARK)
        QApplication.sendEvent(window, QDragLeaveEvent())
        assert not window.file_drop.hint.isVisible()
        _drag(window, _files(path))
        _drop(window, _files(path))
        assert taken == [[path]] and not window.file_drop.hint.isVisible()
        await spawner.close()
        window.deleteLater()

    run_in_qt_loop(qapp, work())


def test_text_and_folders_are_not_taken(qapp: QApplication, tmp_path: Path) -> None:
    async def work() -> None:
        spawner = Spawner(lambda name, fault: None)
        window = _window(qapp, spawner)
        words = QMimeData()
        words.setText("hello")
        assert not _drag(window, words) and not _drag(window, _files(tmp_path))
        assert not window.file_drop.hint.isVisible()
        await spawner.close()
        window.deleteLater()

    run_in_qt_loop(qapp, work())


def test_a_composer_that_takes_files_keeps_what_is_dropped_on_it(
    qapp: QApplication, tmp_path: Path
) -> None:
    path = tmp_path / "chat.zip"
    path.write_bytes(b"PK")

    async def work() -> None:
        spawner = Spawner(lambda name, fault: None)
        window = _window(qapp, spawner)
        taken: list[list[Path]] = []
        window.file_drop.dropped.connect(taken.append)
        assert _drag(window.composer, _files(path))
        _drop(window.composer, _files(path))
        await until(lambda: window.composer._presenter.state().uploads != ())
        assert taken == [] and not window.file_drop.hint.isVisible()
        await spawner.close()
        window.deleteLater()

    run_in_qt_loop(qapp, work())


def test_what_a_file_is_for_is_asked_and_neither_answer_is_the_default(
    qapp: QApplication,
) -> None:
    for meant in (Meant.ATTACH, Meant.IMPORT):
        dialog = DroppedFileDialog("Chat with Camille.zip", "Hana Watanabe")
        dialog.show()
        assert not dialog.attach.isDefault() and not dialog.import_.isDefault()
        button = dialog.attach if meant is Meant.ATTACH else dialog.import_
        QTest.mouseClick(button, _LEFT)
        assert dialog.meant is meant and dialog.result() == dialog.DialogCode.Accepted
        dialog.deleteLater()


def test_only_what_may_be_a_chat_is_asked_about() -> None:
    named = ("Chat.ZIP", "result.json", "sms.xml", "_chat.txt", "chat.db")
    assert all(looks_like_export(name) for name in named)
    assert not any(looks_like_export(name) for name in ("photo.jpg", "terms.pdf", "zip"))
