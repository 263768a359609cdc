"""A field that narrows a list of names: words narrow, arrow keys walk from the field.

It never chooses anything by itself, and knows nothing of what its rows stand for.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from ui.delegates.choice_delegate import END_ROLE, NAME_ROLE, ChoiceDelegate
from ui.theme.overlay_scroll_bar import OverlayScrollBar
from ui.theme.tokens import Tokens
from ui.theme.tool_tips import plain_tip
from ui.theme.widgets import label, restyle

_VALUE = Qt.ItemDataRole.UserRole
_STEPS = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}


def find_field(asked: str, named: str = "") -> QLineEdit:
    """Return a field for words that narrow a list; `named` is its accessible name, else `asked`."""
    result = QLineEdit()
    result.setPlaceholderText(asked)
    result.setAccessibleName(named or asked)
    result.setClearButtonEnabled(True)
    return result


def choice_rows(listed: str, tokens: Tokens) -> QListWidget:
    """Return a framed list of names with what each is at its row's end (ChoiceDelegate's roles)."""
    result = QListWidget()
    result.setAccessibleName(listed)
    result.setItemDelegate(ChoiceDelegate(tokens, result))
    result.setMouseTracking(True)
    result.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    OverlayScrollBar(result)
    restyle(result, "framed", True)
    return result


class ChoiceList(QWidget):
    """`typed` carries the field's text, `current_changed` tells of another row in front.

    `activated` tells that a row was chosen with Enter or a double click.
    """

    typed = Signal(str)
    current_changed = Signal()
    activated = Signal()

    def __init__(
        self, asked: str, listed: str, tokens: Tokens, parent: QWidget | None = None
    ) -> None:
        """`asked` and `listed` are how screen readers call the field and the list."""
        super().__init__(parent)
        self.field = find_field(asked)
        self.field.textChanged.connect(self.typed)
        self.field.installEventFilter(self)
        self._said = label("", "secondary")
        self._said.setWordWrap(True)
        self._said.hide()
        self._list = choice_rows(listed, tokens)
        self._list.setUniformItemSizes(True)
        self._list.currentItemChanged.connect(lambda *_: self.current_changed.emit())
        self._list.itemActivated.connect(lambda _: self.activated.emit())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for part in (self.field, self._said):
            column.addWidget(part)
        column.addWidget(self._list, 1)

    def count(self) -> int:
        """Return how many rows there are, hidden ones too."""
        return self._list.count()

    def add(self, value: object, name: str, end: str) -> None:
        """Add a row that stands for `value`: its name, and at the row's end what it is."""
        self._list.addItem(QListWidgetItem())
        self.become(self.count() - 1, value, name, end)

    def become(self, number: int, value: object, name: str, end: str) -> None:
        """Have a row stand for something else."""
        item = self._list.item(number)
        item.setText(f"{name}, {end}" if end else name)
        item.setData(_VALUE, value)
        item.setData(NAME_ROLE, name)
        item.setData(END_ROLE, end)
        item.setToolTip(plain_tip(item.text()))

    def fits(self, number: int, words: Sequence[str]) -> bool:
        """Show a row that has all these case-folded words, hide any other; tell which it was."""
        item = self._list.item(number)
        found = all(word in item.text().casefold() for word in words)
        item.setHidden(not found)
        return found

    def current(self) -> int:
        """Return the number of the row in front, -1 without one."""
        return self._list.currentRow()

    def set_current(self, number: int) -> None:
        """Put a row in front, -1 for none."""
        self._list.setCurrentRow(number)

    def value(self) -> object:
        """Return what the row in front stands for, None while none is shown there."""
        row = self._list.currentRow()
        if row < 0 or self._list.item(row).isHidden():
            return None
        return self._list.item(row).data(_VALUE)

    def say(self, words: str) -> None:
        """Say something above the list; "" says nothing."""
        self._said.setText(words)
        self._said.setVisible(bool(words))

    def _step(self, by: int) -> None:
        shown = [n for n in range(self.count()) if not self._list.item(n).isHidden()]
        if shown:
            now = self._list.currentRow()
            # Without a row in front, the first step leads to an end of the list.
            end = 0 if by > 0 else len(shown) - 1
            place = shown.index(now) + by if now in shown else end
            self._list.setCurrentRow(shown[max(0, min(len(shown) - 1, place))])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and isinstance(event, QKeyEvent):
            by = _STEPS.get(Qt.Key(event.key()))
            if by is not None and event.type() == QEvent.Type.KeyPress:
                self._step(by)
                return True
        return super().eventFilter(watched, event)
