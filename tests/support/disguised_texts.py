"""Identifiers and words by chance, disguised by chance: stand-ins, gaps, other forms of figures.

It never says which of them should be found.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from contract.policy.iban_registry import BBAN_CLASSES
from contract.policy.identifiers import luhn_holds
from contract.policy.passports import mrz_check_digit

_STAND_INS = {"0": "oO", "1": "iIlL", "5": "sS", "8": "bB", "2": "zZ", "3": "зЗ", "6": "бБ"}
_LETTERS = {"a": "4@", "e": "3", "i": "1!|", "o": "0", "s": "5$", "t": "7"}
_GAPS = " -./_·,:;|*()[]~\u00a0\n\u200b–@#é会"
_FIGURE_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_NAMES = ("", "", "card ", "passport ", "Reisepass Nr. ", "护照", "IBAN: ", "ssn ", "Pass-Nr ")
_WORDS = ("guaranteed", "whatsapp", "gmail", "risk free", "off the record", "保本保息", "gift")


def disguised(chance: random.Random) -> str:
    """Return a text of a few such pieces with ordinary and odd signs between them."""
    parts: list[str] = []
    for _ in range(chance.randint(1, 4)):
        parts.append(chance.choice(_NAMES) + _piece(chance))
        parts.append(chance.choice((" ", " ", ", ", "\n", " at 20 ", "a", "x9", *_GAPS)))
    return "".join(parts)


def _piece(chance: random.Random) -> str:
    if chance.random() < 0.2:
        return _word(chance)
    make: Callable[[random.Random], str] = chance.choice(
        (_card, _card, _spelt_card, _iban, _iban, _ssn, _nino, _passport, _readable_line, _secret)
    )
    value = make(chance)
    if make in (_spelt_card, _readable_line, _secret):
        return value
    return _mutated(chance, _grouped(chance, value))


def _figures(chance: random.Random, count: int) -> str:
    return "".join(chance.choices("0123456789", k=count))


def _card(chance: random.Random) -> str:
    start = chance.choice(("4111", "5555", "3782", "6011", "4", "51", "2221", "62", "30"))
    body = start + _figures(chance, chance.choice((8, 10, 11, 12, 14)))
    return next(body + last for last in "0123456789" if luhn_holds(body + last))


def _spelt_card(chance: random.Random) -> str:
    return chance.choice((" ", "-", ", ")).join(_FIGURE_WORDS[int(one)] for one in _card(chance))


def _iban(chance: random.Random) -> str:
    country = chance.choice(list(BBAN_CLASSES))
    account = "".join(map(chance.choice, BBAN_CLASSES[country]))
    number = int("".join(str(int(char, 36)) for char in account + country + "00"))
    return f"{country}{98 - number % 97:02}{account}".upper()


def _ssn(chance: random.Random) -> str:
    area, group = chance.randint(1, 899), chance.randint(1, 99)
    gap = chance.choice(("", "-", " ", ". "))
    return f"{area:03}{gap}{group:02}{gap}{chance.randint(1, 9999):04}"


def _nino(chance: random.Random) -> str:
    letters = chance.choice("ABCEHJKLMOPSTW") + chance.choice("ABCEHJKLMPSTW")
    return letters + _figures(chance, 6) + chance.choice("ABCD")


def _passport(chance: random.Random) -> str:
    form = chance.choice(("L8", "9", "2LL5", "L17", "LL6", "3L5", "L6L", "7", "10"))
    count = "".join(char for char in form if char.isdigit())
    return form.replace(count, _figures(chance, int(count))).replace("L", chance.choice("CGXP"))


def _readable_line(chance: random.Random) -> str:
    fields = ["L" + _figures(chance, 8), _figures(chance, 6), _figures(chance, 6)]
    number, born, expires = (f"{field}{mrz_check_digit(field.lower())}" for field in fields)
    return f"{number}UTO{born}{chance.choice('MF<')}{expires}"


def _secret(chance: random.Random) -> str:
    drawn = "".join(chance.choices("abcdefghXYZ0123456789", k=36))
    named = chance.choice(("password: ", "token=", "密码：", "пароль: ", "", "ghp_", "https://b:"))
    return chance.choice((named + drawn, "-----BEGIN RSA PRIVATE KEY-----\nMII", "AKIA" + drawn))


def _word(chance: random.Random) -> str:
    word = chance.choice(_WORDS)
    match chance.randrange(3):
        case 0:
            return chance.choice((" ", ".", "-", "_", "* ", " . ", "·")).join(word)
        case 1:
            return "".join(
                chance.choice(_LETTERS[char])
                if char in _LETTERS and chance.random() < 0.5
                else char
                for char in word
            )
        case _:
            place = chance.randrange(1, len(word))
            return word[:place] + chance.choice("-._*·+~") + word[place:]


def _grouped(chance: random.Random, value: str) -> str:
    size = chance.choice((0, 2, 3, 4, 4))
    groups = [value[start : start + size] for start in range(0, len(value), size or len(value))]
    return chance.choice(" -").join(groups) if size else value


def _mutated(chance: random.Random, value: str) -> str:
    stand_ins, gaps = chance.choice((0, 0, 0.1, 0.3)), chance.choice((0, 0, 0, 0.15, 0.4, 1))
    out: list[str] = []
    for char in value:
        likes = _STAND_INS.get(char, "") if chance.random() < stand_ins else ""
        out.append(chance.choice(likes) if likes else char)
        if chance.random() < gaps:
            out.append(chance.choice(_GAPS) * chance.choice((1, 1, 2, 3, 4)))
    text = "".join(out)
    match chance.randrange(8):
        case 0:
            return text.lower()
        case 1:
            return "".join(
                chr(0xFF10 + int(char)) if char in "0123456789" else char for char in text
            )
        case _:
            return text
