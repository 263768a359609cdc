"""A list model whose rows are replaced by differences, never by a reset.

It never fetches rows: whoever owns it hands over complete lists.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Signal,
)

from ui.models.row_diff import Insert, Move, Remove, row_operations

Row = TypeVar("Row")
AnyIndex = QModelIndex | QPersistentModelIndex


class DiffedListModel(QAbstractListModel, Generic[Row]):
    """Holds frozen rows; `key_of` says what makes a row the same row in the next list.

    `replaced` follows each `set_rows`, when all of its operations are done; `is_replacing`
    holds between them, so that a view lays its rows out once.
    """

    replaced = Signal()

    def __init__(self, key_of: Callable[[Row], Hashable], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.is_replacing = False
        self._key_of = key_of
        self._rows: list[Row] = []
        self._keys: list[Hashable] = []

    def rows(self) -> Sequence[Row]:
        """Return the rows as they stand."""
        return self._rows

    def keys(self) -> Sequence[Hashable]:
        """Return the rows' keys as they stand."""
        return self._keys

    def row_at(self, number: int) -> Row | None:
        """Return the row of that number, None when there is none."""
        return self._rows[number] if 0 <= number < len(self._rows) else None

    def number_of(self, key: Hashable) -> int:
        """Return the number of the row with `key`, -1 when it is not there."""
        try:
            return self._keys.index(key)
        except ValueError:
            return -1

    def set_rows(self, target: Sequence[Row]) -> None:
        """Become `target` by removals, insertions, moves and dataChanged of what differs."""
        self.is_replacing = True
        try:
            self._become(target)
        finally:
            self.is_replacing = False
        self.replaced.emit()

    def _become(self, target: Sequence[Row]) -> None:
        new_keys = [self._key_of(row) for row in target]
        by_key = dict(zip(new_keys, target, strict=True))
        for operation in row_operations(self._keys, new_keys):
            match operation:
                case Remove(first, last):
                    self._remove(first, last)
                case Insert(first, last):
                    self._insert(first, [by_key[key] for key in new_keys[first : last + 1]])
                case Move(source, to):
                    self._move(source, to)
        self._update(target)

    def touch(self, first: int, last: int, roles: Sequence[int] = ()) -> None:
        """Tell views that rows look different though their values are the same."""
        if 0 <= first <= last < len(self._rows):
            self.dataChanged.emit(self.index(first), self.index(last), list(roles))

    def _remove(self, first: int, last: int) -> None:
        self.beginRemoveRows(QModelIndex(), first, last)
        del self._rows[first : last + 1]
        del self._keys[first : last + 1]
        self.endRemoveRows()

    def _insert(self, first: int, rows: list[Row]) -> None:
        self.beginInsertRows(QModelIndex(), first, first + len(rows) - 1)
        self._rows[first:first] = rows
        self._keys[first:first] = [self._key_of(row) for row in rows]
        self.endInsertRows()

    def _move(self, source: int, to: int) -> None:
        before = to + 1 if to > source else to
        self.beginMoveRows(QModelIndex(), source, source, QModelIndex(), before)
        self._rows.insert(to, self._rows.pop(source))
        self._keys.insert(to, self._keys.pop(source))
        self.endMoveRows()

    def _update(self, target: Sequence[Row]) -> None:
        changed = [
            number
            for number, (old, new) in enumerate(zip(self._rows, target, strict=True))
            if old is not new and old != new
        ]
        for number in changed:
            self._rows[number] = target[number]
        for first, last in _runs(changed):
            self.dataChanged.emit(self.index(first), self.index(last), [])

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._rows)


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Return ascending numbers as (first, last) runs."""
    result: list[tuple[int, int]] = []
    for number in numbers:
        if result and result[-1][1] == number - 1:
            result[-1] = (result[-1][0], number)
        else:
            result.append((number, number))
    return result
