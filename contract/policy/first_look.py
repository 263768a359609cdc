"""Owns a first look at a text: in one pass, which costly searches could find anything in it.

It never finds anything itself, and it never says no where a search would find something.

Each pattern is wider than what is sought: what its search would take holds a match of it. Places
of small letters and figures are those of the folded text that identifiers are sought in.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from enum import IntEnum

import re2

from contract.policy.disguised_figures import SPELT_FIGURE, SPELT_SIGN
from contract.policy.iban_registry import BBAN_CLASSES
from contract.policy.passports import PASSPORT_NAMES
from contract.policy.secret_keys import SECRET_NAMES

MAX_MEMORY_BYTES = 8 * 1024 * 1024

_GAP = "[^a-z0-9]{1,3}"
_MAY_GAP = "[^a-z0-9]{0,3}"
_BEFORE, _AFTER = "(?:^|[^a-z0-9])", "(?:$|[^a-z0-9])"
_FIGURE = "[0-9oil]"
_ANY_FIGURE = "[0-9oilsbzзб]"
_LETTER = "[a-zß-öø-ÿ]"
_LIKE_A_LETTER = "[0134578@$!|]"
_SIGN = r"[0134578@$!|\-._*·+~]"
_RUN = r"[a-zß-öø-ÿ0-9@$!|\-._*·+~]*"
_SAME_CLASSES = 6
"""How many places after an IBAN's check digits are looked at by their country's classes."""


class Clue(IntEnum):
    """What a text may hold; the value is the pattern's place among all."""

    CARD = 0
    SPELT_CARD = 1
    IBAN = 2
    US_SSN = 3
    UK_NINO = 4
    PASSPORT = 5
    SECRET = 6
    SPACED_LETTERS = 7
    DISGUISED_WORD = 8


def clues_in(folded: str) -> Sequence[int]:
    """Return the clues that a text in the form of `ScannedText.folded` holds, by their values."""
    return _look().Match(folded.encode("utf-8", "replace")) or ()


def prepare() -> None:
    """Compile the patterns, which takes some milliseconds, so that no keystroke waits for it."""
    _look()


@functools.cache
def _look() -> re2.Set:
    options = re2.Options()
    options.max_mem = MAX_MEMORY_BYTES
    look = re2.Set.SearchSet(options)
    for clue, forms in _patterns().items():
        assert look.Add("|".join(forms)) == clue, "clues are numbered in order"
    look.Compile()
    return look


def _patterns() -> dict[Clue, Iterable[str]]:
    nino_letters = f"[a-ceghj-prstw-z]{_MAY_GAP}[a-ceghj-npr-tw-z]"
    spaced = r"(?:[a-z]|[^\x00-\x7f])"
    between = r"[ \-._*·,/|+]{1,3}"
    return {
        Clue.CARD: [f"(?:{_ANY_FIGURE}{_MAY_GAP}){{11}}{_ANY_FIGURE}"],
        Clue.SPELT_CARD: [
            rf"{SPELT_FIGURE}(?:[ ,.\-/]{{1,3}}{SPELT_FIGURE}){{7}}",
            rf"{SPELT_SIGN}(?:[ ,.\-]{{0,2}}{SPELT_SIGN}){{7}}",
        ],
        Clue.IBAN: _ibans(),
        Clue.US_SSN: [
            f"{_BEFORE}(?:{_FIGURE}{{9}}|{_FIGURE}(?:{_GAP}{_FIGURE}){{8}}){_AFTER}",
            f"{_ANY_FIGURE}{{3}}{_GAP}{_ANY_FIGURE}{{2}}{_GAP}{_ANY_FIGURE}{{4}}",
        ],
        Clue.UK_NINO: [
            f"{_BEFORE}{nino_letters}(?:{_MAY_GAP}{_FIGURE}){{6}}{_MAY_GAP}[a-d]{_AFTER}"
        ],
        Clue.PASSPORT: _passports(),
        Clue.SECRET: [
            r"[a-z0-9_\-.+/~|%]{15}",
            "://",
            "-----begin",
            *map(re2.escape, SECRET_NAMES),
        ],
        Clue.SPACED_LETTERS: [f"(?:^|[^a-z0-9]){spaced}{between}{spaced}{between}{spaced}"],
        Clue.DISGUISED_WORD: _disguised(),
    }


def _ibans() -> list[str]:
    """Return one form for each beginning that countries' numbers have in common."""
    least = min(map(len, BBAN_CLASSES.values()))
    countries: dict[tuple[str, ...], dict[str, list[str]]] = {}
    for country, classes in BBAN_CLASSES.items():
        start = tuple(_class(allowed) for allowed in classes[:_SAME_CLASSES])
        countries.setdefault(start, {}).setdefault(country[0], []).append(country[1])
    forms: list[str] = []
    for start, by_letter in countries.items():
        names = "|".join(
            f"{first}{_MAY_GAP}[{''.join(others)}]" for first, others in by_letter.items()
        )
        known = "".join(_MAY_GAP + place for place in (_FIGURE, _FIGURE, *start))
        forms.append(f"(?:{names}){known}(?:{_MAY_GAP}[a-z0-9зб]){{{least - _SAME_CLASSES}}}")
    return forms


def _class(allowed: str) -> str:
    if allowed.isdigit():
        return _ANY_FIGURE
    return "[a-z]" if allowed.isalpha() else "[a-z0-9]"


def _passports() -> list[str]:
    bare = (
        "[a-z]{1,3}[0-9]{5,9}[a-z]?",
        "[0-9]{7,10}",
        "[0-9]{2}[a-z]{2}[0-9]{5}",
        "[a-z][0-9][a-z0-9]{6,7}[0-9]",
        "[cfghjklmnprtvwxyz0-9]{9}",
    )
    machine_readable = "[a-z0-9<]{9}[0-9][a-z<]{3}[0-9]{6}[0-9][mfx<][0-9]{6}[0-9]"
    return [f"{_BEFORE}(?:{'|'.join(bare)}){_AFTER}", machine_readable, PASSPORT_NAMES]


def _disguised() -> list[str]:
    """Return words of three letters at least, with a sign before, between or after them.

    A mark that ends a word, as a full stop, hides nothing.
    """
    pieces = [_LETTER] * 3
    rows = [[*pieces[:place], _SIGN, *pieces[place:]] for place in range(len(pieces))]
    return [_RUN.join(row) for row in [*rows, [*pieces, _LIKE_A_LETTER]]]
