"""Owns the finding of a whole file's order of day, month and year, and what shows it.

It never takes an order that one date of the file contradicts, and says when none is sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from contract.imports.line_heads import Head  # its patterns cost each start

_BUDDHIST_YEARS = 543
_PASTED_SHARE = 100  # one line in so many may look like a date without being one


class DayOrder(StrEnum):
    """How a phone writes a date."""

    DAY_FIRST = "day/month/year"
    MONTH_FIRST = "month/day/year"
    YEAR_FIRST = "year/month/day"
    YEAR_THEN_DAY = "year/day/month"


class FoundOrder(NamedTuple):
    """The order of a file; `evidence` is a date that proves it, empty when it is a guess.

    `possible` lists every order that no date contradicts, the chosen one first.
    """

    order: DayOrder
    evidence: str
    possible: tuple[DayOrder, ...]

    @property
    def is_sure(self) -> bool:
        """Tell whether no other order is possible."""
        return len(self.possible) == 1


_PLACES = {
    DayOrder.DAY_FIRST: (2, 1, 0),
    DayOrder.MONTH_FIRST: (2, 0, 1),
    DayOrder.YEAR_FIRST: (0, 1, 2),
    DayOrder.YEAR_THEN_DAY: (0, 2, 1),
}


def moment_of(head: Head, order: DayOrder) -> datetime | None:
    """Return the phone's own time of a head read in an order, None where there is no such day."""
    year_at, month_at, day_at = _PLACES[DayOrder.YEAR_FIRST if head.is_ordered else order]
    year = head.numbers[year_at]
    if year < 100:
        year += 2000
    elif year > 2400:
        year -= _BUDDHIST_YEARS
    if not 2009 <= year <= 2100:  # WhatsApp began in 2009
        return None
    try:
        return datetime(  # noqa: DTZ001 -- a phone writes its own time, without a zone
            year, head.numbers[month_at], head.numbers[day_at], head.hour, head.minute, head.second
        )
    except ValueError:
        return None


def find_order(heads: Sequence[Head]) -> FoundOrder | None:
    """Return the order in which the heads are dates, None when there is none.

    Among several the one in which time runs back least often is taken: exports run forward.
    """
    unordered = [head for head in heads if not head.is_ordered]
    if not unordered:
        return FoundOrder(DayOrder.YEAR_FIRST, "", (DayOrder.YEAR_FIRST,)) if heads else None
    wrong = {order: sum(moment_of(head, order) is None for head in unordered) for order in DayOrder}
    least = min(wrong.values())
    if least > len(unordered) // _PASTED_SHARE:
        return None
    possible = [order for order in DayOrder if wrong[order] == least]
    ranked = tuple(sorted(possible, key=lambda order: _times_running_back(heads, order)))
    return FoundOrder(ranked[0], _evidence(unordered, ranked[0]), ranked)


def _times_running_back(heads: Sequence[Head], order: DayOrder) -> int:
    moments = [moment for head in heads if (moment := moment_of(head, order)) is not None]
    return sum(later < earlier for earlier, later in pairwise(moments))


def _evidence(heads: Sequence[Head], order: DayOrder) -> str:
    """Return a date, as written, that can be read in one order only."""
    for head in heads:
        others = [each for each in DayOrder if each is not order]
        if all(moment_of(head, each) is None for each in others):
            return "/".join(f"{number:02d}" for number in head.numbers)
    return ""
