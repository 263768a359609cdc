"""The step People of the import page: whom the names stand for, how days and times are meant.

It never says who somebody is: it shows what was said and asks.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QCompleter,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QRadioButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from contract.imports.day_order import DayOrder
from ui.models.import_people import PersonLine
from ui.models.import_state import ImportState
from ui.models.import_words import DateWords
from ui.theme.tokens import Tokens
from ui.theme.widgets import ElidedLabel, button, hairline, label
from ui.views.pages.import_parts import card, wrapped
from ui.views.pages.settings import ChoiceBox
from ui.views.tab_order import focus_by_name, focused_name, join_tab_order

_NAME_PX = 160
_ROW_PX = 56


class PeopleCard(QFrame):
    """A row for each name: the name, whom it stands for, Confirm where that is only likely."""

    confirm_requested = Signal(str)
    change_requested = Signal(str)

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", True)
        self.setAccessibleName("People of this chat")
        self._tokens = tokens
        self._lines: tuple[PersonLine, ...] = ()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(1, 6, 1, 6)
        self._column.setSpacing(0)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        self._build()

    def show_lines(self, lines: Sequence[PersonLine]) -> None:
        """Show these names."""
        if tuple(lines) != self._lines:
            self._lines = tuple(lines)
            self._build()

    def _build(self) -> None:
        focused = focused_name(self)
        while (item := self._column.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for number, line in enumerate(self._lines):
            if number:
                self._column.addWidget(hairline())
            row = self._row(line)
            self._column.addWidget(row)
            row.show()
        join_tab_order(self)
        # A confirmed row has only Change… left: the keyboard stays with that name.
        focus_by_name(self, focused.replace("Confirm ", "Change ", 1))
        focus_by_name(self, focused)

    def _row(self, line: PersonLine) -> QWidget:
        row = QWidget()
        row.setMinimumHeight(_ROW_PX)
        row.setAccessibleName(line.spoken)
        inside = QHBoxLayout(row)
        inside.setContentsMargins(19, 0, 19, 0)
        inside.setSpacing(12)
        name = ElidedLabel(line.name, "strong")
        name.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        name.setFixedWidth(max(_NAME_PX, name.fontMetrics().averageCharWidth() * 20))
        arrow = label("→", "secondary")
        arrow.setAccessibleName("stands for")
        words = wrapped(line.words)
        if line.tone == "warn":
            words.setStyleSheet(f"color: {self._tokens.warn};")
        inside.addWidget(name)
        inside.addWidget(arrow)
        inside.addWidget(words, 1)
        if line.asks:
            confirm = button("Confirm", "secondary", f"Confirm {line.name}")
            confirm.setAccessibleDescription(line.words)
            confirm.clicked.connect(lambda: self.confirm_requested.emit(line.name))
            inside.addWidget(confirm)
        change = button("Change…", "secondary", f"Change {line.name}")
        change.setAccessibleDescription(line.words)
        change.clicked.connect(lambda: self.change_requested.emit(line.name))
        inside.addWidget(change)
        return row


class ZoneBox(ChoiceBox):
    """All time zones, found by any part of their name."""

    zone_chosen = Signal(str)

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__("Time zone of the phone", tokens.ink2, parent)
        self._zone = ""
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setMinimumWidth(240)
        completer = QCompleter(self.model(), self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        completer.activated.connect(self._take)
        self.setCompleter(completer)
        field = self.lineEdit()
        assert field is not None, "an editable box has a field"
        field.setAccessibleName("Time zone of the phone")
        field.editingFinished.connect(lambda: self._take(self.currentText()))
        self.activated.connect(lambda _: self._take(self.currentText()))

    def set_zones(self, zones: Sequence[str]) -> None:
        """Offer these zones; the first call counts."""
        if self.count() == 0:
            self.addItems(list(zones))
            self.show_zone(self._zone)

    def show_zone(self, zone: str) -> None:
        """Show a zone as chosen."""
        self._zone = zone
        number = self.findText(zone)
        if number >= 0:
            self.setCurrentIndex(number)
        self.setEditText(zone)

    def _take(self, zone: str) -> None:
        if zone == self._zone:
            return
        if self.findText(zone) < 0:
            self.setEditText(self._zone)  # no such zone: what held goes on to hold
            return
        self._zone = zone
        self.zone_chosen.emit(zone)


class DatesCard(QFrame):
    """Says how dates were read, asks where that is not sure, and asks for the time zone."""

    order_chosen = Signal(object)

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", True)
        self.setAccessibleName("Day and month")
        self.zones = ZoneBox(tokens)
        self._line = wrapped("", "secondary")
        self._choices = QVBoxLayout()
        self._choices.setSpacing(6)
        self._group: QButtonGroup | None = None
        self._shown: DateWords | None = None
        self._zone_words = label("Time zone of the phone:", "secondary")
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 16)
        column.setSpacing(8)
        column.addWidget(label("Day and month", "strong"))
        column.addWidget(self._line)
        column.addLayout(self._choices)
        column.addWidget(self._zone_words)
        column.addWidget(self.zones, 0, Qt.AlignmentFlag.AlignLeft)

    def show_state(self, state: ImportState) -> None:
        """Show what there is to say and to ask; nothing to ask hides the card."""
        self.setVisible(state.dates is not None)
        if state.dates is None:
            return
        self._line.setText(state.dates.line)
        self.zones.show_zone(state.zone)
        self._zone_words.setVisible(bool(state.dates.choices))
        if state.dates != self._shown:
            self._shown = state.dates
            self._build(state.dates)
        self._check(state.order)

    def _build(self, dates: DateWords) -> None:
        while (item := self._choices.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self._group = QButtonGroup(self)
        for order, words in dates.choices:
            one = QRadioButton(words)
            one.setAccessibleName(words)
            one.setProperty("order", order.value)
            one.clicked.connect(lambda _=False, order=order: self.order_chosen.emit(order))
            self._group.addButton(one)
            self._choices.addWidget(one)
        join_tab_order(self)
        if buttons := self._group.buttons():
            QWidget.setTabOrder(buttons[-1], self.zones)

    def _check(self, order: DayOrder | None) -> None:
        for one in () if self._group is None else self._group.buttons():
            if order is not None and one.property("order") == order.value:
                one.setChecked(True)


class PeopleStep(QWidget):
    """Which chat, who is in it, how its days are meant."""

    chat_chosen = Signal(int)

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.people = PeopleCard(tokens)
        self.dates = DatesCard(tokens)
        self._chats = card()
        self._box = ChoiceBox("Which chat", tokens.ink2)
        self._box.activated.connect(lambda number: self.chat_chosen.emit(number - 1))
        inner = QVBoxLayout(self._chats)
        inner.setContentsMargins(18, 16, 18, 16)
        inner.setSpacing(8)
        self._chats_words = wrapped("", "secondary")
        inner.addWidget(label("Which chat", "strong"))
        inner.addWidget(self._chats_words)
        inner.addWidget(self._box, 0, Qt.AlignmentFlag.AlignLeft)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(16)
        for part in (self._chats, self.people, self.dates):
            column.addWidget(part)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self.people.set_tokens(tokens)

    def show_state(self, state: ImportState) -> None:
        """Show the chat's people and dates."""
        self._chats.setVisible(len(state.chats) > 1)
        if len(state.chats) > 1:
            self._show_chats(state)
        self.people.setVisible(bool(state.people))
        self.people.show_lines(state.people)
        self.dates.show_state(state)

    def focus_first(self) -> None:
        """Put the keyboard on what waits for a word, else on the first thing to change."""
        waiting = [one for one in self.findChildren(QPushButton) if one.text() == "Confirm"]
        first = waiting or [one for one in self.findChildren(QPushButton) if one.isVisible()]
        where: QWidget = first[0] if first else self._box
        where.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_chats(self, state: ImportState) -> None:
        titles = ("Choose a chat…", *state.chats)
        if tuple(self._box.itemText(number) for number in range(self._box.count())) != titles:
            self._box.clear()
            self._box.addItems(list(titles))
        self._box.setCurrentIndex(state.chat + 1)
        count = len(state.chats)
        self._chats_words.setText(
            f"This file holds {count} chats. Only the one you choose leaves this computer."
        )
