"""The inbox list as Qt sees it: one row per conversation, newest activity first.

It never reads the store; the presenter hands it rows.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import tzinfo
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QObject, Qt

from app.domain.inbox import InboxRow
from contract.ids import ConversationId
from ui.models.diffed_list_model import AnyIndex, DiffedListModel
from ui.models.inbox_words import RowWords, row_words
from ui.theme.tool_tips import plain_tip


class InboxRole(IntEnum):
    """Roles beyond Qt's: the row's words for the delegate, its conversation id, its value."""

    WORDS = Qt.ItemDataRole.UserRole + 1
    CONVERSATION_ID = Qt.ItemDataRole.UserRole + 2
    ROW = Qt.ItemDataRole.UserRole + 3


class InboxModel(DiffedListModel[InboxRow]):
    """Rows of the list; words are made when first asked for and kept until they may change."""

    def __init__(
        self, now_utc_ms: int = 0, zone: tzinfo | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._now_utc_ms = now_utc_ms
        self._zone = zone
        self._words: dict[ConversationId, tuple[InboxRow, RowWords]] = {}

    def key_of(self, row: InboxRow) -> Hashable:
        """Return the conversation's id."""
        return row.conversation.conversation_id

    def set_rows(self, target: Sequence[InboxRow]) -> None:
        """Show `target`; words of rows that went are forgotten."""
        super().set_rows(target)
        kept = {row.conversation.conversation_id for row in target}
        self._words = {key: value for key, value in self._words.items() if key in kept}

    def set_now(self, now_utc_ms: int) -> None:
        """Say times and spans anew as seen at `now_utc_ms`; only changed rows are announced."""
        self._now_utc_ms = now_utc_ms
        for number, row in enumerate(self._rows):
            known = self._words.get(row.conversation.conversation_id)
            if known is None:
                continue
            fresh = row_words(row, now_utc_ms, self._zone)
            if fresh != known[1]:
                self._words[row.conversation.conversation_id] = (row, fresh)
                self.touch(number, number)

    def words_at(self, number: int) -> RowWords | None:
        """Return what the row of that number says, None when there is none."""
        row = self.row_at(number)
        if row is None:
            return None
        known = self._words.get(row.conversation.conversation_id)
        if known is None or known[0] is not row:
            known = (row, row_words(row, self._now_utc_ms, self._zone))
            self._words[row.conversation.conversation_id] = known
        return known[1]

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row_at(index.row()) if index.isValid() else None
        if row is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return row.conversation.title
        if role == InboxRole.WORDS:
            return self.words_at(index.row())
        if role == InboxRole.CONVERSATION_ID:
            return row.conversation.conversation_id
        if role == InboxRole.ROW:
            return row
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            words = self.words_at(index.row())
            if words is None:
                return None
            return (
                words.accessible if role != Qt.ItemDataRole.ToolTipRole else plain_tip(words.title)
            )
        return None
