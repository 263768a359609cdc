"""Lists the contacts of the book, narrowed by what is typed.

It never reads the store; the presenter hands it contacts.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from contract.wire import Contact
from ui.models.sendability import CHANNEL_NAMES

AnyIndex = QModelIndex | QPersistentModelIndex


class PeopleRole(IntEnum):
    """The contact as a value."""

    CONTACT = Qt.ItemDataRole.UserRole + 1


class PeopleModel(QAbstractListModel):
    """Contacts in the order handed in, those that match every typed word."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: tuple[Contact, ...] = ()
        self._shown: tuple[Contact, ...] = ()
        self._words: tuple[str, ...] = ()

    def set_contacts(self, contacts: Sequence[Contact]) -> None:
        """Show other contacts."""
        self._all = tuple(contacts)
        self._narrow()

    def set_filter(self, text: str) -> None:
        """Show those whose name, organisation or city holds every word of `text`."""
        self._words = tuple(text.casefold().split())
        self._narrow()

    def contact_at(self, number: int) -> Contact | None:
        """Return a contact shown, None beyond the ends."""
        return self._shown[number] if 0 <= number < len(self._shown) else None

    def _narrow(self) -> None:
        shown = tuple(one for one in self._all if _fits(one, self._words))
        if shown == self._shown:
            return
        self.beginResetModel()
        self._shown = shown
        self.endResetModel()

    def rowCount(self, parent: AnyIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._shown)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        contact = self.contact_at(index.row()) if index.isValid() else None
        if contact is None:
            return None
        if role == PeopleRole.CONTACT:
            return contact
        if role == Qt.ItemDataRole.DisplayRole:
            return contact.display_name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            parts = (contact.display_name, contact.organisation, channels_of(contact))
            return ", ".join(part for part in parts if part)
        return None


def channels_of(contact: Contact) -> str:
    """Return "WhatsApp · LINE"."""
    names = dict.fromkeys(CHANNEL_NAMES[point.channel] for point in contact.points)
    return " · ".join(names)


def _fits(contact: Contact, words: tuple[str, ...]) -> bool:
    hay = f"{contact.display_name} {contact.organisation} {contact.city}".casefold()
    return all(word in hay for word in words)
