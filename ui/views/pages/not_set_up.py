"""The page of a computer on which Parley has no backend: who can change that, what to tell them.

It never changes a setting and never starts anything: its buttons only tell of a wish.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from ui.theme.tokens import Tokens
from ui.theme.widgets import button
from ui.views.pages.card_page import CardPage

TITLE = "Parley isn't set up on this computer. Ask IT."
_LINE = (
    "IT sets the address of your firm's Parley service for this computer. "
    "Tell them what the diagnostics say; then look again."
)
_SHOW, _HIDE = "Show diagnostics", "Hide diagnostics"
_COPY, _COPIED = "Copy", "Copied"
_REPORT_HEIGHT_PX = 150


class NotSetUpPage(CardPage):
    """`sample_requested` is offered where nothing is managed."""

    look_again_requested = Signal()
    sample_requested = Signal()

    def __init__(
        self, report: str, tokens: Tokens, *, offers_sample: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(TITLE, _LINE, tokens, parent)
        self.report = QPlainTextEdit()
        self.report.setReadOnly(True)
        self.report.setTabChangesFocus(True)
        self.report.setAccessibleName("Diagnostics for IT")
        self.report.setFixedHeight(_REPORT_HEIGHT_PX)
        self.report.hide()
        self.body.addWidget(self.report)
        self.copy = button(_COPY, "secondary", "Copy diagnostics")
        self.copy.hide()
        self.body.addWidget(self.copy, 0, Qt.AlignmentFlag.AlignRight)
        self.again = self.add_button("Look again", "primary")
        self.again.setDefault(True)
        self.diagnostics = self.add_button(_SHOW, "secondary")
        self.sample = button("Try the sample workspace on this computer", "link")
        self.sample.setVisible(offers_sample)
        self.body.addWidget(self.sample, 0, Qt.AlignmentFlag.AlignHCenter)
        self.show_report(report)
        self.again.clicked.connect(self.look_again_requested)
        self.sample.clicked.connect(self.sample_requested)
        self.diagnostics.clicked.connect(self._on_diagnostics)
        self.copy.clicked.connect(self._on_copy)

    def show_report(self, report: str) -> None:
        """Take what the diagnostics say now."""
        self.report.setPlainText(report)
        self.copy.setText(_COPY)

    def _on_diagnostics(self) -> None:
        shown = self.report.isHidden()
        self.report.setVisible(shown)
        self.copy.setVisible(shown)
        self.diagnostics.setText(_HIDE if shown else _SHOW)
        self.diagnostics.setAccessibleName(self.diagnostics.text())
        if shown:
            self.report.setFocus()

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.report.toPlainText())
        self.copy.setText(_COPIED)
