"""Tells what the last soak found: memory at the end of a day's use, and how much it grew.

It does not play the day: `make soak` does, which takes minutes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.lines import Group, Line, NotMeasured, at_most
from tests.support.surroundings import ROOT

_RESULT = ROOT / "out" / "soak.json"
_HOW = (
    "the app's share of memory (PSS) over eight hours' worth of use, by a line fitted after the"
    " warm-up; read from out/soak.json, which `make soak` writes"
)
LINES = (
    Line("memory: after the day-long soak", "MB", at_most(121), _HOW),
    Line("memory: growth over the day-long soak", "%", at_most(10), _HOW),
)


def measure(_folder: Path) -> Iterator[float]:
    """Yield the figures of LINES as the last soak left them."""
    try:
        found = json.loads(_RESULT.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise NotMeasured("No soak was played here yet: run `make soak` first.") from fault
    yield float(found["memory_mb"])
    yield 100 * float(found["growth"])


GROUP = Group(LINES, measure)
