"""The supervisor's queue as Qt sees it: one row a held message, oldest first.

It never asks the backend; the presenter hands it rows.
"""

from __future__ import annotations

from collections.abc import Hashable
from datetime import tzinfo
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QObject, Qt

from contract.supervision import Approval
from ui.models.approval_words import approval_row
from ui.models.diffed_list_model import AnyIndex, DiffedListModel


class ApprovalRole(IntEnum):
    """The row's words for the delegate, and the held message itself."""

    WORDS = Qt.ItemDataRole.UserRole + 1
    APPROVAL = Qt.ItemDataRole.UserRole + 2


class ApprovalsModel(DiffedListModel[Approval]):
    """Held messages; words are made as seen at the time last set."""

    def __init__(self, zone: tzinfo | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._now_utc_ms = 0
        self._zone = zone

    def key_of(self, row: Approval) -> Hashable:
        """Return the approval's id."""
        return row.approval_id

    def set_now(self, now_utc_ms: int) -> None:
        """Say times and spans anew as seen at `now_utc_ms`."""
        self._now_utc_ms = now_utc_ms
        self.touch(0, len(self._rows) - 1)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        approval = self.row_at(index.row()) if index.isValid() else None
        if approval is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return approval.title
        if role == ApprovalRole.APPROVAL:
            return approval
        words = approval_row(approval, self._now_utc_ms, self._zone)
        if role == ApprovalRole.WORDS:
            return words
        return words.accessible if role == Qt.ItemDataRole.AccessibleTextRole else None
