"""Tests of the window of a computer without a backend. They never open a store."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source
from ui.look import Look
from ui.not_set_up import NotSetUpWindow, Outcome, stay_until_set_up
from ui.theme.tokens import LIGHT
from ui.views.pages.not_set_up import TITLE

OFF = Source(Origin.INSTALLER, "installer", {"EmbeddedBackend": False})
MANAGED = Source(Origin.MANAGED, "managed", {"EmbeddedBackend": False})
SET_UP = Source(Origin.MANAGED, "managed", {"BackendUrl": "https://parley.example.com"})


def _settings(*sources: Source) -> Settings:
    return Settings(load_schema(), sources)


def _window(qtbot: QtBot, *sources: Source) -> NotSetUpWindow:
    window = NotSetUpWindow(_settings(*sources), LIGHT, "1.2.3")
    qtbot.addWidget(window)
    window.show()
    return window


def test_it_says_whom_to_ask_and_is_read_out(qtbot: QtBot) -> None:
    window = _window(qtbot, MANAGED)
    page = window.page
    assert TITLE == "Parley isn't set up on this computer. Ask IT."
    assert page.title.text() == page.accessibleName() == TITLE
    assert page.accessibleDescription() == page.line.text()
    named = [one for one in page.findChildren(QPushButton) if one.isVisible()]
    assert all(one.accessibleName() for one in named)


@pytest.mark.parametrize(("source", "offered"), [(MANAGED, False), (OFF, True)])
def test_the_sample_is_offered_only_where_nothing_is_managed(
    qtbot: QtBot, source: Source, offered: bool
) -> None:
    window = _window(qtbot, source)
    assert window.page.sample.isVisible() is offered


def test_the_diagnostics_are_shown_and_copied_by_keys_alone(qtbot: QtBot) -> None:
    window = _window(qtbot, MANAGED)
    page = window.page
    assert window.focusWidget() is page.again and not page.report.isVisible()
    _tab_to(window, page.diagnostics)
    QTest.keyClick(page.diagnostics, Qt.Key.Key_Space)
    assert page.report.isVisible() and window.focusWidget() is page.report
    _tab_to(window, page.copy)
    QTest.keyClick(page.copy, Qt.Key.Key_Space)
    copied = QGuiApplication.clipboard().text()
    assert "Parley 1.2.3" in copied and "BackendUrl" in copied and copied.endswith("Code: SETUP-1")
    assert page.copy.text() == "Copied"
    QTest.mouseClick(page.diagnostics, Qt.MouseButton.LeftButton)
    assert not page.report.isVisible()


def _tab_to(window: QWidget, wanted: QWidget) -> None:
    for _ in range(12):
        focused = window.focusWidget()
        if focused is wanted:
            return
        assert focused is not None
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    raise AssertionError(f"{wanted.accessibleName()} is not reached by Tab")


def _stay(qapp: QApplication, found: list[Settings], press: str) -> Outcome:
    """Stay on the page, which `press` is done on once it stands, and return what came of it."""

    def act() -> None:
        window = next(
            one
            for one in qapp.topLevelWidgets()
            if isinstance(one, NotSetUpWindow) and one.isVisible()
        )
        if press == "close":
            window.close()
        else:
            QTest.mouseClick(getattr(window.page, press), Qt.MouseButton.LeftButton)

    timer = QTimer()
    timer.setInterval(20)
    timer.timeout.connect(act)
    timer.start()
    try:
        return stay_until_set_up(Look(qapp, "light"), _settings(OFF), "1.2.3", lambda: found.pop(0))
    finally:
        timer.stop()


def test_it_goes_on_once_it_has_set_parley_up(qapp: QApplication) -> None:
    found = [_settings(OFF), _settings(MANAGED), _settings(OFF, SET_UP)]
    assert _stay(qapp, found, "again") is Outcome.SET_UP
    assert found == []


@pytest.mark.parametrize(
    ("press", "outcome"), [("sample", Outcome.SAMPLE), ("close", Outcome.CLOSED)]
)
def test_the_other_ways_out(qapp: QApplication, press: str, outcome: Outcome) -> None:
    assert _stay(qapp, [], press) is outcome
