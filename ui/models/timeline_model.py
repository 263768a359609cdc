"""One conversation's timeline as Qt sees it: a bounded window of rows in ascending place.

It never pages by itself; the presenter hands it windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QObject, Qt

from app.domain.timeline import TimelineRow
from contract.ids import MessageId
from contract.states import OutboxState
from contract.wire import SendCapability
from ui.models.diffed_list_model import AnyIndex, DiffedListModel
from ui.models.message_words import BubbleWords, Setting, accessible_words, bubble_words
from ui.models.timeline_items import ItemKind, TimelineItem, timeline_items


class TimelineRole(IntEnum):
    """Roles beyond Qt's: the item, a bubble's words, the message's id."""

    ITEM = Qt.ItemDataRole.UserRole + 1
    WORDS = Qt.ItemDataRole.UserRole + 2
    MESSAGE_ID = Qt.ItemDataRole.UserRole + 3


class TimelineModel(DiffedListModel[TimelineItem]):
    """Rows of the window with what they say in the conversation's setting."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(lambda item: item.key, parent)
        self.setting = Setting()
        self._words: dict[MessageId, tuple[TimelineRow, BubbleWords]] = {}

    def show_window(
        self, rows: Sequence[TimelineRow], setting: Setting, first_new: MessageId | None = None
    ) -> None:
        """Become `rows` as said in `setting`, by row differences."""
        anew = replace(setting, now_utc_ms=0) != replace(self.setting, now_utc_ms=0)
        self.setting = setting
        if anew:
            self._words.clear()
        self.set_rows(timeline_items(rows, setting.now_utc_ms, first_new, setting.zone))
        kept = {row.message.message_id for row in rows}
        self._words = {key: value for key, value in self._words.items() if key in kept}
        if anew:
            self.touch(0, self.rowCount() - 1)

    def set_online(self, online: bool, *, paused: bool = False) -> None:
        """Say anew what waits, for another state of the connection or of the archive's alarm."""
        if (online, paused) != (self.setting.online, self.setting.paused):
            self.setting = replace(self.setting, online=online, paused=paused)
            self._say_anew([n for n, item in enumerate(self._rows) if _is_waiting(item)])

    def set_send(self, send: SendCapability | None) -> None:
        """Know what the channel can do in the open conversation; nothing that shows changes."""
        self.setting = replace(self.setting, send=send)

    def counting_until_utc_ms(self) -> int:
        """Return when the last undo period ends, 0 when none runs."""
        ends = [
            item.row.outbox.undo_until_utc_ms
            for item in self._rows
            if item.row is not None
            and item.row.outbox is not None
            and item.row.outbox.state is OutboxState.UNDO
        ]
        return max(ends, default=0)

    def set_now(self, now_utc_ms: int) -> None:
        """Count down what is counting; only rows whose words change are announced."""
        self.setting = replace(self.setting, now_utc_ms=now_utc_ms)
        self._say_anew([n for n, item in enumerate(self._rows) if _is_counting(item)])

    def number_of_message(self, message_id: MessageId) -> int:
        """Return the number of a message's row, -1 when it is not in the window."""
        return self.number_of(("m", message_id))

    def words_at(self, number: int) -> BubbleWords | None:
        """Return what the bubble of that number says; None for separators and beyond the end."""
        item = self.row_at(number)
        if item is None or item.row is None or item.kind is not ItemKind.BUBBLE:
            return None
        message_id = item.row.message.message_id
        known = self._words.get(message_id)
        if known is None or known[0] is not item.row:
            known = (item.row, bubble_words(item.row, self.setting))
            self._words[message_id] = known
        return known[1]

    def _say_anew(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            row = self._rows[number].row
            if row is None:
                continue
            before = self._words.get(row.message.message_id)
            fresh = bubble_words(row, self.setting)
            if before is None or fresh != before[1]:
                self._words[row.message.message_id] = (row, fresh)
                self.touch(number, number)

    def _accessible(self, item: TimelineItem) -> str:
        return accessible_words(item.row, self.setting) if item.row is not None else item.words

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        item = self.row_at(index.row()) if index.isValid() else None
        if item is None:
            return None
        if role == TimelineRole.ITEM:
            return item
        if role == TimelineRole.WORDS:
            return self.words_at(index.row())
        if role == TimelineRole.MESSAGE_ID:
            return item.message_id()
        if role == Qt.ItemDataRole.DisplayRole:
            return item.row.message.text if item.row is not None else item.words
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._accessible(item)
        return None


def _is_counting(item: TimelineItem) -> bool:
    entry = item.row.outbox if item.row is not None else None
    return entry is not None and entry.state is OutboxState.UNDO


def _is_waiting(item: TimelineItem) -> bool:
    entry = item.row.outbox if item.row is not None else None
    return entry is not None and entry.state in (OutboxState.QUEUED, OutboxState.SENDING)
