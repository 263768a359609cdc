"""The queue as Qt sees it: a bounded window of waiting messages in composing order.

It never reads the store; the presenter hands it rows.
"""

from __future__ import annotations

from datetime import tzinfo
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QObject, Qt

from app.domain.queue import QueueRow
from ui.models.diffed_list_model import AnyIndex, DiffedListModel
from ui.models.queue_words import QueueSetting, queue_words


class QueueRole(IntEnum):
    """The row's words for the delegate, and the row itself."""

    WORDS = Qt.ItemDataRole.UserRole + 1
    ROW = Qt.ItemDataRole.UserRole + 2


class QueueModel(DiffedListModel[QueueRow]):
    """Words are made for the rows that are painted or read out, as the setting has it."""

    def __init__(self, zone: tzinfo | None = None, parent: QObject | None = None) -> None:
        super().__init__(lambda row: row.entry.message_id, parent)
        self.setting = QueueSetting()
        self._zone = zone

    def set_setting(self, setting: QueueSetting) -> None:
        """Say states and reasons anew."""
        if setting != self.setting:
            self.setting = setting
            self.touch(0, len(self._rows) - 1)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row_at(index.row()) if index.isValid() else None
        if row is None:
            return None
        if role == QueueRole.ROW:
            return row
        if role not in (
            QueueRole.WORDS,
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.AccessibleTextRole,
        ):
            return None
        words = queue_words(row, self.setting, self._zone)
        if role == QueueRole.WORDS:
            return words
        return words.title if role == Qt.ItemDataRole.DisplayRole else words.accessible
