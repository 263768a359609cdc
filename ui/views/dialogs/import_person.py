"""Asks who a name of an imported chat is: a client of the book, oneself, or nobody known.

It never proposes an answer: the row in front is the one that names nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from app.domain.imports import Person, Who
from contract.wire import Contact
from ui.models.import_people import UNIDENTIFIED
from ui.models.people_model import channels_of
from ui.theme.tokens import Tokens
from ui.views.choice_list import ChoiceList
from ui.views.dialogs.plain_dialog import PlainDialog

SIZE_PX = (560, 520)
_NEW = 2  # the row of a new client, behind nobody known and oneself
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
        self._people = people = ChoiceList("Find a client", "People to choose from", tokens)
        self.field = people.field
        self.fields.addWidget(people, 1)
        self.add_button("Cancel", "secondary", accepts=False)
        self._choose = self.add_button("Choose", "primary", accepts=True)
        people.add(UNIDENTIFIED, "Unidentified participant", "kept without a name of the book")
        people.add(Person(Who.ME, name=me), f"Me ({me})" if me else "Me", "you")
        people.add(*_new_client(name))
        for contact in book:
            person = Person(Who.CLIENT, contact.contact_id, contact.display_name)
            place = contact.organisation or channels_of(contact)
            people.add(person, contact.display_name, place)
        people.typed.connect(self._narrow)
        people.current_changed.connect(self._show)
        people.activated.connect(self.accept)
        self._narrow("")
        people.set_current(0)
        self.field.setFocus()

    def chosen(self) -> Person | None:
        """Return who was chosen, None while nobody is."""
        person = self._people.value()
        return person if isinstance(person, Person) else None

    def _narrow(self, typed: str) -> None:
        people, words = self._people, typed.casefold().split()
        shown = [number for number in range(_NEW + 1, people.count()) if people.fits(number, words)]
        # Where nobody has these words, they may be a new client's name.
        name = "" if shown else typed.strip()
        people.become(_NEW, *_new_client(name or self._name))
        found = bool(shown)
        shown = [number for number in range(_NEW + 1) if people.fits(number, words)] + shown
        if people.current() not in shown:
            # Nobody becomes a new client by typing alone: that row has to be chosen.
            known = [number for number in shown if number != _NEW]
            people.set_current(known[0] if known else -1)
        people.say("" if found or not words else _NO_MATCH)
        self._show()

    def _show(self) -> None:
        self._choose.setEnabled(self.chosen() is not None)


def _new_client(name: str) -> tuple[Person, str, str]:
    """Return the row of a new client of that name."""
    return Person(Who.NEW_CLIENT, name=name), "A new client", f"added to your book as “{name}”"
