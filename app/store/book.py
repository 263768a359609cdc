"""Reads the employee's own book as policy needs it: who is known by which name, in which chat.

It never writes, and it reads no more of a contact than that.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import text

from app.store.databases import Databases, ReadView
from contract.policy.own_book import BookChat, BookPerson

_PEOPLE = text("SELECT payload FROM contacts")
_CHATS = text("SELECT payload FROM conversations WHERE listed = 1 AND payload IS NOT NULL")


class _Person(msgspec.Struct, frozen=True):
    contact_id: str
    display_name: str
    organisation: str = ""


class _Chat(msgspec.Struct, frozen=True):
    conversation_id: str
    contact_ids: tuple[str, ...] = ()
    group: bool = False


_decode_person = msgspec.msgpack.Decoder(_Person).decode
_decode_chat = msgspec.msgpack.Decoder(_Chat).decode


class BookReads:
    """The whole book in one read, in no order."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    async def read(self) -> tuple[list[BookPerson], list[BookChat]]:
        """Return every client of the book, and every chat with one that is no group."""

        def work(view: ReadView) -> tuple[list[BookPerson], list[BookChat]]:
            people = map(_decode_person, view.cache.execute(_PEOPLE).scalars())
            chats = map(_decode_chat, view.cache.execute(_CHATS).scalars())
            return (
                [BookPerson(one.contact_id, one.display_name, one.organisation) for one in people],
                [
                    BookChat(contact_id, chat.conversation_id)
                    for chat in chats
                    if not chat.group
                    for contact_id in chat.contact_ids
                ],
            )

        return await self._databases.read(work)
