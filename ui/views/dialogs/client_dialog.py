"""Asks which client of the own book an unknown sender is.

It never proposes an answer: somebody has to be chosen.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from contract.wire import Contact
from ui.models.people_model import channels_of
from ui.theme.tokens import Tokens
from ui.views.choice_list import ChoiceList
from ui.views.dialogs.plain_dialog import PlainDialog

SIZE_PX = (560, 480)
_SAID = (
    "The sender’s address becomes this client’s, and the conversation takes their name, once you "
    "take it over or assign it. The archive keeps who decided so."
)
_NO_MATCH = "No client of your book has these words."
_NOBODY = "Nobody is in your book yet."


class ClientDialog(PlainDialog):
    """Words narrow the clients; arrow keys walk the list from the field, Enter chooses."""

    def __init__(
        self, sender: str, book: Sequence[Contact], tokens: Tokens, parent: QWidget | None = None
    ) -> None:
        super().__init__(f"Which client is “{sender}”?", _SAID, parent)
        self.resize(*SIZE_PX)
        self._clients = clients = ChoiceList("Find a client", "Clients of your book", tokens)
        self.field = clients.field
        self.fields.addWidget(clients, 1)
        self.add_button("Cancel", "secondary", accepts=False)
        self._choose = self.add_button("Link", "primary", accepts=True)
        for contact in book:
            place = contact.organisation or channels_of(contact)
            clients.add(contact, contact.display_name, place)
        clients.typed.connect(self._narrow)
        clients.current_changed.connect(self._show)
        clients.activated.connect(self.accept)
        self._narrow("")
        self.field.setFocus()

    def chosen(self) -> Contact | None:
        """Return who was chosen, None while nobody is."""
        contact = self._clients.value()
        return contact if isinstance(contact, Contact) else None

    def _narrow(self, typed: str) -> None:
        clients, words = self._clients, typed.casefold().split()
        shown = [number for number in range(clients.count()) if clients.fits(number, words)]
        if clients.current() not in shown or not words:
            clients.set_current(shown[0] if words and shown else -1)
        clients.say("" if shown else _NO_MATCH if clients.count() else _NOBODY)
        self._show()

    def _show(self) -> None:
        self._choose.setEnabled(self.chosen() is not None)
