"""Owns finding passport numbers and the two lines a passport's reader sees.

It never takes a bare number for a passport's without evidence: they carry no check digit.

Sources: ICAO Doc 9303 part 4 (machine readable zone and its check digits); formats as the issuing
states publish them: one to three letters or none, then five to nine figures.
"""

from __future__ import annotations

import re

from contract.policy.scanned_text import Identifier, ScannedText, first_of_each_place

_NUMBER = re.compile(
    r"(?<![a-zA-Z0-9])(?:[A-Z]{1,3}[ \-]?[0-9]{5,9}[A-Z]?|[0-9]{7,10}|[0-9]{2}[A-Z]{2}[0-9]{5}"
    r"|[A-Z][0-9][A-Z0-9]{6,7}[0-9]|[CFGHJKLMNPRTVWXYZ0-9]{9}"
    r"|(?P<loose>[0-9]{1,3} ?[0-9]{2} ?[0-9]{6}|[A-Za-z0-9]{6,10}))"
    r"(?![a-zA-Z0-9]|[.,\-/][0-9])"
)
PASSPORT_NAMES = (
    "(?:passport|reisepass|pass-?nr|passeport|pasaporte|passaport[eo]|paspoort"
    "|护照|護照|パスポート|旅券)"
)
"""A regex of the words for a passport, folded."""

_WORD_BEFORE = re.compile(PASSPORT_NAMES + r"[^0-9]{0,40}$")
_MRZ = re.compile(
    r"(?<![a-z0-9])([a-z0-9<]{9})([0-9])([a-z<]{3})([0-9]{6})([0-9])([mfx<])([0-9]{6})([0-9])"
)
_WEIGHTS = (7, 3, 1)
_MIN_DIGITS, _MIN_DIGITS_NAMED = 5, 2
_REACH = 60


def find_passports(text: ScannedText) -> list[Identifier]:
    """Find passport numbers: certain in a machine readable line, or right after their name."""
    found = [*_machine_readable(text.folded)]
    for match in _NUMBER.finditer(text.cased):
        if match.group().isalpha():
            continue
        value = "".join(char for char in match.group() if char.isalnum())
        digits = sum(char.isdigit() for char in value)
        if digits < _MIN_DIGITS_NAMED:
            continue
        low = max(match.start() - _REACH, 0)
        named = _WORD_BEFORE.search(text.folded, low, match.start()) is not None
        bare = len(value) == len(match.group()) and match["loose"] is None
        if not named and not (bare and digits >= _MIN_DIGITS):
            continue
        found.append(Identifier(*match.span(), value, named, named))
    return first_of_each_place(found)


def mrz_check_digit(field: str) -> int:
    """Return the check digit of a field of a machine readable zone; `<` counts nothing."""
    values = (0 if char == "<" else int(char, 36) for char in field)
    return sum(value * _WEIGHTS[place % 3] for place, value in enumerate(values)) % 10


def _machine_readable(text: str) -> list[Identifier]:
    found: list[Identifier] = []
    for match in _MRZ.finditer(text):
        number, born, expires = match[1], match[4], match[7]
        fields = ((number, match[2]), (born, match[5]), (expires, match[8]))
        if all(mrz_check_digit(field) == int(digit) for field, digit in fields):
            value = number.rstrip("<").upper()
            found.append(Identifier(match.start(), match.end(), value, True, True))
    return found
