"""Owns finding the numbers of securities and of legal entities: ISIN, CUSIP, SEDOL, LEI.

It never takes a word for a number: each needs its check digit, and figures beside its letters.

Sources: ISO 6166 (ISIN), ANSI X9.6 (CUSIP), the London Stock Exchange's SEDOL Masterfile guide,
ISO 17442 (LEI, ISO 7064 mod 97-10).
"""

from __future__ import annotations

from contract.policy.fixed_forms import FIGURE, FixedForm, Reading, find_fixed
from contract.policy.isin_prefixes import ISIN_PREFIXES
from contract.policy.scanned_text import Identifier, ScannedText

MIN_DIGITS = 3
_ANY, _LETTER, _DIGIT, _CONSONANT = "[a-z0-9]", "[a-z]", FIGURE, "[b-df-hj-np-tv-z0-9]"
_MANY_DIGITS = 7
_SEDOL_WEIGHTS = (1, 3, 1, 7, 3, 9, 1)

_ISIN = FixedForm(
    [_LETTER] * 2 + [_ANY] * 9 + [_DIGIT],
    [(2, 9, 1), (2, 10), (4, 4, 4), (2, 3, 3, 3, 1), (2, 4, 4, 2), (3, 3, 3, 3), (2, 6, 2, 1, 1)],
    name="isin",
)
_CUSIP = FixedForm(
    [_DIGIT] * 3 + [_ANY] * 5 + [_DIGIT], [(6, 2, 1), (6, 3), (3, 3, 3), (8, 1), (3, 3, 2, 1)]
)
_CINS = FixedForm([_LETTER] + [_DIGIT] * 4 + [_ANY] * 3 + [_DIGIT], [(6, 2, 1), (6, 3), (3, 3, 3)])
_SEDOL = FixedForm([_CONSONANT] * 6 + [_DIGIT], [(3, 4), (4, 3), (1, 3, 3), (3, 3, 1), (6, 1)])
_LEI = FixedForm([_ANY] * 18 + [_DIGIT] * 2, [(4, 4, 4, 4, 4), (4, 2, 12, 2), (4, 14, 2), (18, 2)])


def find_isins(text: ScannedText) -> list[Identifier]:
    """Find ISINs; one with few figures counts only in capitals, as words end in figures too."""
    return find_fixed(_ISIN, text, _judge_isin)


def find_cusips(text: ScannedText) -> list[Identifier]:
    """Find CUSIPs; of figures alone they ask for evidence words, one in ten passes its check."""
    found = find_fixed(_CUSIP, text, _judge_cusip) + find_fixed(_CINS, text, _judge_cins)
    return sorted(found)


def find_sedols(text: ScannedText) -> list[Identifier]:
    """Find SEDOLs; without evidence words only those of `B` and more letters, in capitals.

    Others have the form of many a product's number, and one in ten of those passes the check.
    """
    return find_fixed(_SEDOL, text, _judge_sedol)


def find_leis(text: ScannedText) -> list[Identifier]:
    """Find legal entity identifiers."""
    return find_fixed(_LEI, text, _judge_lei)


def isin_checksum_holds(isin: str) -> bool:
    """Tell whether a bare ISIN ends in its check digit: Luhn over letters written as numbers."""
    digits = "".join(str(int(char, 36)) for char in isin)
    return _digit_sum(digits[::-1], doubled_from=1) % 10 == 0


def cusip_checksum_holds(cusip: str) -> bool:
    """Tell whether a bare CUSIP ends in its check digit: every second value counts twice."""
    values = [int(char, 36) * (1 + place % 2) for place, char in enumerate(cusip[:8])]
    return (sum(value // 10 + value % 10 for value in values) + int(cusip[8])) % 10 == 0


def sedol_checksum_holds(sedol: str) -> bool:
    """Tell whether a bare SEDOL ends in its check digit: a weighted sum."""
    values = (int(char, 36) for char in sedol)
    return sum(a * b for a, b in zip(values, _SEDOL_WEIGHTS, strict=True)) % 10 == 0


def lei_checksum_holds(lei: str) -> bool:
    """Tell whether a bare LEI has the remainder 1 modulo 97."""
    return int("".join(str(int(char, 36)) for char in lei)) % 97 == 1


def _digit_sum(digits: str, doubled_from: int) -> int:
    total = 0
    for place, char in enumerate(digits):
        value = int(char) * (2 if place % 2 == doubled_from else 1)
        total += value // 10 + value % 10
    return total


def _judge_isin(reading: Reading) -> bool | None:
    value = reading.value
    if value[:2] not in ISIN_PREFIXES or not isin_checksum_holds(value):
        return None
    if reading.digit_count < MIN_DIGITS:
        return False if reading.upper and reading.whole else None
    return reading.upper or reading.digit_count >= _MANY_DIGITS


def _judge_cusip(reading: Reading) -> bool | None:
    if not cusip_checksum_holds(reading.value):
        return None
    if reading.digit_count == len(reading.value):
        return False if reading.whole or reading.spread else None
    return reading.upper


def _judge_cins(reading: Reading) -> bool | None:
    if reading.value[0] in "ioz" or not cusip_checksum_holds(reading.value):
        return None
    return False


def _judge_sedol(reading: Reading) -> bool | None:
    value = reading.value
    if not sedol_checksum_holds(value):
        return None
    if value[0].isdigit():
        grouped = not (reading.whole or reading.spread)
        return None if grouped or not value.isdigit() else False
    letters = len(value) - reading.digit_count
    usual = value[0] == "b" and letters > 1
    return reading.upper and usual and (reading.whole or reading.spread)


def _judge_lei(reading: Reading) -> bool | None:
    if reading.digit_count < MIN_DIGITS or not lei_checksum_holds(reading.value):
        return None
    return reading.upper or reading.digit_count >= _MANY_DIGITS
