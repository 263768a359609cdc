"""Reads contacts by id and by name.

It never writes.
"""

from __future__ import annotations

from contract.ids import ContactId
from contract.wire import Contact


class ContactReads:
    """The address book as the server tells it."""

    async def get(self, contact_id: ContactId) -> Contact | None:
        """Return one contact or None."""
        raise NotImplementedError

    async def page(self, after: Contact | None, limit: int) -> tuple[Contact, ...]:
        """Return at most `limit` (1–500) contacts by name after `after` (None: from the top)."""
        raise NotImplementedError
