"""Reads the employee's own book as policy needs it: who is known by which name, in which chat.

It never writes, and it reads no more of a contact than that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec
from sqlalchemy import TextClause, text

from app.store.databases import Databases, ReadView
from contract.policy.own_book import BookChat, BookPerson

T = TypeVar("T")

# In pieces of some milliseconds: a search the user waits for goes in between.
_ROWS_PER_READ = 500
_PEOPLE = text(
    "SELECT row_id, payload FROM contacts WHERE row_id > :after ORDER BY row_id LIMIT :limit"
)
_CHATS = text(
    "SELECT row_id, payload FROM conversations WHERE row_id > :after AND listed = 1"
    " AND payload IS NOT NULL ORDER BY row_id LIMIT :limit"
)


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
    """The whole book, piece by piece, in no order."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    async def read(self) -> tuple[list[BookPerson], list[BookChat]]:
        """Return every client of the book, and every chat with one that is no group.

        What is written meanwhile may be in it or not: the change set of that commit tells.
        """
        people = await self._all(_PEOPLE, _decode_person)
        chats = await self._all(_CHATS, _decode_chat)
        return (
            [BookPerson(one.contact_id, one.display_name, one.organisation) for one in people],
            [
                BookChat(contact_id, chat.conversation_id)
                for chat in chats
                if not chat.group
                for contact_id in chat.contact_ids
            ],
        )

    async def _all(self, statement: TextClause, decode: Callable[[bytes], T]) -> list[T]:
        found: list[T] = []
        after: int | None = 0

        def work(view: ReadView, after: int) -> tuple[list[T], int | None]:
            bound = {"after": after, "limit": _ROWS_PER_READ}
            rows = view.cache.execute(statement, bound).all()
            last = int(rows[-1][0]) if len(rows) == _ROWS_PER_READ else None
            return [decode(row[1]) for row in rows], last

        while after is not None:
            piece, after = await self._databases.read(partial(work, after=after))
            found += piece
        return found
