"""Owns reading figures that are written otherwise: letters that look like them, and their words.

It never judges a number; it gives the families' finders other views of the text to look at.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick

from contract.policy.scanned_text import Identifier

FIGURE_LIKE = {"o": "0", "i": "1", "l": "1", "s": "5", "b": "8", "z": "2", "з": "3", "б": "6"}
"""Small letters that stand in for figures, as `O` for 0, `l` or `I` for 1, Cyrillic `З` for 3."""

_TOKEN = re.compile(r"(?<![a-z0-9])[0-9oilsbzзб]+(?![a-z0-9])")
_TO_FIGURES = str.maketrans(FIGURE_LIKE)
_ROUND = frozenset("oil")

_WORDS = {
    "zero": "0", "oh": "0", "null": "0", "nul": "0", "cero": "0", "nought": "0",
    "one": "1", "eins": "1", "ein": "1", "un": "1", "uno": "1", "um": "1",
    "two": "2", "zwei": "2", "zwo": "2", "deux": "2", "dos": "2", "due": "2", "dois": "2",
    "three": "3", "drei": "3", "trois": "3", "tres": "3", "tre": "3", "três": "3",
    "four": "4", "vier": "4", "quatre": "4", "cuatro": "4", "quattro": "4", "quatro": "4",
    "five": "5", "funf": "5", "fuenf": "5", "cinq": "5", "cinco": "5", "cinque": "5",
    "six": "6", "sechs": "6", "seis": "6", "sei": "6",
    "seven": "7", "sieben": "7", "sept": "7", "siete": "7", "sette": "7", "sete": "7",
    "eight": "8", "acht": "8", "huit": "8", "ocho": "8", "otto": "8", "oito": "8",
    "nine": "9", "neun": "9", "neuf": "9", "nueve": "9", "nove": "9",
}  # fmt: skip
_CHARACTERS = dict(
    zip(
        "〇零一二三四五六七八九幺壹贰叁肆伍陆柒捌玖",
        "0012345678911234567 89".replace(" ", ""),
        strict=True,
    )
)
_MIN_SPELT = 8
SPELT_FIGURE = f"(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))}|[0-9])"
"""A regex of one figure, by itself or in a word of Latin letters."""

SPELT_SIGN = f"[{''.join(_CHARACTERS)}]"
_MORE = f"{{{_MIN_SPELT - 1},40}}"
_SPELT = re.compile(
    rf"(?<![a-z]){SPELT_FIGURE}(?:[ ,.\-/]{{1,3}}{SPELT_FIGURE}(?![a-z])){_MORE}"
    rf"|{SPELT_SIGN}(?:[ ,.\-]{{0,2}}{SPELT_SIGN}){_MORE}"
)
_FIGURE_WORDS = AhoCorasick([*_WORDS, *_CHARACTERS])
_FIGURE = re.compile(f"{SPELT_FIGURE}|{SPELT_SIGN}")


class SpeltNumber(NamedTuple):
    """A row of figures in words: its digits, and where each stands in the text."""

    digits: str
    places: tuple[tuple[int, int], ...]


def with_figures(text: str) -> str:
    """Return folded text of the same length with figures for the letters that stand in for them.

    A word counts when it holds a figure already, or is of round and upright letters alone.
    """
    return _TOKEN.sub(_as_figures, text)


def spelt_numbers(text: str) -> list[SpeltNumber]:
    """Return the rows of at least eight figures written in words of one of several languages."""
    if len(_FIGURE_WORDS.find_matches_as_indexes(text)) < _MIN_SPELT - 1:
        return []
    found: list[SpeltNumber] = []
    for row in _SPELT.finditer(text):
        figures = list(_FIGURE.finditer(text, row.start(), row.end()))
        digits = "".join(_digit(match.group()) for match in figures)
        found.append(SpeltNumber(digits, tuple(match.span() for match in figures)))
    return found


def find_spelt(
    text: str, find: Callable[[str], list[Identifier]], count: int = _MIN_SPELT
) -> list[Identifier]:
    """Return what `find` finds in the rows of spelt figures of at least `count` digits."""
    found: list[Identifier] = []
    for number in spelt_numbers(text):
        if len(number.digits) >= count:
            for one in find(number.digits):
                start, end = number.places[one.start][0], number.places[one.end - 1][1]
                found.append(one._replace(start=start, end=end, customary=False))
    return found


def _as_figures(match: re.Match[str]) -> str:
    token = match.group()
    if token.isdigit():
        return token
    if any(char.isdigit() for char in token) or (len(token) > 1 and _ROUND.issuperset(token)):
        return token.translate(_TO_FIGURES)
    return token


def _digit(written: str) -> str:
    return _WORDS.get(written) or _CHARACTERS.get(written) or written
