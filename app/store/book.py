"""Reads the employee's own book as policy needs it: who is known by which name, in which chat.

It never writes, and it reads no more of a contact than that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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

    async def read(self) -> tuple[list[BookPerson], list[BookChat], frozenset[str]]:
        """Return every client of the book, every chat with one that is no group, all chats' ids.

        What is written meanwhile may be in it or not: the change set of that commit tells.
        """
        people = await self._all(_PEOPLE, _people)
        chats = await self._all(_CHATS, _chats)
        one_to_one = [one for _, pairs in chats for one in pairs]
        return people, one_to_one, frozenset(conversation_id for conversation_id, _ in chats)

    async def _all(
        self, statement: TextClause, made: Callable[[Iterable[bytes]], list[T]]
    ) -> list[T]:
        found: list[T] = []
        after: int | None = 0

        def work(view: ReadView, after: int) -> tuple[list[T], int | None]:
            bound = {"after": after, "limit": _ROWS_PER_READ}
            rows = view.cache.execute(statement, bound).all()
            last = int(rows[-1][0]) if len(rows) == _ROWS_PER_READ else None
            return made(row[1] for row in rows), last

        while after is not None:
            piece, after = await self._databases.read(partial(work, after=after))
            found += piece
        return found


# Both are run on the reader's thread: ten thousand values made at once would hold the window.
def _people(payloads: Iterable[bytes]) -> list[BookPerson]:
    people = map(_decode_person, payloads)
    return [BookPerson(one.contact_id, one.display_name, one.organisation) for one in people]


def _chats(payloads: Iterable[bytes]) -> list[tuple[str, tuple[BookChat, ...]]]:
    """Return each chat's id with its pairs of client and chat, none for a group."""
    found = []
    for chat in map(_decode_chat, payloads):
        pairs = (BookChat(one, chat.conversation_id) for one in chat.contact_ids)
        found.append((chat.conversation_id, () if chat.group else tuple(pairs)))
    return found
