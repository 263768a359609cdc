"""Tests of the keyboard's way through the window. They use no network."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QPushButton, QWidget

from app.settings.schema import load_schema
from app.settings.settings import Settings
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import CARD, conversation, hana, until, until_filled, window_over_values
from ui.bridge.spawn import Spawner
from ui.models.conversation_facts import ConversationFacts
from ui.models.settings_rows import service_words, setting_rows
from ui.models.status_words import BannerWords
from ui.theme.tokens import LIGHT
from ui.views.pages.settings import SettingsPage

_ROUND = 40


def _walk(first: QWidget) -> list[str]:
    """Return the accessible names Tab comes by until it is back where it began."""
    first.setFocus(Qt.FocusReason.TabFocusReason)
    names: list[str] = []
    for _ in range(_ROUND):
        now = QApplication.focusWidget()
        assert now is not None, f"the focus is nowhere after {names}"
        names.append(now.accessibleName())
        QTest.keyClick(now, Qt.Key.Key_Tab)
        if QApplication.focusWidget() is first:
            return names
    raise AssertionError(f"Tab never comes back: {names}")


def test_tab_goes_through_the_window_as_the_eye_does(qapp: QApplication) -> None:
    async def work() -> None:
        spawner = Spawner(lambda name, fault: None)
        window = window_over_values(qapp, spawner)
        window.resize(1440, 900)
        window.show()
        window.activateWindow()
        await until(window.isActiveWindow)
        await until_filled(window)
        window.show_conversation(ConversationFacts(conversation(), (hana(),)))
        actions = (("connect", "Connect to my firm…"),)
        window.banners.show_banners([BannerWords("sample", "info", "Sample.", "Words", actions)])
        window.composer.edit.setPlainText(f"the card is {CARD}")
        await until(lambda: bool(window.composer.finding_words()))
        names = _walk(window.inbox.list)
        places = [
            names.index(name)
            for name in (
                "Conversations",
                "Messages",
                "Why? A payment card number",
                "Message",
                "Attach a file",
                "Open diagnostics",
                "Connect to my firm…",
                "Channel filter: all channels",
            )
        ]
        assert places == sorted(places), names
        window.close()
        window.deleteLater()
        await spawner.close()

    run_in_qt_loop(qapp, work())


def test_opening_a_reason_keeps_the_focus_on_its_button(qapp: QApplication) -> None:
    async def work() -> None:
        spawner = Spawner(lambda name, fault: None)
        window = window_over_values(qapp, spawner)
        window.show()
        window.activateWindow()
        await until(window.isActiveWindow)
        window.show_conversation(ConversationFacts(conversation(), (hana(),)))
        window.composer.edit.setPlainText(f"the card is {CARD}")
        await until(lambda: bool(window.composer.finding_words()))
        (why,) = [one for one in window.findChildren(QPushButton) if one.text() == "Why?"]
        why.setFocus()
        QTest.keyClick(why, Qt.Key.Key_Space)
        now = QApplication.focusWidget()
        assert now is not None
        assert now.accessibleName() == "Why? A payment card number"
        assert now.accessibleDescription().startswith("A rule of law")
        window.close()
        window.deleteLater()
        await spawner.close()

    run_in_qt_loop(qapp, work())


def test_a_changed_setting_keeps_the_focus_and_its_name(qapp: QApplication) -> None:
    settings = Settings(load_schema(), ())
    page = SettingsPage(LIGHT)
    page.show_settings(setting_rows(settings, 100), service_words(settings))
    page.show()
    page.activateWindow()
    QTest.qWaitForWindowActive(page, 60_000)
    (size,) = [one for one in page.findChildren(QComboBox) if one.accessibleName() == "Text size"]
    size.setFocus()
    page.show_settings(setting_rows(settings, 125), service_words(settings))
    now = QApplication.focusWidget()
    assert isinstance(now, QComboBox) and now is not size
    assert (now.accessibleName(), now.currentText()) == ("Text size", "125 %")
    interface = QAccessible.queryAccessibleInterface(now)
    assert interface is not None
    labels = [
        one.text(QAccessible.Text.Name)
        for one, _ in interface.relations(QAccessible.RelationFlag.Label)
    ]
    assert labels == ["Text size"]
    page.close()
    page.deleteLater()
