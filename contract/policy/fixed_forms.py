"""Owns reading a number of fixed length out of text: whole, in groups, or spread out.

It never checks what a number says; each family of identifiers does that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from contract.policy.scanned_text import Identifier, ScannedText

_NARROW = r"[ \-./_,·•|:*>\\~'\"]"
_GAP = rf"{_NARROW}{{1,3}}"


class Reading(NamedTuple):
    """A stretch of text that has a number's form.

    `whole` without separators, `upper` without a small letter as typed, `spread` one by one.
    """

    start: int
    end: int
    value: str
    whole: bool
    upper: bool
    spread: bool

    @property
    def digit_count(self) -> int:
        """Return how many of its characters are digits."""
        return sum(char.isdigit() for char in self.value)


class FixedForm:
    """A number of one length: a class of characters for each place, and its usual groups.

    `places` are regex classes of small letters and digits such as "[a-z]"; `layouts` are sizes
    of groups. Groups may be typed in capitals only, because words of a sentence fit most forms.
    """

    def __init__(self, places: Sequence[str], layouts: Sequence[Sequence[int]] = ()) -> None:
        self.size = len(places)
        whole = "".join(places)
        spread = places[0] + rf"(?P<gap>{_GAP})" + r"(?P=gap)".join(places[1:])
        self._small = _bounded(rf"(?P<whole>{whole})|{spread}")
        capitals = [place.upper() for place in places]
        grouped = "|".join(_grouped(capitals, layout) for layout in layouts)
        self._capitals = _bounded(grouped) if grouped else None

    def readings(self, text: ScannedText) -> Iterator[Reading]:
        """Yield what has this form, also where readings overlap; each place starts one at most."""
        seen: set[int] = set()
        for match in self._small.finditer(text.folded):
            seen.add(match.start())
            yield _reading(text, match, whole=match["whole"] is not None)
        if self._capitals is None:
            return
        for match in self._capitals.finditer(text.cased):
            if match.start() not in seen:
                yield _reading(text, match, whole=False, grouped=True)


def first_of_each_place(found: list[Identifier]) -> list[Identifier]:
    """Return finds from left to right, without those that overlap one before them."""
    kept: list[Identifier] = []
    for one in sorted(found, key=lambda item: (item.start, not item.certain, -item.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def find_fixed(
    form: FixedForm, text: ScannedText, judge: Callable[[Reading], bool | None]
) -> list[Identifier]:
    """Return the readings that `judge` takes: certain for True, not for False, left out for None.

    Layouts in groups count as customary, spread out ones never do.
    """
    found: list[Identifier] = []
    for reading in form.readings(text):
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


def _reading(
    text: ScannedText, match: re.Match[str], *, whole: bool, grouped: bool = False
) -> Reading:
    start, end = match.span()
    value = "".join(char for char in text.folded[start:end] if char.isascii() and char.isalnum())
    upper = not any(char.islower() for char in text.cased[start:end])
    return Reading(start, end, value, whole, upper, spread=not whole and not grouped)
