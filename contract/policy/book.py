"""Owns the names and companies of an employee's own book, compiled for one look through a text.

It never says whose name it found in words, and it never holds a client outside the book.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from contract.policy.normalise import at_word_bounds, fold_term, is_word_char

if TYPE_CHECKING:
    from ahocorasick_rs import AhoCorasick

_TAG = b"parley.policy.book.v1\n"
_MIN_LETTERS = 4
_MIN_UNSPACED = 2


class BookName(msgspec.Struct, frozen=True, kw_only=True):
    """One name or company by which a client of the book is known, and where to write to them."""

    name: str
    contact_id: str
    conversation_id: str


class NameMatch(NamedTuple):
    """A name found at a span of the folded text, with everybody in the book who bears it."""

    start: int
    end: int
    bearers: tuple[BookName, ...]


class BookFacts(msgspec.Struct, frozen=True, kw_only=True, eq=False, dict=True):
    """The book's names in force; `digest` stands for all of them, in hashes and comparisons.

    Made by `compile_book`, once for each version of the book.
    """

    version: int = 0
    digest: str = ""
    names: tuple[BookName, ...] = ()

    def __post_init__(self) -> None:
        if self.names and not self.digest:
            msgspec.structs.force_setattr(self, "digest", _digest(self.names))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BookFacts):
            return NotImplemented
        return (self.version, self.digest) == (other.version, other.digest)

    def __hash__(self) -> int:
        return hash((self.version, self.digest))

    def find(self, text: str) -> list[NameMatch]:
        """Find the book's names in folded text, leftmost and longest, never overlapping."""
        compiled = self._compiled
        if compiled is None:
            return []
        automaton, bearers = compiled
        found = [
            NameMatch(start, end, bearers[index])
            for index, start, end in automaton.find_matches_as_indexes(text, overlapping=True)
            if at_word_bounds(text, start, end)
        ]
        found.sort(key=lambda one: (one.start, -one.end))
        kept: list[NameMatch] = []
        for match in found:
            if not kept or match.start >= kept[-1].end:
                kept.append(match)
        return kept

    @functools.cached_property
    def _compiled(self) -> tuple[AhoCorasick, list[tuple[BookName, ...]]] | None:
        from ahocorasick_rs import AhoCorasick  # not before the first look: it costs start-up

        by_text: dict[str, dict[BookName, None]] = {}
        for one in self.names:
            folded = fold_term(one.name)
            if _tells_apart(folded):
                by_text.setdefault(folded, {})[one] = None
        if not by_text:
            return None
        return AhoCorasick(list(by_text)), [tuple(bearers) for bearers in by_text.values()]


def compile_book(version: int, names: Iterable[BookName]) -> BookFacts:
    """Return the facts of a book, ready to look names up in; equal names give equal digests."""
    ordered = tuple(
        sorted(set(names), key=lambda one: (one.contact_id, one.conversation_id, one.name))
    )
    book = BookFacts(version=version, digest=_digest(ordered), names=ordered)
    book.find("")
    return book


def _tells_apart(folded: str) -> bool:
    """Tell whether a name is long enough not to be an ordinary word by chance."""
    letters = [char for char in folded if char.isalpha()]
    spaced = any(is_word_char(char) for char in letters)
    return len(letters) >= (_MIN_LETTERS if spaced else _MIN_UNSPACED)


def _digest(names: tuple[BookName, ...]) -> str:
    encoded = msgspec.json.encode(
        [[one.name, one.contact_id, one.conversation_id] for one in names]
    )
    return hashlib.sha256(_TAG + encoded).hexdigest()
