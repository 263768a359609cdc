"""The queue of unknown senders as Qt sees it: one row a sender, who waits longest first.

It never asks the backend; the presenter hands it rows.
"""

from __future__ import annotations

from collections.abc import Hashable
from datetime import tzinfo
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QObject, Qt

from contract.triage import TriageItem
from ui.models.diffed_list_model import AnyIndex, DiffedListModel
from ui.models.triage_words import triage_row


class TriageRole(IntEnum):
    """The row's words for the delegate, and the unknown sender."""

    WORDS = Qt.ItemDataRole.UserRole + 1
    ITEM = Qt.ItemDataRole.UserRole + 2


class TriageModel(DiffedListModel[TriageItem]):
    """Unknown senders; words are made as seen at the time last set."""

    def __init__(self, zone: tzinfo | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._now_utc_ms = 0
        self._zone = zone

    def key_of(self, row: TriageItem) -> Hashable:
        """Return the conversation's id."""
        return row.conversation_id

    def set_now(self, now_utc_ms: int) -> None:
        """Say times anew as seen at `now_utc_ms`."""
        self._now_utc_ms = now_utc_ms
        self.touch(0, len(self._rows) - 1)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        item = self.row_at(index.row()) if index.isValid() else None
        if item is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return item.title
        if role == TriageRole.ITEM:
            return item
        words = triage_row(item, self._now_utc_ms, self._zone)
        if role == TriageRole.WORDS:
            return words
        return words.accessible if role == Qt.ItemDataRole.AccessibleTextRole else None
