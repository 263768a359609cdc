"""Owns the patterns of the first look at a text, each wider than what its search would take.

It never finds anything: what a search takes always holds a match of its clue's pattern.

Small letters and figures are those of the folded text that identifiers are sought in. Patterns are
RE2's; they look at nothing beside their match but one sign.
"""

from __future__ import annotations

from collections.abc import Iterable

import re2

from contract.policy.disguised_figures import SPELT_FIGURE, SPELT_SIGN
from contract.policy.first_look import Clue
from contract.policy.iban_registry import BBAN_CLASSES
from contract.policy.passports import PASSPORT_NAMES
from contract.policy.secret_keys import SECRET_NAMES

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


def patterns() -> dict[Clue, Iterable[str]]:
    """Return the alternatives of each clue's pattern."""
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
