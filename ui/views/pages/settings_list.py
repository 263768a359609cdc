"""The list of all settings on the diagnostics page: value, who set it, and where.

It never changes a setting, and shows what the account of settings already made fit to be seen.
"""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.domain.settings_account import SettingFault, SettingLine, SettingsAccount
from app.settings.schema import Origin
from ui.models.setting_words import origin_words
from ui.theme.icons import icon_pixmap
from ui.theme.tokens import Tokens
from ui.theme.widgets import ElidedLabel, hairline, label

_ROW_HEIGHT_PX = 34
_SLICE_S = 0.004
_NO_EFFECT = ", without effect yet"


class SettingsList(QWidget):
    """A row for each setting; faults stand above, settings that somebody set come first."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Settings and where they come from")
        self._tokens = tokens
        self._account: SettingsAccount | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(20, 12, 20, 12)
        self._column.setSpacing(8)
        self._column.addWidget(label("Settings", "section"))
        self._rows: QWidget | None = None
        self._grid, self._grid_rows = _empty_grid(), 0
        self._waiting: list[SettingLine] = []
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._lay_some)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        account, self._account = self._account, None
        if account is not None:
            self.show_account(account)

    def show_account(self, account: SettingsAccount) -> None:
        """Show the settings as they hold now; the rows come a few at a time."""
        if account == self._account:
            return
        self._account = account
        if self._rows is not None:
            self._rows.hide()
            self._rows.deleteLater()
        self._rows = QWidget()
        column = QVBoxLayout(self._rows)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for fault in account.faults:
            column.addLayout(self._fault(fault))
        if account.changed:
            words = f"Waits for the next start: {', '.join(account.changed)}"
            column.addWidget(label(words, "secondary", selectable=True))
        self._grid, self._grid_rows = _empty_grid(), 0
        column.addLayout(self._grid)
        self._column.addWidget(self._rows)
        self._waiting = sorted(account.lines, key=lambda line: line.origin == Origin.DEFAULT)
        self._waiting.reverse()
        self._timer.start()

    def is_complete(self) -> bool:
        """Tell whether every row stands there."""
        return not self._waiting

    def _lay_some(self) -> None:
        """Lay rows for a part of a frame: a row costs up to a millisecond of styling."""
        until = time.perf_counter() + _SLICE_S
        while self._waiting and time.perf_counter() < until:
            row = 2 * self._grid_rows
            self._row(row, self._waiting.pop())
            self._grid.addWidget(hairline(), row + 1, 0, 1, 4)
            self._grid_rows += 1
        if not self._waiting:
            self._timer.stop()

    def _fault(self, fault: SettingFault) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(8)
        color = self._tokens.block if fault.stops else self._tokens.warn
        mark = QLabel()
        mark.setPixmap(icon_pixmap("triangle-alert", color, 14, 2.0))
        mark.setAccessibleName("please look")
        words = label(fault.words, "body", selectable=True)
        words.setWordWrap(True)
        line.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(words, 1)
        return line

    def _row(self, row: int, line: SettingLine) -> None:
        who = origin_words(Origin(line.origin))
        name = ElidedLabel(line.key, "strong")
        name.setMinimumHeight(_ROW_HEIGHT_PX)
        name.setToolTip(line.title)
        lock = ", locked" if line.locked else ""
        value = (line.value or "empty") + ("" if line.acted_on else _NO_EFFECT)
        name.setAccessibleName(f"{line.title}, {line.key}: {value}. {who}{lock}. {line.place}")
        self._grid.addWidget(name, row, 0)
        self._grid.addWidget(ElidedLabel(value, "body" if line.value else "meta"), row, 1)
        self._grid.addLayout(self._origin(who, line.locked), row, 2)
        self._grid.addWidget(ElidedLabel(line.place, "secondary"), row, 3)

    def _origin(self, who: str, locked: bool) -> QHBoxLayout:
        cell = QHBoxLayout()
        cell.setSpacing(6)
        if locked:
            mark = QLabel()
            mark.setPixmap(icon_pixmap("lock", self._tokens.ink3, 12, 2.0))
            cell.addWidget(mark)
        cell.addWidget(label(who, "secondary"), 1)
        return cell


def _empty_grid() -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(14)
    grid.setVerticalSpacing(0)
    grid.setColumnMinimumWidth(0, 230)
    grid.setColumnStretch(1, 2)
    grid.setColumnMinimumWidth(2, 170)
    grid.setColumnStretch(3, 3)
    return grid
