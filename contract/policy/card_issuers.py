"""Owns the issuer ranges of payment cards with the lengths each allows.

It never checks a check digit; identifiers.py does.

Sources: ISO/IEC 7812-1 and the networks' published ranges (Visa, Mastercard, American Express,
Discover, Diners Club, JCB, UnionPay, Maestro, Mir, RuPay, Troy, Verve, InterPayment).
"""

from __future__ import annotations

from typing import NamedTuple


class IssuerRange(NamedTuple):
    """Numbers whose first digits lie between `low` and `high` (of equal length).

    `certain` ranges stand alone; the others ask for evidence words beside the number.
    """

    low: str
    high: str
    lengths: frozenset[int]
    certain: bool


def _range(low: str, high: str, lengths: str, certain: bool = True) -> IssuerRange:
    first, _, last = lengths.partition("-")
    return IssuerRange(low, high, frozenset(range(int(first), int(last or first) + 1)), certain)


ISSUER_RANGES: tuple[IssuerRange, ...] = (
    _range("4", "4", "16"),
    _range("4", "4", "19"),
    _range("4", "4", "13"),
    _range("51", "55", "16"),
    _range("2221", "2720", "16"),
    _range("34", "34", "15"),
    _range("37", "37", "15"),
    _range("300", "305", "14-19"),
    _range("3095", "3095", "14-19"),
    _range("36", "36", "14-19"),
    _range("38", "39", "14-19"),
    _range("6011", "6011", "16-19"),
    _range("644", "649", "16-19"),
    _range("65", "65", "16-19"),
    _range("60", "60", "16"),
    _range("3500", "3599", "16-19"),
    _range("1800", "1800", "15"),
    _range("2131", "2131", "15"),
    _range("62", "62", "16-19"),
    _range("81", "82", "16-19"),
    _range("508", "508", "16"),
    _range("2200", "2204", "16-19"),
    _range("9792", "9792", "16"),
    _range("506099", "506198", "16-19"),
    _range("636", "636", "16-19"),
    _range("5018", "5018", "12-19"),
    _range("5020", "5020", "12-19"),
    _range("5038", "5038", "12-19"),
    _range("56", "58", "12-19"),
    _range("6304", "6304", "12-19"),
    _range("6390", "6390", "12-19"),
    _range("67", "67", "12-19"),
    _range("0604", "0604", "12-19"),
    _range("50", "50", "12-19", certain=False),
    _range("59", "69", "12-19", certain=False),
)


def issuer_certainty(digits: str) -> bool | None:
    """Return None when no issuer has such a number, else whether one is certain of it."""
    found: bool | None = None
    for entry in ISSUER_RANGES:
        if len(digits) in entry.lengths and entry.low <= digits[: len(entry.low)] <= entry.high:
            if entry.certain:
                return True
            found = False
    return found
