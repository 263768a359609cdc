"""Owns what growth is: a line fitted so that single outliers don't move it, over the day's end.

It never looks at a process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

WARM_UP = 0.35
MOST_GROWTH = 0.10
# Of kinds of objects: what a few rounds may add without being a leak.
FEW_OBJECTS = 150.0


@dataclass(frozen=True, slots=True)
class Growth:
    """How one figure went after the warm-up: from, to (by the fitted line), and how many rounds."""

    name: str
    start: float
    end: float
    rounds: int

    @property
    def share(self) -> float:
        """Return the growth as a share of where it started."""
        return (self.end - self.start) / max(self.start, 1.0)

    def __str__(self) -> str:
        return f"{self.name}: {self.start:,.0f} → {self.end:,.0f} ({self.share:+.1%})"


def fitted(name: str, values: Sequence[float]) -> Growth:
    """Fit a line after the warm-up: the median of all slopes between two rounds (Theil, Sen)."""
    warm = values[int(len(values) * WARM_UP) :]
    slopes = [
        (warm[b] - warm[a]) / (b - a) for a in range(len(warm)) for b in range(a + 1, len(warm))
    ]
    slope = median(slopes) if slopes else 0.0
    middle = median(warm)
    half = slope * (len(warm) - 1) / 2
    return Growth(name, middle - half, middle + half, len(warm))


def too_much(growths: Sequence[Growth]) -> list[Growth]:
    """Return what grew by more than MOST_GROWTH, most first."""
    found = [each for each in growths if each.share > MOST_GROWTH]
    return sorted(found, key=lambda each: -each.share)


def kinds_that_grew(kinds: Sequence[Mapping[str, int]]) -> list[Growth]:
    """Return the kinds of objects that became more from round to round, by number."""
    names = {name for each in kinds for name in each}
    growths = [fitted(name, [each.get(name, 0) for each in kinds]) for name in sorted(names)]
    found = [each for each in growths if each.end - each.start > FEW_OBJECTS and each.share > 0.1]
    return sorted(found, key=lambda each: each.start - each.end)
