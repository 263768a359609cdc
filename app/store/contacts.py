"""Reads contacts by id and by name.

It never writes.
"""

from __future__ import annotations

from sqlalchemy import text

from app.store.apply_people import name_key
from app.store.databases import Databases, ReadView
from app.store.payloads import decode_contact
from contract.ids import ContactId
from contract.wire import MAX_PAGE, Contact

_ONE = text("SELECT payload FROM contacts WHERE contact_id = :id")
_PAGE = text(
    "SELECT payload FROM contacts WHERE (name_key, contact_id) > (:name, :id)"
    " ORDER BY name_key, contact_id LIMIT :limit"
)


class ContactReads:
    """The address book as the server tells it."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    async def get(self, contact_id: ContactId) -> Contact | None:
        """Return one contact or None."""
        payload = await self._databases.read(
            lambda view: view.cache.execute(_ONE, {"id": contact_id}).scalar()
        )
        return None if payload is None else decode_contact(payload)

    async def page(self, after: Contact | None, limit: int) -> tuple[Contact, ...]:
        """Return at most `limit` (1–500) contacts by name after `after` (None: from the top)."""
        values = {"name": "", "id": "", "limit": min(limit, MAX_PAGE)}
        if after is not None:
            values |= {"name": name_key(after), "id": after.contact_id}

        def work(view: ReadView) -> tuple[Contact, ...]:
            return tuple(map(decode_contact, view.cache.execute(_PAGE, values).scalars()))

        return await self._databases.read(work)

    async def every(self) -> tuple[Contact, ...]:
        """Return the whole book by name, read page by page."""
        found: list[Contact] = []
        while True:
            page = await self.page(found[-1] if found else None, MAX_PAGE)
            found += page
            if len(page) < MAX_PAGE:
                return tuple(found)
