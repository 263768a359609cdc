"""Owns the ways in which people hide a number or a word from a machine that reads along.

It never changes what a person reads.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable

Disguise = Callable[[random.Random, str], str]

INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u202e\u2066\u2069\u180e\u034f"
OTHER_ZEROS = "０٠۰०০๐༠᠐𝟎𝟘𝟢𝟬𝟶"
MARKS = "\u0336\u0332\u0305\u0323\u20dd"
ALIKE = {
    "A": "АΑ", "B": "ВΒ", "C": "С", "E": "ЕΕ", "H": "НΗ", "I": "ІΙ", "J": "Ј", "K": "КΚ",
    "M": "МΜ", "N": "Ν", "O": "ОΟ", "P": "РΡ", "S": "Ѕ", "T": "ТΤ", "X": "ХΧ", "Y": "УΥ", "Z": "Ζ",
    "a": "а", "c": "с", "d": "ԁ", "e": "е", "h": "һ", "i": "і", "j": "ј", "k": "к", "m": "м",
    "n": "ո", "o": "оο", "p": "р", "q": "ԛ", "s": "ѕ", "u": "ս", "v": "ѵν", "w": "ԝ", "x": "х",
    "y": "у",
}  # fmt: skip
SEPARATORS = (
    " ",
    "-",
    ".",
    "/",
    "_",
    ",",
    " - ",
    " . ",
    "\u00a0",
    "\u2009",
    "\u3000",
    "·",
    "–",
    "|",
    "*",
)


def zero_width(chance: random.Random, value: str) -> str:
    """Put characters that show nothing, bidi marks among them, between the others."""
    shown = [char + chance.choice(["", chance.choice(INVISIBLE)]) for char in value[:-1]]
    return "".join(shown) + value[-1]


def full_width(chance: random.Random, value: str) -> str:
    """Write in full-width letters and digits."""
    del chance
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in value)


def other_digits(chance: random.Random, value: str) -> str:
    """Write the digits of another script, one script for all or one for each."""
    zero = chance.choice(OTHER_ZEROS)
    mixed = chance.random() < 0.3
    return "".join(
        chr(ord(chance.choice(OTHER_ZEROS) if mixed else zero) + int(char))
        if char.isdigit()
        else char
        for char in value
    )


def emoji_digits(chance: random.Random, value: str) -> str:
    """Write the digits as keycaps, in circles, raised, lowered or in negative circles."""
    way = chance.choice(["keycap", "circled", "raised", "lowered", "negative", "bracketed"])
    return "".join(_dressed(char, way) if char.isdigit() else char for char in value)


def alike_letters(chance: random.Random, value: str) -> str:
    """Write letters of other scripts that look the same."""
    return "".join(chance.choice([char, *ALIKE.get(char, "")]) for char in value)


def alike_figures(chance: random.Random, value: str) -> str:
    """Write a few figures as letters: O for 0, l or I for 1."""
    stand_ins = {"0": "Oo", "1": "lI"}
    left = sum(char.isdigit() for char in value) // 4
    shown: list[str] = []
    for char in value:
        swapped = char in stand_ins and left > 0 and chance.random() < 0.6
        left -= swapped
        shown.append(chance.choice(stand_ins[char]) if swapped else char)
    return "".join(shown)


def spread(chance: random.Random, value: str) -> str:
    """Set every character apart."""
    return chance.choice(SEPARATORS).join(value.replace("-", ""))


def grouped(chance: random.Random, value: str) -> str:
    """Set groups of one size apart."""
    separator = chance.choice(SEPARATORS)
    return separator.join(value[place : place + 4] for place in range(0, len(value), 4))


def mixed_gaps(chance: random.Random, value: str) -> str:
    """Set every character apart, with spaces and hyphens in turn as they come."""
    value = value.replace("-", "")
    return "".join(char + chance.choice([" ", "-", " "]) for char in value[:-1]) + value[-1]


def heaped_marks(chance: random.Random, value: str) -> str:
    """Strike through or underline with marks that combine."""
    mark = chance.choice(MARKS)
    return "".join(char + mark for char in value)


def small_letters(chance: random.Random, value: str) -> str:
    """Write in small letters."""
    del chance
    return value.lower()


def mathematical(chance: random.Random, value: str) -> str:
    """Write in the bold letters and digits of mathematics."""
    del chance
    shown: list[str] = []
    for char in value:
        base = 0x1D7CE - 48 if char.isdigit() else 0x1D400 - 65 if char.isupper() else 0x1D41A - 97
        shown.append(chr(ord(char) + base) if char.isascii() and char.isalnum() else char)
    return "".join(shown)


def full_width_hidden(chance: random.Random, value: str) -> str:
    """Write in full width with characters between that show nothing."""
    return zero_width(chance, full_width(chance, value))


def alike_grouped(chance: random.Random, value: str) -> str:
    """Write letters that look the same, in groups."""
    return grouped(chance, alike_letters(chance, value))


def _dressed(digit: str, way: str) -> str:
    value = int(digit)
    if way == "keycap":
        return digit + "\ufe0f\u20e3"
    if way == "bracketed":
        return "０１２３４５６７８９"[value]
    names = {
        "circled": "CIRCLED DIGIT", "raised": "SUPERSCRIPT", "lowered": "SUBSCRIPT",
        "negative": "DINGBAT NEGATIVE CIRCLED DIGIT",
    }  # fmt: skip
    name = f"{names[way]} {unicodedata.name(digit).removeprefix('DIGIT ')}"
    if way == "negative" and value == 0:
        name = "NEGATIVE CIRCLED DIGIT ZERO"
    return unicodedata.lookup(name)


DISGUISES: tuple[Disguise, ...] = (
    zero_width,
    full_width,
    other_digits,
    emoji_digits,
    alike_letters,
    alike_figures,
    spread,
    grouped,
    mixed_gaps,
    heaped_marks,
    small_letters,
    mathematical,
    full_width_hidden,
    alike_grouped,
)

_WITH_LETTERS = frozenset(("iban", "uk_nino", "isin", "lei"))
_ONLY: dict[Disguise, frozenset[str]] = {
    alike_figures: frozenset(("payment_card", "us_ssn", "uk_nino")),
    alike_letters: _WITH_LETTERS,
    alike_grouped: _WITH_LETTERS,
    small_letters: _WITH_LETTERS,
    grouped: frozenset(("payment_card", "iban", "isin", "lei")),
}


def kinds_of(disguise: Disguise) -> frozenset[str]:
    """Return the kinds of identifiers a disguise makes sense for; empty means all."""
    return _ONLY.get(disguise, frozenset())
