"""Owns how the facts of an employee's own book come from the values both sides hold.

It never looks anything up, and it knows no client beyond the book it is given.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from contract.policy.book import BookFacts, BookName, compile_book
from contract.policy.model import AccountFacts
from contract.supervision import AccountKeys


class BookPerson(NamedTuple):
    """A client of the book as both sides know them; the organisation may be empty."""

    contact_id: str
    display_name: str
    organisation: str


class BookChat(NamedTuple):
    """A client's own chat, which is no group."""

    contact_id: str
    conversation_id: str


def book_facts(people: Iterable[BookPerson], chats: Iterable[BookChat]) -> BookFacts:
    """Return the names and companies of a book, each with every chat of whoever bears it.

    A client without a chat has an empty conversation_id. The version is 0: the digest tells.
    """
    chats_of: dict[str, list[str]] = {}
    for chat in chats:
        chats_of.setdefault(chat.contact_id, []).append(chat.conversation_id)
    return compile_book(
        0,
        [
            BookName(name=name, contact_id=person.contact_id, conversation_id=conversation_id)
            for person in people
            for name in (person.display_name, person.organisation)
            if name.strip()
            for conversation_id in chats_of.get(person.contact_id, [""])
        ],
    )


def account_facts(keys: AccountKeys, conversation_id: str) -> AccountFacts:
    """Return what the keyed hashes of the book say in one conversation.

    Its own clients' hashes are theirs in every other chat, too.
    """
    own = frozenset(keys.hashes.get(conversation_id, ()))
    others = sorted(
        (account, elsewhere)
        for elsewhere, accounts in keys.hashes.items()
        if elsewhere != conversation_id
        for account in accounts
        if account not in own
    )
    return AccountFacts(version=keys.version, key=keys.key, client_hashes=own, book=tuple(others))
