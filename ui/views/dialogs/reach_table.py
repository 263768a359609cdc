"""The per-person matrix: who can get one text, and what stands in the way of the others.

It never decides: it shows rows as they come.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from ui.delegates.wrapped_delegate import PADDING_PX, WrappedDelegate
from ui.models.broadcast_lines import VERDICTS, MatrixRow
from ui.theme.fonts import MEDIUM, REGULAR, ui_font
from ui.theme.tokens import BODY_PX, Tokens
from ui.theme.tool_tips import plain_tip

_COLUMNS = ("Client", "Can get it", "Why")
VERDICT_COLUMN = 1
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class ReachTable(QTableWidget):
    """Long names and reasons wrap: what stands in the way is never cut off."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(0, len(_COLUMNS), parent)
        self._tokens = tokens
        self._rows: tuple[MatrixRow, ...] = ()
        self.setHorizontalHeaderLabels(_COLUMNS)
        self.setAccessibleName("Who can get it")
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)  # Tab leads on to the next field
        self.setShowGrid(False)
        self.setWordWrap(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setMinimumSectionSize(0)
        self.setItemDelegate(WrappedDelegate(tokens, self))
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(_LEFT)
        header.setMinimumSectionSize(72)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(VERDICT_COLUMN, QHeaderView.ResizeMode.Fixed)
        metrics = QFontMetrics(ui_font(BODY_PX, MEDIUM))
        widest_px = max(map(metrics.horizontalAdvance, (*VERDICTS, _COLUMNS[VERDICT_COLUMN])))
        header.resizeSection(VERDICT_COLUMN, widest_px + round(2 * PADDING_PX) + 4)

    def show_rows(self, rows: Sequence[MatrixRow]) -> None:
        """Show the rows in place of the former ones."""
        known, self._rows = self._rows, tuple(rows)
        self.setRowCount(len(rows))
        for line, row in enumerate(rows):
            if line < len(known) and known[line] == row:
                continue
            for column, words in enumerate((row.client, row.verdict, row.note)):
                self.setItem(line, column, self._cell(row, column, words))
            self.resizeRowToContents(line)

    def _cell(self, row: MatrixRow, column: int, words: str) -> QTableWidgetItem:
        item = QTableWidgetItem(words)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, row.spoken)
        item.setToolTip(plain_tip(words))
        item.setFont(ui_font(BODY_PX, MEDIUM if column == VERDICT_COLUMN else REGULAR, words))
        if column == VERDICT_COLUMN:
            item.setForeground(QColor(str(getattr(self._tokens, row.tone))))
        return item

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.resizeRowsToContents()
