"""Asks who a name of an imported chat is: a client of the book, oneself, or nobody known.

It never proposes an answer: the row in front is the one that names nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QWidget

from app.domain.imports import Person, Who
from contract.wire import Contact
from ui.delegates.choice_delegate import END_ROLE, NAME_ROLE, ChoiceDelegate
from ui.models.import_people import UNIDENTIFIED
from ui.models.people_model import channels_of
from ui.theme.overlay_scroll_bar import OverlayScrollBar
from ui.theme.tokens import Tokens
from ui.theme.tool_tips import plain_tip
from ui.theme.widgets import label, restyle
from ui.views.dialogs.plain_dialog import PlainDialog

SIZE_PX = (560, 520)
_PERSON = Qt.ItemDataRole.UserRole
_NEW = 2  # the row of a new client, behind nobody known and oneself
_STEPS = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}
_NO_MATCH = "No client of your book has these words; it may be a new one."


class ImportPersonDialog(PlainDialog):
    """Words narrow the clients; arrow keys walk the list from the field, Enter chooses.

    Where no client has these words, they may be the name of a new one.
    """

    def __init__(
        self,
        name: str,
        messages: str,
        me: str,
        book: Sequence[Contact],
        tokens: Tokens,
        parent: QWidget | None = None,
    ) -> None:
        """`messages` says how many are theirs, `me` is the signed-in person's name."""
        said = f"They wrote {messages} in this chat. Whoever is not identified is kept, too."
        super().__init__(f"Who is “{name}”?", said, parent)
        self._name = name
        self.resize(*SIZE_PX)
        self.field = QLineEdit()
        self.field.setPlaceholderText("Find a client")
        self.field.setAccessibleName("Find a client")
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(self._narrow)
        self.field.installEventFilter(self)
        self.list = self._built_list(tokens)
        self._empty = label("", "secondary")
        self._empty.setWordWrap(True)
        for part in (self.field, self._empty):
            self.fields.addWidget(part)
        self.fields.addWidget(self.list, 1)
        self.add_button("Cancel", "secondary", accepts=False)
        self._choose = self.add_button("Choose", "primary", accepts=True)
        self._add(UNIDENTIFIED, "Unidentified participant", "kept without a name of the book")
        self._add(Person(Who.ME, name=me), f"Me ({me})" if me else "Me", "you")
        new = Person(Who.NEW_CLIENT, name=name)
        self._add(new, "A new client", f"added to your book as “{name}”")
        for contact in book:
            person = Person(Who.CLIENT, contact.contact_id, contact.display_name)
            place = contact.organisation or channels_of(contact)
            self._add(person, contact.display_name, place)
        self._narrow("")
        self.list.setCurrentRow(0)
        self.field.setFocus()

    def chosen(self) -> Person | None:
        """Return who was chosen, None while nobody is."""
        row = self.list.currentRow()
        if row < 0 or self.list.item(row).isHidden():
            return None
        person = self.list.item(row).data(_PERSON)
        return person if isinstance(person, Person) else None

    def _built_list(self, tokens: Tokens) -> QListWidget:
        result = QListWidget()
        result.setAccessibleName("People to choose from")
        result.setItemDelegate(ChoiceDelegate(tokens, result))
        result.setUniformItemSizes(True)
        result.setMouseTracking(True)
        result.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        result.currentItemChanged.connect(lambda *_: self._show())
        result.itemActivated.connect(lambda _: self.accept())
        OverlayScrollBar(result)
        restyle(result, "framed", True)
        return result

    def _add(self, person: Person, name: str, end: str) -> None:
        item = QListWidgetItem(f"{name}, {end}" if end else name)
        item.setData(_PERSON, person)
        item.setData(NAME_ROLE, name)
        item.setData(END_ROLE, end)
        item.setToolTip(plain_tip(item.text()))
        self.list.addItem(item)

    def _narrow(self, typed: str) -> None:
        words = typed.casefold().split()
        shown = []
        for number in range(_NEW + 1, self.list.count()):
            if self._fits(number, words):
                shown.append(number)
        self._name_new(typed.strip() if words and not shown else "")
        shown = [number for number in range(_NEW + 1) if self._fits(number, words)] + shown
        if self.list.currentRow() not in shown:
            # Nobody becomes a new client by typing alone: that row has to be chosen.
            known = [number for number in shown if number != _NEW]
            self.list.setCurrentRow(known[0] if known else -1)
        found = any(number > _NEW for number in shown)
        self._empty.setText("" if found or not words else _NO_MATCH)
        self._empty.setVisible(not found and bool(words))
        self._show()

    def _fits(self, number: int, words: Sequence[str]) -> bool:
        """Show a row that has all these words, hide any other; tell which it was."""
        item = self.list.item(number)
        fits = all(word in item.text().casefold() for word in words)
        item.setHidden(not fits)
        return fits

    def _name_new(self, typed: str) -> None:
        """Offer a new client under what was typed, the export's name where that is nothing."""
        name = typed or self._name
        item = self.list.item(_NEW)
        item.setData(_PERSON, Person(Who.NEW_CLIENT, name=name))
        item.setData(END_ROLE, f"added to your book as “{name}”")
        item.setText(f"A new client, added to your book as “{name}”")
        item.setToolTip(plain_tip(item.text()))

    def _show(self) -> None:
        # The list tells of its first row before the button is there.
        if "_choose" in self.__dict__:
            self._choose.setEnabled(self.chosen() is not None)

    def _step(self, by: int) -> None:
        shown = [
            number for number in range(self.list.count()) if not self.list.item(number).isHidden()
        ]
        if shown:
            now = self.list.currentRow()
            place = shown.index(now) if now in shown else 0
            self.list.setCurrentRow(shown[max(0, min(len(shown) - 1, place + by))])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and isinstance(event, QKeyEvent):
            by = _STEPS.get(Qt.Key(event.key()))
            if by is not None and event.type() == QEvent.Type.KeyPress:
                self._step(by)
                return True
        return super().eventFilter(watched, event)
