"""Owns what speaks for a name of an export being a client, or the person signed in.

It never takes a likeness for a fact: what it returns waits for a person's confirmation.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from app.domain.imports import Person, Suggestion, Who
from contract.imports.model import ImportedChat
from contract.wire import Contact, Me

_SAME, _LIKE, _TITLE = "Same name", "Name fits", "Saved on the phone as"


def suggestions(
    chat: ImportedChat, me: Me | None, book: Sequence[Contact]
) -> dict[str, Suggestion]:
    """Return for each of the chat's names whom it may stand for; a name with no or several
    likenesses has none."""
    names = {contact: _words(contact.display_name) for contact in book}
    found = {}
    for name in chat.participants:
        if name == chat.owner:
            told = None if me is None else me.display_name
            found[name] = Suggestion(Person(Who.ME, name=told or name), "The phone is yours")
            continue
        suggestion = _by_name(name, me, names)
        if suggestion is None and not chat.is_group and len(chat.participants) == 1:
            suggestion = _by_title(chat.title, names)
        if suggestion is not None:
            found[name] = suggestion
    return found


def _by_name(name: str, me: Me | None, book: dict[Contact, frozenset[str]]) -> Suggestion | None:
    words = _words(name)
    if not words:
        return None
    mine = frozenset() if me is None else _words(me.display_name)
    for why, fits in ((_SAME, frozenset.__eq__), (_LIKE, frozenset.issubset)):
        alike = [contact for contact, theirs in book.items() if fits(words, theirs)]
        is_me = me is not None and fits(words, mine)
        if me is not None and is_me and not alike:
            return Suggestion(Person(Who.ME, name=me.display_name), why)
        if len(alike) == 1 and not is_me:
            return Suggestion(_client(alike[0]), why)
        if alike or is_me:
            return None
    return None


def _by_title(title: str, book: dict[Contact, frozenset[str]]) -> Suggestion | None:
    words = _words(title)
    alike = [contact for contact, theirs in book.items() if words and words == theirs]
    return Suggestion(_client(alike[0]), _TITLE) if len(alike) == 1 else None


def _client(contact: Contact) -> Person:
    return Person(Who.CLIENT, contact.contact_id, contact.display_name)


def _words(name: str) -> frozenset[str]:
    """Return a name's words without case, accents' encoding, emoji and marks."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    kept = "".join(letter if letter.isalnum() else " " for letter in plain)
    return frozenset(kept.split())
