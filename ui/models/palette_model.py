"""The palette's one list as a model: another question resets it, more results are laid in.

It never searches and never makes a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, Qt

from ui.models.diffed_list_model import DiffedListModel
from ui.models.palette_rows import UNCHOSEN, PaletteAction, PaletteKind, PaletteRow

__all__ = ["PaletteAction", "PaletteKind", "PaletteModel", "PaletteRole", "PaletteRow"]

AnyIndex = QModelIndex | QPersistentModelIndex


class PaletteRole(IntEnum):
    """The row as a value."""

    ROW = Qt.ItemDataRole.UserRole + 1


class PaletteModel(DiffedListModel[PaletteRow]):
    """A few pages of results; headings and notes can't be chosen."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(lambda row: row.key, parent)

    def replace_rows(self, rows: Sequence[PaletteRow]) -> None:
        """Show another question's rows."""
        if list(rows) == self._rows:
            return
        self.beginResetModel()
        self._rows = list(rows)
        self._keys = [row.key for row in rows]
        self.endResetModel()

    def first_choice(self) -> int:
        """Return the first row that can be chosen, -1 when there is none.

        Completions give way to what was found: Enter opens, Tab completes.
        """
        offered = [row for row in self._rows if row.kind not in UNCHOSEN]
        found = [row for row in offered if row.kind is not PaletteKind.CHOICE]
        return self._rows.index((found or offered)[0]) if offered else -1

    def first_completion(self) -> PaletteRow | None:
        """Return the first completion of the filter under the caret."""
        return next((row for row in self._rows if row.kind is PaletteKind.CHOICE), None)

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        row = self.row_at(index.row())
        if row is None or row.kind in UNCHOSEN:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row_at(index.row()) if index.isValid() else None
        if row is None:
            return None
        if role == PaletteRole.ROW:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return row.spoken
        return None
