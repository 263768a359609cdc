"""Owns reading a number of fixed length out of text: whole, in groups, or spread out.

It never checks what a number says; each family of identifiers does that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from contract.policy.disguised_figures import FIGURE_LIKE
from contract.policy.scanned_text import Identifier, ScannedText, first_of_each_place

FIGURE = "[0-9]"
"""The class of a place for figures; letters that look like one are read as figures there."""

_DISGUISED_FIGURE = "[0-9oil]"
_GAP = r"[\W_]{1,3}"
_JOINTS = "-_/#@&%+"


class Reading(NamedTuple):
    """A stretch of text that has a number's form.

    `whole` without separators, `upper` without a small letter as typed, `spread` one by one;
    `joined` with a hyphen or the like to a word before or after it.
    """

    start: int
    end: int
    value: str
    whole: bool
    upper: bool
    spread: bool
    joined: bool

    @property
    def digit_count(self) -> int:
        """Return how many of its characters are digits."""
        return sum(char.isdigit() for char in self.value)


class FixedForm:
    """A number of one length: a class of characters for each place, and its usual groups.

    `places` are regex classes of small letters and digits such as "[a-z]"; `layouts` are sizes
    of groups. Groups may be typed in capitals only, because words of a sentence fit most forms;
    `name` is a word that stands before such a number and is never its first group.
    """

    def __init__(
        self, places: Sequence[str], layouts: Sequence[Sequence[int]] = (), *, name: str = ""
    ) -> None:
        self._for_figures = [place == FIGURE for place in places]
        places = [_DISGUISED_FIGURE if place == FIGURE else place for place in places]
        whole = "".join(places)
        spread = _GAP.join(places)
        self._small = _bounded(rf"(?P<whole>{whole})|{spread}")
        capitals = [place.upper() for place in places]
        grouped = "|".join(_grouped(capitals, layout) for layout in layouts)
        other = rf"(?!{name.upper()}\b)" if name else ""
        self._capitals = _bounded(f"{other}(?:{grouped})") if grouped else None

    def readings(self, text: ScannedText) -> Iterator[Reading]:
        """Yield what has this form, also where readings overlap; each place starts one at most."""
        seen: set[int] = set()
        for match in self._small.finditer(text.folded):
            seen.add(match.start())
            whole = match["whole"] is not None
            yield from self._reading(text, match.span(), whole=whole, spread=not whole)
        if self._capitals is None:
            return
        for match in self._capitals.finditer(text.cased):
            if match.start() not in seen:
                yield from self._reading(text, match.span(), whole=False, spread=False)

    def _reading(
        self, text: ScannedText, span: tuple[int, int], *, whole: bool, spread: bool
    ) -> Iterator[Reading]:
        """Yield the reading of a span, unless letters stand in for half of its figures."""
        start, end = span
        typed = [char for char in text.folded[start:end] if char.isascii() and char.isalnum()]
        pairs = list(zip(typed, self._for_figures, strict=True))
        stand_ins = sum(figure and not char.isdigit() for char, figure in pairs)
        if stand_ins * 2 > sum(self._for_figures):
            return
        value = "".join(FIGURE_LIKE.get(char, char) if figure else char for char, figure in pairs)
        upper = not any(char.islower() for char in text.cased[start:end])
        beside = text.folded[max(start - 1, 0) : start] + text.folded[end : end + 1]
        joined = any(char in _JOINTS for char in beside)
        yield Reading(start, end, value, whole, upper, spread, joined)


def find_fixed(
    form: FixedForm, text: ScannedText, judge: Callable[[Reading], bool | None]
) -> list[Identifier]:
    """Return the readings that `judge` takes: certain for True, not for False, left out for None.

    One in small letters that is joined to a word, as in a trace's id, is left out before. Layouts
    in groups count as customary, spread out ones never do.
    """
    found: list[Identifier] = []
    for reading in form.readings(text):
        if reading.joined and not reading.upper:
            continue
        certain = judge(reading)
        if certain is not None:
            customary = not reading.spread
            value = reading.value.upper()
            found.append(Identifier(reading.start, reading.end, value, customary, certain))
    return first_of_each_place(found)


def _bounded(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-zA-Z0-9])(?:{pattern})(?![a-zA-Z0-9])")


def _grouped(places: Sequence[str], layout: Sequence[int]) -> str:
    groups: list[str] = []
    place = 0
    for size in layout:
        groups.append("".join(places[place : place + size]))
        place += size
    return _GAP.join(groups)
