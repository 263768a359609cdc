"""Owns the window of a computer on which Parley has no backend, until it has one or is closed.

It never opens a store, makes a key or starts a process: nothing is kept before Parley is set up.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from PySide6.QtCore import QEventLoop, Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QMainWindow

from app.settings.settings import Settings
from app.setup import Setup, setup_of, setup_report
from ui.look import Look
from ui.theme.icons import application_icon
from ui.theme.tokens import Tokens
from ui.views.pages.not_set_up import NotSetUpPage

_SIZE = (900, 600)


class Outcome(StrEnum):
    """Set up meanwhile; the sample is wished for; closed."""

    SET_UP = "set_up"
    SAMPLE = "sample"
    CLOSED = "closed"


class NotSetUpWindow(QMainWindow):
    """`outcome` is None while the window is open."""

    def __init__(self, settings: Settings, tokens: Tokens, version: str) -> None:
        super().__init__()
        self.outcome: Outcome | None = None
        self.ended: Callable[[], None] = lambda: None
        self._version = version
        offers_sample = setup_of(settings) is Setup.ASK_IT_OR_TRY
        report = setup_report(settings, version)
        self.page = NotSetUpPage(report, tokens, offers_sample=offers_sample)
        self.setWindowTitle("Parley")
        self.setWindowIcon(application_icon())
        self.resize(*_SIZE)
        self.setCentralWidget(self.page)
        self.page.again.setFocus(Qt.FocusReason.OtherFocusReason)

    def end(self, outcome: Outcome) -> None:
        """Close with this outcome; the first one stays."""
        self.outcome = self.outcome or outcome
        self.hide()
        self.ended()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.end(Outcome.CLOSED)
        event.accept()


def stay_until_set_up(
    look: Look, settings: Settings, version: str, reload: Callable[[], Settings]
) -> Outcome:
    """Show the window until a backend is set, the sample is wished for, or it is closed.

    Runs a loop of Qt's own: call it before there is any other.
    """
    window = NotSetUpWindow(settings, look.tokens, version)
    page = window.page

    def look_again() -> None:
        found = reload()
        if setup_of(found) is Setup.READY:
            window.end(Outcome.SET_UP)
        else:
            page.show_report(setup_report(found, version))
            page.sample.setVisible(setup_of(found) is Setup.ASK_IT_OR_TRY)

    page.look_again_requested.connect(look_again)
    page.sample_requested.connect(lambda: window.end(Outcome.SAMPLE))
    look.follow(page.set_tokens)
    loop = QEventLoop()
    window.ended = loop.quit
    window.show()
    window.activateWindow()
    if window.outcome is None:
        loop.exec()
    look.follow(None)
    window.deleteLater()
    return window.outcome or Outcome.CLOSED
