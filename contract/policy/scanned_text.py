"""Owns the view of a text that identifiers are sought in: folded, and in the case it was typed in.

It never judges a number, and both its strings have the same places.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from contract.policy.lookalikes import CAPITAL_LOOKALIKES
from contract.policy.normalise import Normalised

LEFT_CONTEXT_CHARS = 64
RIGHT_CONTEXT_CHARS = 40
_MAX_GAP = 20
_MAYBE_CAPITAL = re.compile(r"[^\x00-@\[-\x7f]")
_FIGURES = re.compile("[0-9]+")


class Identifier(NamedTuple):
    """A found number: its span in the folded text, its bare value, and how sure it stands alone.

    `customary` tells that it is laid out as such numbers are written; `certain` is False when
    only evidence words beside it can make it a find.
    """

    start: int
    end: int
    value: str
    customary: bool
    certain: bool


class ScannedText(NamedTuple):
    """Three strings with the same places: folded, in typed case, and with line ends kept.

    Unlike in folding for words, Latin letters stand without their accents. `regions` are ISO
    3166 codes of the countries whose national phone numbers are expected.
    """

    folded: str
    cased: str
    lines: str
    regions: tuple[str, ...] = ()

    def cut(self, start: int, end: int) -> ScannedText:
        """Return the stretch from `start` to `end`."""
        return ScannedText(
            self.folded[start:end], self.cased[start:end], self.lines[start:end], self.regions
        )


def scanned_text(typed: str, normalised: Normalised, regions: tuple[str, ...] = ()) -> ScannedText:
    """Return the views of a text as typed, already folded."""
    if not normalised.text.isascii():
        plain = _latin(typed, normalised).translate(_WITHOUT_ACCENTS)
        normalised = Normalised(plain, normalised.starts, normalised.ends)
    folded = normalised.text
    return ScannedText(
        folded, _cased(typed, normalised), _with_line_ends(typed, normalised), regions
    )


def _latin(typed: str, normalised: Normalised) -> str:
    """Return the folded text with Latin letters for Greek capitals, which no number holds."""
    if normalised.starts is None or not any(chr(code) in typed for code in CAPITAL_LOOKALIKES):
        return normalised.text
    places = zip(normalised.text, normalised.starts, strict=True)
    return "".join(
        CAPITAL_LOOKALIKES.get(ord(typed[start]), char).lower() for char, start in places
    )


class _WithoutAccents(dict[int, int]):
    """Code points of accented Latin letters to those of the plain ones, worked out when asked."""

    def __missing__(self, code: int) -> int:
        base = ord(unicodedata.normalize("NFD", chr(code))[0])
        plain = base if base < 0x80 and chr(base).isalnum() else code
        self[code] = plain
        return plain


_WITHOUT_ACCENTS = _WithoutAccents()


class Island(NamedTuple):
    """Figures that stand close together, with the words around them.

    `start` is where `text` begins in the whole; finds count when they reach into the stretch from
    `core_start` to `core_end`, both places in `text`, that holds `figure_count` digits.
    """

    start: int
    text: ScannedText
    core_start: int
    core_end: int
    figure_count: int


def _cased(typed: str, normalised: Normalised) -> str:
    """Return the folded text with capitals where capitals were typed."""
    if normalised.starts is None:
        return typed
    capitals = {match.start() for match in _MAYBE_CAPITAL.finditer(typed) if match[0].isupper()}
    if not capitals:
        return normalised.text
    return "".join(
        [
            char.upper() if start in capitals and len(char.upper()) == 1 else char
            for char, start in zip(normalised.text, normalised.starts, strict=True)
        ]
    )


def _with_line_ends(typed: str, normalised: Normalised) -> str:
    """Return the folded text with a line feed for each white space that holds one.

    A line feed written as `\\n`, as in pasted JSON, counts as one too.
    """
    text = normalised.text
    if normalised.starts is not None and normalised.ends is not None and "\n" in typed:
        places = zip(text, normalised.starts, normalised.ends, strict=True)
        text = "".join(
            "\n" if char == " " and "\n" in typed[start:end] else char
            for char, start, end in places
        )
    return text.replace("\\n", " \n")


def islands(scanned: ScannedText) -> list[Island]:
    """Cut the text into its islands of figures; what lies between them holds no figure."""
    found: list[Island] = []
    start = end = count = 0
    for run in _FIGURES.finditer(scanned.folded):
        low, high = run.span()
        if count and low - end > _MAX_GAP:
            found.append(_island(scanned, start, end, count))
            count = 0
        if not count:
            start = low
        end = high
        count += high - low
    if count:
        found.append(_island(scanned, start, end, count))
    return found


def _island(scanned: ScannedText, start: int, end: int, figure_count: int) -> Island:
    low = max(start - LEFT_CONTEXT_CHARS, 0)
    text = scanned.cut(low, end + RIGHT_CONTEXT_CHARS)
    return Island(low, text, start - low, end - low, figure_count)


def first_of_each_place(found: list[Identifier]) -> list[Identifier]:
    """Return finds from left to right, without those that overlap one before them."""
    kept: list[Identifier] = []
    for one in sorted(found, key=lambda item: (item.start, not item.certain, -item.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept
