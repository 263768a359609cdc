"""Keeps the few figures the diagnostics page shows, all taken in this run of Parley.

It never invents one: a figure not taken yet says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

KEPT = 128


@dataclass(frozen=True, slots=True)
class FigureCard:
    """One card: name, value, what it means, and the values behind it, oldest first."""

    name: str
    value: str
    meaning: str
    series: tuple[float, ...] = ()


@dataclass(slots=True)
class Figures:
    """`start_s` is seconds from the process's start to the first painted inbox."""

    start_s: float | None = None
    archived_ms: list[float] = field(default_factory=list)
    search_ms: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)

    def add_archived(self, elapsed_ms: float) -> None:
        """Note how long a message took from its submission to its archive entry."""
        self.archived_ms.append(elapsed_ms)
        del self.archived_ms[:-KEPT]

    def add_memory(self, size_mb: float) -> None:
        """Note the memory in use."""
        self.memory_mb.append(size_mb)
        del self.memory_mb[:-KEPT]

    def cards(self) -> tuple[FigureCard, ...]:
        """Return the cards from left to right."""
        start = f"{self.start_s:.2f} s" if self.start_s is not None else "—"
        memory = f"{self.memory_mb[-1]:.0f} MB" if self.memory_mb else "—"
        return (
            FigureCard("Cold start", start, "this start, to the first painted inbox"),
            FigureCard(
                "Send → archived",
                _milliseconds(self.archived_ms),
                _p95_of(self.archived_ms, "message"),
                tuple(self.archived_ms),
            ),
            FigureCard(
                "Search",
                _milliseconds(self.search_ms),
                _p95_of(self.search_ms, "search"),
                tuple(self.search_ms),
            ),
            FigureCard("Memory", memory, "this window, without the service", (*self.memory_mb,)),
        )


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile by nearest rank; raises ValueError without values."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]


def _milliseconds(values: Sequence[float]) -> str:
    if not values:
        return "—"
    worst = p95(values)
    return f"{worst:.0f} ms" if worst >= 10 else f"{worst:.1f} ms"


def _p95_of(values: Sequence[float], what: str) -> str:
    if not values:
        return f"no {what} in this run yet"
    plural = "es" if what.endswith("ch") else "s"
    return f"p95 of {len(values)} {what}{'' if len(values) == 1 else plural} in this run"
