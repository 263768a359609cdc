"""The inbox list as Qt sees it: every conversation's place, the rows of those that were shown.

It never reads the store: the presenter hands it keys and rows, and hears which rows it lacks.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import tzinfo
from enum import IntEnum
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from app.domain.inbox import InboxKey, InboxRow
from contract.ids import ConversationId
from ui.models.inbox_words import RowWords, row_words
from ui.theme.tool_tips import plain_tip

AnyIndex = QModelIndex | QPersistentModelIndex
# Rows kept, least recently shown first to go; a long list is mostly out of sight.
KEPT_ROWS = 400
_NEIGHBOURS = 16
# Beyond this many changes at once the list is laid out anew, its place kept by the view.
_MOST_MOVES = 200


class InboxRole(IntEnum):
    """Roles beyond Qt's: the row's words for the delegate, its conversation id, its value."""

    WORDS = Qt.ItemDataRole.UserRole + 1
    CONVERSATION_ID = Qt.ItemDataRole.UserRole + 2
    ROW = Qt.ItemDataRole.UserRole + 3


class InboxModel(QAbstractListModel):
    """Keys newest first; a row that is not loaded has no words and is told by `lacking`.

    `changing` and `changed` stand around each change of places; `changed` carries the
    conversations that moved by themselves.
    """

    lacking = Signal()
    changing = Signal()
    changed = Signal(object)

    def __init__(
        self, now_utc_ms: int = 0, zone: tzinfo | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._now_utc_ms = now_utc_ms
        self._zone = zone
        self._order: list[InboxKey] = []
        self._keys: dict[ConversationId, InboxKey] = {}
        self._rows: OrderedDict[ConversationId, tuple[InboxRow, RowWords | None]] = OrderedDict()
        self._lacking: dict[ConversationId, None] = {}

    # -- what is there -------------------------------------------------------------------------

    def rows(self) -> list[InboxRow]:
        """Return the loaded rows in the list's order."""
        return [self._rows[key[1]][0] for key in self._order if key[1] in self._rows]

    def keys(self) -> Mapping[ConversationId, InboxKey]:
        """Return every conversation in the list with its place."""
        return self._keys

    def row_at(self, number: int) -> InboxRow | None:
        """Return the row of that number, None when it is not loaded or there is none."""
        known = self._rows.get(self._order[number][1]) if 0 <= number < len(self._order) else None
        return None if known is None else known[0]

    def number_of(self, conversation_id: ConversationId) -> int:
        """Return the number of a conversation's row, -1 when it is not in the list."""
        key = self._keys.get(conversation_id)
        return -1 if key is None else self._place_of(key)

    def words_at(self, number: int) -> RowWords | None:
        """Return what the row of that number says; None beyond the ends and before it is loaded."""
        if not 0 <= number < len(self._order):
            return None
        conversation_id = self._order[number][1]
        known = self._rows.get(conversation_id)
        if known is None:
            self._ask_for(conversation_id)
            return None
        self._rows.move_to_end(conversation_id)
        if known[1] is None:
            known = (known[0], row_words(known[0], self._now_utc_ms, self._zone))
            self._rows[conversation_id] = known
        return known[1]

    def take_lacking(self, most: int) -> tuple[ConversationId, ...]:
        """Return what was asked for last, with neighbours, none of it loaded; at most so many."""
        asked = [one for one in self._lacking if one in self._keys and one not in self._rows]
        self._lacking.clear()
        asked = asked[-most:]
        if not asked:
            return ()
        # Their neighbours are likely to show next.
        numbers = [self.number_of(one) for one in asked]
        around = range(min(numbers) - _NEIGHBOURS, max(numbers) + _NEIGHBOURS + 1)
        near = [self._order[n][1] for n in around if 0 <= n < len(self._order)]
        return tuple(dict.fromkeys((*asked, *(one for one in near if one not in self._rows))))[
            :most
        ]

    def shown(self, most: int) -> tuple[ConversationId, ...]:
        """Return the conversations whose rows were shown last, at most so many."""
        return tuple(self._rows)[-most:]

    # -- what changes --------------------------------------------------------------------------

    def list_keys(self, keys: Iterable[InboxKey], *, anew: bool = False) -> None:
        """Hold just these conversations; `anew` begins another list, without its rows."""
        target = {key[1]: key for key in keys}
        if anew:
            self._rows.clear()
            self._lacking.clear()
            self._renew(target)
            return
        differing: dict[ConversationId, InboxKey | None] = {
            one: key for one, key in target.items() if self._keys.get(one) != key
        }
        differing |= {one: None for one in self._keys if one not in target}
        self._rearrange(differing)

    def put(self, rows: Iterable[InboxRow], gone: Collection[ConversationId] = ()) -> None:
        """Take rows as they are now, each to its place; `gone` leave the list."""
        changed: list[ConversationId] = []
        places: dict[ConversationId, InboxKey | None] = dict.fromkeys(gone)
        for row in rows:
            key = key_of(row)
            known = self._rows.get(key.conversation_id)
            if known is None or known[0] != row:
                self._rows[key.conversation_id] = (row, None)
                changed.append(key.conversation_id)
            self._rows.move_to_end(key.conversation_id)
            places[key.conversation_id] = key
        self._rearrange({one: key for one, key in places.items() if self._keys.get(one) != key})
        self._announce(changed)
        while len(self._rows) > KEPT_ROWS:
            self._rows.popitem(last=False)

    def forget_others(self, kept: Collection[ConversationId]) -> None:
        """Forget every other row: it may have changed since it was read."""
        wanted = frozenset(kept)
        for conversation_id in [one for one in self._rows if one not in wanted]:
            del self._rows[conversation_id]

    def set_rows(self, target: Sequence[InboxRow]) -> None:
        """Show just `target`, sorted."""
        self.list_keys(map(key_of, target))
        self.put(target)

    def set_now(self, now_utc_ms: int) -> None:
        """Say times and spans anew as seen at `now_utc_ms`; only changed rows are announced."""
        self._now_utc_ms = now_utc_ms
        changed = []
        for conversation_id, (row, words) in self._rows.items():
            if words is None:
                continue
            fresh = row_words(row, now_utc_ms, self._zone)
            if fresh != words:
                self._rows[conversation_id] = (row, fresh)
                changed.append(conversation_id)
        self._announce(changed)

    # -- places --------------------------------------------------------------------------------

    def _place_of(self, key: InboxKey) -> int:
        """Return where a key stands or would stand: before the first that is not newer."""
        low, high = 0, len(self._order)
        while low < high:
            middle = (low + high) // 2
            if self._order[middle] > key:
                low = middle + 1
            else:
                high = middle
        return low

    def _rearrange(self, places: Mapping[ConversationId, InboxKey | None]) -> None:
        if not places:
            return
        if self._is_tail(places):
            self._append([key for key in places.values() if key is not None])
            return
        if len(places) > _MOST_MOVES:
            target = {**self._keys, **places}
            self._renew({one: key for one, key in target.items() if key is not None})
            return
        self.changing.emit()
        for conversation_id, key in places.items():
            self._bring(conversation_id, key)
        self.changed.emit(frozenset(places))

    def _is_tail(self, places: Mapping[ConversationId, InboxKey | None]) -> bool:
        last = self._order[-1] if self._order else None
        return all(
            key is not None and one not in self._keys and (last is None or key < last)
            for one, key in places.items()
        )

    def _append(self, keys: list[InboxKey]) -> None:
        self.changing.emit()
        first = len(self._order)
        self.beginInsertRows(QModelIndex(), first, first + len(keys) - 1)
        self._order += sorted(keys, reverse=True)
        self._keys |= {key[1]: key for key in keys}
        self.endInsertRows()
        self.changed.emit(frozenset())

    def _bring(self, conversation_id: ConversationId, key: InboxKey | None) -> None:
        """Bring one conversation to its place, into the list, or (None) out of it."""
        old = self._keys.get(conversation_id)
        if old is None and key is not None:
            number = self._place_of(key)
            self.beginInsertRows(QModelIndex(), number, number)
            self._order.insert(number, key)
            self._keys[conversation_id] = key
            self.endInsertRows()
        elif old is not None and key is None:
            number = self._place_of(old)
            self.beginRemoveRows(QModelIndex(), number, number)
            del self._order[number], self._keys[conversation_id]
            self._rows.pop(conversation_id, None)
            self.endRemoveRows()
        elif old is not None and key is not None:
            self._move(self._place_of(old), key)

    def _move(self, source: int, key: InboxKey) -> None:
        before = self._place_of(key)
        target = before - 1 if before > source else before
        if target != source:
            self.beginMoveRows(QModelIndex(), source, source, QModelIndex(), before)
        del self._order[source]
        self._order.insert(target, key)
        self._keys[key.conversation_id] = key
        if target != source:
            self.endMoveRows()

    def _renew(self, target: Mapping[ConversationId, InboxKey]) -> None:
        self.changing.emit()
        self.beginResetModel()
        self._keys = dict(target)
        self._order = sorted(target.values(), reverse=True)
        for conversation_id in [one for one in self._rows if one not in self._keys]:
            del self._rows[conversation_id]
        self.endResetModel()
        self.changed.emit(frozenset())

    def _announce(self, conversations: Collection[ConversationId]) -> None:
        for conversation_id in conversations:
            number = self.number_of(conversation_id)
            if number >= 0:
                self.dataChanged.emit(self.index(number), self.index(number), [])

    def _ask_for(self, conversation_id: ConversationId) -> None:
        if not self._lacking:
            self.lacking.emit()
        self._lacking.pop(conversation_id, None)
        self._lacking[conversation_id] = None

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._order)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        number = index.row()
        if not index.isValid() or not 0 <= number < len(self._order):
            return None
        if role == InboxRole.CONVERSATION_ID:
            return self._order[number][1]
        if role == InboxRole.WORDS:
            return self.words_at(number)
        if role == InboxRole.ROW:
            return self.row_at(number)
        if role == Qt.ItemDataRole.DisplayRole:
            row = self.row_at(number)
            return None if row is None else row.conversation.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            words = self.words_at(number)
            return "Being loaded" if words is None else words.accessible
        if role == Qt.ItemDataRole.ToolTipRole:
            words = self.words_at(number)
            return None if words is None else plain_tip(words.title)
        return None


def key_of(row: InboxRow) -> InboxKey:
    """Return a row's place in the list."""
    talk = row.conversation
    return InboxKey(talk.last_activity_utc_ms, talk.conversation_id)
