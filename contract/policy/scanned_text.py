"""Owns the view of a text that identifiers are sought in: folded, and in the case it was typed in.

It never judges a number, and both its strings have the same places.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from contract.policy.normalise import Normalised

LEFT_CONTEXT_CHARS = 64
RIGHT_CONTEXT_CHARS = 40
_MAX_GAP = 24
_FIGURES = re.compile(rf"[0-9](?:[^0-9]{{0,{_MAX_GAP}}}[0-9])*")


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
    """Folded text and the same text with each letter in its typed case; ISO regions for phones."""

    folded: str
    cased: str
    regions: tuple[str, ...] = ()


class Island(NamedTuple):
    """Figures that stand close together, with the words around them.

    `start` is where `text` begins in the whole; finds count when they begin from `core_start`
    and before `core_end`, both places in `text`, or reach into that stretch.
    """

    start: int
    text: ScannedText
    core_start: int
    core_end: int


def cased_text(typed: str, normalised: Normalised) -> str:
    """Return the folded text with capitals where capitals were typed; one place to one place."""
    if normalised.starts is None:
        return typed
    if typed.isascii() is False and typed == typed.lower():
        return normalised.text
    return "".join(
        char.upper() if typed[start].isupper() and len(char.upper()) == 1 else char
        for char, start in zip(normalised.text, normalised.starts, strict=True)
    )


def islands(scanned: ScannedText) -> list[Island]:
    """Cut the text into its islands of figures; what lies between them holds no figure."""
    found: list[Island] = []
    for match in _FIGURES.finditer(scanned.folded):
        low = max(match.start() - LEFT_CONTEXT_CHARS, 0)
        high = min(match.end() + RIGHT_CONTEXT_CHARS, len(scanned.folded))
        text = ScannedText(scanned.folded[low:high], scanned.cased[low:high], scanned.regions)
        found.append(Island(low, text, match.start() - low, match.end() - low))
    return found
