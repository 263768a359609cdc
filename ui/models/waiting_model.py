"""A queue that waits for decisions as Qt sees it: one row a case, who waits longest first.

It never asks the backend: the presenter hands it rows, and words are made by who knows the case.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from enum import IntEnum
from typing import Any, Protocol, TypeVar

from PySide6.QtCore import QObject, Qt

from ui.models.diffed_list_model import AnyIndex, DiffedListModel

Row = TypeVar("Row")


class WaitingRole(IntEnum):
    """The row's words for the delegate, and the row itself."""

    WORDS = Qt.ItemDataRole.UserRole + 1
    ROW = Qt.ItemDataRole.UserRole + 2


class SpokenWords(Protocol):
    """What a row says; `accessible` is all of it for screen readers."""

    @property
    def accessible(self) -> str:
        """Return the whole row as one sentence."""
        ...


class WaitingModel(DiffedListModel[Row]):
    """Rows whose words are made as seen at the time last set."""

    def __init__(
        self,
        key: Callable[[Row], str],
        title: Callable[[Row], str],
        words: Callable[[Row, int, tzinfo | None], SpokenWords],
        zone: tzinfo | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(key, parent)
        self.key = key
        self._title = title
        self._words = words
        self._now_utc_ms = 0
        self._zone = zone

    def set_now(self, now_utc_ms: int) -> None:
        """Say times and spans anew as seen at `now_utc_ms`."""
        self._now_utc_ms = now_utc_ms
        self.touch(0, len(self._rows) - 1)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row_at(index.row()) if index.isValid() else None
        if row is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._title(row)
        if role == WaitingRole.ROW:
            return row
        if role not in (WaitingRole.WORDS, Qt.ItemDataRole.AccessibleTextRole):
            return None
        words = self._words(row, self._now_utc_ms, self._zone)
        return words if role == WaitingRole.WORDS else words.accessible
