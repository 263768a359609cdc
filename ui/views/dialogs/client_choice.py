"""The list of clients to choose from: narrowed by words, ticked one by one or all that are shown.

It never decides who may be written to.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ui.delegates.choice_delegate import END_ROLE, NAME_ROLE
from ui.models.broadcast_lines import ClientChat
from ui.theme.tokens import Tokens
from ui.theme.tool_tips import plain_tip
from ui.theme.widgets import button, label
from ui.views.choice_list import choice_rows, find_field

_ROLE = Qt.ItemDataRole.UserRole
_NOBODY = "No chat with a single client is here yet. They come with the first messages."
_NO_MATCH = "No client has these words in the name."


class ClientChoice(QWidget):
    """`changed` tells that other clients are ticked; hidden ones stay ticked."""

    changed = Signal()

    def __init__(
        self, chats: Sequence[ClientChat], tokens: Tokens, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._order = {chat.conversation_id: place for place, chat in enumerate(chats)}
        self._ticked: set[str] = set()
        self._shown = len(chats)
        self._build(tokens)
        for chat in chats:
            self.list.addItem(_item(chat))
        self.list.itemChanged.connect(self._on_item_changed)
        self._say()

    def ticked(self) -> list[str]:
        """Return the conversation ids chosen, in the list's order."""
        return sorted(self._ticked, key=self._order.__getitem__)

    def count(self) -> int:
        """Return how many are chosen."""
        return len(self._ticked)

    def tick(self, conversation_ids: Collection[str]) -> None:
        """Tick those of the chats that are in the list."""
        self._set(True, lambda item: item.data(_ROLE) in conversation_ids)

    def set_locked(self) -> None:
        """Let nobody be added or taken away any more."""
        for widget in (self.list, self._all, self._none):
            widget.setEnabled(False)

    def _build(self, tokens: Tokens) -> None:
        self.field = find_field("Find a client")
        self.field.textChanged.connect(self._narrow)
        self._chosen = label("", "secondary")
        self._all = button("Choose all shown", "link")
        self._all.clicked.connect(lambda: self._set(True, _is_shown))
        self._none = button("Clear", "link", "Clear the choice")
        self._none.clicked.connect(lambda: self._set(False, lambda _: True))
        row = QHBoxLayout()
        row.addWidget(self._chosen)
        row.addStretch(1)
        row.addWidget(self._all)
        row.addWidget(self._none)
        self.list = choice_rows("Clients", tokens)
        self.list.setUniformItemSizes(True)
        self._empty = label("", "secondary")
        self._empty.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for part in (self.field, self._empty):
            column.addWidget(part)
        column.insertLayout(0, row)
        column.addWidget(self.list, 1)

    def _set(self, on: bool, takes: Callable[[QListWidgetItem], bool]) -> None:
        """Tick or clear the rows that `takes` is true of, and tell of it once."""
        before = set(self._ticked)
        state = Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
        self.list.blockSignals(True)
        for number in range(self.list.count()):
            item = self.list.item(number)
            if takes(item):
                item.setCheckState(state)
                self._note(item)
        self.list.blockSignals(False)
        self.list.viewport().update()
        self._say()
        if self._ticked != before:
            self.changed.emit()

    def _note(self, item: QListWidgetItem) -> None:
        conversation_id = str(item.data(_ROLE))
        if item.checkState() is Qt.CheckState.Checked:
            self._ticked.add(conversation_id)
        else:
            self._ticked.discard(conversation_id)

    def _on_item_changed(self, item: QListWidgetItem) -> None:
        self._note(item)
        self._say()
        self.changed.emit()

    def _narrow(self, typed: str) -> None:
        words = typed.casefold().split()
        self._shown = 0
        for number in range(self.list.count()):
            item = self.list.item(number)
            found = all(word in item.text().casefold() for word in words)
            item.setHidden(not found)
            self._shown += found
        self._say()

    def _say(self) -> None:
        count = len(self._ticked)
        self._chosen.setText(f"{count} {'client' if count == 1 else 'clients'} chosen")
        self._all.setEnabled(self._shown > 0)
        self._none.setEnabled(bool(self._ticked))
        self._empty.setText(_NO_MATCH if self.list.count() else _NOBODY)
        self._empty.setVisible(self._shown == 0)


def _is_shown(item: QListWidgetItem) -> bool:
    return not item.isHidden()


def _item(chat: ClientChat) -> QListWidgetItem:
    item = QListWidgetItem(chat.words)
    item.setData(_ROLE, chat.conversation_id)
    item.setData(NAME_ROLE, chat.title)
    item.setData(END_ROLE, chat.channel)
    item.setToolTip(plain_tip(chat.words))
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
    item.setCheckState(Qt.CheckState.Unchecked)
    return item
