"""Holds whom the names of one chat stand for: what was suggested, what the person said.

It never takes a suggestion as said, and never reads the book.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.imports import ChatFigures, Person, Suggestion, Who
from ui.models.message_words import number_words

UNIDENTIFIED = Person(Who.UNIDENTIFIED)
PRIVATE = (
    "None of your clients is in this chat. A private chat is not taken, as a whole: nothing was "
    "uploaded. If a client is among them, say who with Change…"
)


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One name of the chat; `tone` names a colour of the tokens.

    `asks` tells that a suggestion waits for a word.
    """

    name: str
    words: str
    tone: str
    asks: bool
    messages: int

    @property
    def spoken(self) -> str:
        """Return the line for a screen reader."""
        return f"{self.name}: {self.words}"


class PeopleChoices:
    """One chat's names, with its `figures`."""

    def __init__(self, suggested: Mapping[str, Suggestion], figures: ChatFigures) -> None:
        self._suggested = dict(suggested)
        self.figures = figures
        self._said: dict[str, Person] = {}

    def names(self) -> tuple[str, ...]:
        """Return the names in the order in which they first wrote."""
        return tuple(self.figures.by_name)

    def person(self, name: str) -> Person:
        """Return whom a name stands for as said so far; unidentified where nothing was."""
        return self._said.get(name, UNIDENTIFIED)

    def said(self) -> dict[str, Person]:
        """Return what is said of every name, those nobody spoke of as unidentified."""
        return {name: self.person(name) for name in self.names()}

    def spoken(self) -> tuple[str, ...]:
        """Return the names the person has spoken of."""
        return tuple(self._said)

    def confirm(self, name: str) -> bool:
        """Take a name's suggestion as said; False where there is none."""
        suggestion = self._suggestion(name)
        if suggestion is not None:
            self._said[name] = suggestion.person
        return suggestion is not None

    def choose(self, name: str, person: Person) -> None:
        """Take the person's own word on a name."""
        if name in self.figures.by_name:
            self._said[name] = person

    def recall(self, said: Mapping[str, Person]) -> None:
        """Take over what was said of these names before."""
        for name, person in said.items():
            self.choose(name, person)

    def waiting(self) -> tuple[str, ...]:
        """Return the names whose suggestion waits for a word."""
        return tuple(name for name in self.names() if self._suggestion(name) is not None)

    def has_client(self) -> bool:
        """Tell whether somebody in this chat is a client by the person's word."""
        clients = (Who.CLIENT, Who.NEW_CLIENT)
        return any(self.person(name).who in clients for name in self.names())

    def unidentified(self) -> tuple[int, int]:
        """Return how many participants stay unidentified, and how many messages they wrote."""
        counts = [
            count
            for name, count in self.figures.by_name.items()
            if self.person(name).who is Who.UNIDENTIFIED and self._suggestion(name) is None
        ]
        return len(counts), sum(counts)

    def hindrance(self) -> str:
        """Return why the import can't go on yet, "" when it can."""
        waiting = self.waiting()
        if waiting:
            more = f", and {len(waiting) - 1} more" if len(waiting) > 1 else ""
            return f"Confirm or change who “{waiting[0]}” is{more}."
        return "" if self.has_client() else PRIVATE

    def lines(self) -> tuple[PersonLine, ...]:
        """Return a line for each name."""
        return tuple(self._line(name, count) for name, count in self.figures.by_name.items())

    def _suggestion(self, name: str) -> Suggestion | None:
        """Return what waits for a word, None where the person has spoken."""
        return None if name in self._said else self._suggested.get(name)

    def _line(self, name: str, count: int) -> PersonLine:
        suggestion = self._suggestion(name)
        if suggestion is not None:
            words = f"{suggestion.why}: {_person(suggestion.person)}. Please confirm"
            return PersonLine(name, words, "ink", asks=True, messages=count)
        person = self.person(name)
        if person.who is Who.UNIDENTIFIED:
            many = "message" if count == 1 else "messages"
            words = f"Kept as “unidentified participant” ({number_words(count)} {many})"
            return PersonLine(name, words, "warn", asks=False, messages=count)
        return PersonLine(name, _person(person), "ink", asks=False, messages=count)


def _person(person: Person) -> str:
    if person.who is Who.ME:
        return f"You ({person.name})" if person.name else "You"
    if person.who is Who.NEW_CLIENT:
        return f"New client, added to your book as “{person.name}”"
    return person.name
