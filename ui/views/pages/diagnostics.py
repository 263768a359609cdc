"""The diagnostics page (F12): this run's figures, what the checks found, every setting.

It never runs a check itself and shows no content of messages.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.diagnostics.results import CheckResult, CheckStatus
from app.domain.settings_account import SettingsAccount
from ui.models.figures import FigureCard
from ui.theme.icons import icon_pixmap
from ui.theme.tokens import Tokens
from ui.theme.widgets import Chip, ElidedLabel, button, hairline, label
from ui.views.pages.page_frame import PageFrame
from ui.views.pages.settings_list import SettingsList
from ui.views.pages.sparkline import Sparkline

_ICONS = {
    CheckStatus.OK: "check",
    CheckStatus.WARN: "triangle-alert",
    CheckStatus.FAIL: "circle-x",
}
_SPOKEN = {CheckStatus.OK: "fine", CheckStatus.WARN: "please look", CheckStatus.FAIL: "failed"}


class FigureView(QFrame):
    """One card with a figure."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(2)
        self._name = label("", "secondary")
        self._value = label("", "title")
        self._value.setStyleSheet("font-size: 24px;")
        self._meaning = ElidedLabel("", "meta")
        self._line = Sparkline(tokens)
        for part in (self._name, self._value, self._meaning):
            column.addWidget(part)
        column.addSpacing(6)
        column.addWidget(self._line)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._line.set_tokens(tokens)

    def show_card(self, card: FigureCard) -> None:
        """Show a figure."""
        self._name.setText(card.name)
        self._value.setText(card.value)
        self._meaning.set_full_text(card.meaning)
        self._line.set_values(card.series)
        self._line.setAccessibleName(f"{card.name}: {card.value}, {card.meaning}")
        self.setAccessibleName(f"{card.name}: {card.value}, {card.meaning}")


class DiagnosticsPage(PageFrame):
    """Figures above, checks below, and below these where each setting comes from."""

    run_requested = Signal()

    def __init__(self, version: str, tokens: Tokens, parent: QWidget | None = None) -> None:
        line = f"Parley {version} · nothing on this page holds message content"
        super().__init__("Diagnostics", line, parent)
        self._tokens = tokens
        self._results: tuple[CheckResult, ...] = ()
        self._run = button("Run checks", "primary")
        self._run.clicked.connect(self.run_requested)
        self.buttons.addWidget(self._run)
        self._cards = [FigureView(tokens) for _ in range(4)]
        row = QHBoxLayout()
        row.setSpacing(14)
        for card in self._cards:
            row.addWidget(card, 1)
        self.body.addLayout(row)
        self.settings = SettingsList(tokens)
        self.settings.hide()
        self.body.addWidget(self._table(), 1)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        for card in self._cards:
            card.set_tokens(tokens)
        self.settings.set_tokens(tokens)
        self._show(self._results)

    def show_figures(self, cards: Sequence[FigureCard]) -> None:
        """Show this run's figures."""
        for view, card in zip(self._cards, cards, strict=True):
            view.show_card(card)

    def show_running(self, running: bool) -> None:
        """Say whether checks run just now."""
        self._run.setEnabled(not running)
        self._run.setText("Running…" if running else "Run checks")

    def show_results(self, results: Sequence[CheckResult]) -> None:
        """Show what was found so far."""
        self._show(tuple(results))

    def show_settings(self, account: SettingsAccount) -> None:
        """Show every setting with its origin."""
        self.settings.show_account(account)
        self.settings.show()

    def results(self) -> tuple[CheckResult, ...]:
        """Return the results on screen."""
        return self._results

    def _table(self) -> QWidget:
        card = QFrame()
        card.setProperty("card", True)
        outer = QVBoxLayout(card)
        outer.setContentsMargins(1, 6, 1, 6)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setAccessibleName("Results of the checks")
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        checks = QWidget()
        self._grid = QGridLayout(checks)
        self._grid.setContentsMargins(20, 4, 20, 4)
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(0)
        self._grid.setColumnMinimumWidth(1, 150)
        self._grid.setColumnStretch(2, 1)
        column.addWidget(checks)
        column.addWidget(self.settings)
        column.addStretch(1)
        scroll.setWidget(inside)
        outer.addWidget(scroll)
        return card

    def _show(self, results: tuple[CheckResult, ...]) -> None:
        self._results = results
        while (item := self._grid.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.hide()
                old.deleteLater()
        for number, result in enumerate(results):
            self._row(2 * number, result)
            self._grid.addWidget(hairline(), 2 * number + 1, 0, 1, 5)

    def _row(self, row: int, result: CheckResult) -> None:
        tokens = self._tokens
        colors = {
            CheckStatus.OK: tokens.ok,
            CheckStatus.WARN: tokens.warn,
            CheckStatus.FAIL: tokens.block,
        }
        mark = QLabel()
        mark.setPixmap(icon_pixmap(_ICONS[result.status], colors[result.status], 16, 2.0))
        mark.setAccessibleName(_SPOKEN[result.status])
        name = label(result.title, "strong")
        name.setMinimumHeight(42)
        name.setAccessibleName(f"{result.title}: {_SPOKEN[result.status]}. {result.sentence}")
        words = label(result.sentence, "body", selectable=True)
        words.setWordWrap(True)
        took = label(f"{result.elapsed_ms:.0f} ms", "secondary")
        self._grid.addWidget(mark, row, 0)
        self._grid.addWidget(name, row, 1)
        self._grid.addWidget(words, row, 2)
        if result.owner:
            tone = "block" if result.status is CheckStatus.FAIL else "accent"
            owner = "you" if result.owner.value == "user" else result.owner.value
            self._grid.addWidget(Chip(f"Owner: {owner}", tone, tokens), row, 3)
        self._grid.addWidget(took, row, 4, Qt.AlignmentFlag.AlignRight)
