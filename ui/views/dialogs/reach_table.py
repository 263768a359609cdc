"""The per-person matrix: who can get one text, and what stands in the way of the others.

It never decides: it shows rows as they come.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from ui.delegates.wrapped_delegate import WrappedDelegate
from ui.models.broadcast_lines import MatrixRow
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
        header.setSectionResizeMode(VERDICT_COLUMN, QHeaderView.ResizeMode.ResizeToContents)

    def show_rows(self, rows: Sequence[MatrixRow]) -> None:
        """Show the rows in place of the former ones."""
        self.setRowCount(len(rows))
        for line, row in enumerate(rows):
            for column, words in enumerate((row.client, row.verdict, row.note)):
                self.setItem(line, column, self._cell(row, column, words))
        self.resizeRowsToContents()

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
        self.resizeRowsToContents()
