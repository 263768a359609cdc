"""Owns what a benchmark's line is: a name, a unit, a goal with its direction, and how it is taken.

It measures nothing, and never rounds a figure before it is compared with its goal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple


class Goal(NamedTuple):
    """A bound a figure is to keep: at most it, or at least it."""

    bound: float
    at_most: bool

    def holds(self, value: float) -> bool:
        """Tell whether a figure keeps the bound."""
        return value <= self.bound if self.at_most else value >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.bound:g}"


class NotMeasured(Exception):
    """A group could not take the rest of its figures; the text says in a sentence why."""


class Line(NamedTuple):
    """One figure to take; `how` says in a sentence what stands behind it.

    `limit` is what the parts below can do at best on the same data, where that is known.
    """

    name: str
    unit: str
    goal: Goal
    how: str
    limit: str = ""


class Group(NamedTuple):
    """Lines taken together: `measure` yields their figures in order, its files in the folder.

    It raises NotMeasured where the figures still due can't be taken on this machine.
    """

    lines: Sequence[Line]
    measure: Callable[[Path], Iterator[float]]

    def measured(self, folder: Path) -> Iterator[float]:
        """Yield the figures, taken in this process."""
        return self.measure(folder)


def at_most(bound: float) -> Goal:
    """Return the goal of a figure that is better when smaller."""
    return Goal(bound, at_most=True)


def at_least(bound: float) -> Goal:
    """Return the goal of a figure that is better when larger."""
    return Goal(bound, at_most=False)
