"""Runs the benchmarks, prints each figure beside its goal and keeps them in out/bench.json.

It never fails for a goal that is missed: it reports, and whoever reads it judges.

Usage: python -m tests.benchmarks [word …] takes only the groups with a line that holds a word.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.lines import Group, Line
from tests.benchmarks.measuring import core_share, sync_ms
from tests.benchmarks.registry import GROUPS
from tests.support.surroundings import ROOT

OUT = ROOT / "out"
_NAME_WIDTH = 56


def main(words: list[str]) -> int:
    """Take the figures, print them and write the file; returns the exit status, 0."""
    began = time.perf_counter()
    OUT.mkdir(exist_ok=True)
    taken: list[tuple[Line, float]] = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=OUT) as folder:
        _print_surroundings(Path(folder))
        for line, value in _figures(_chosen(words), Path(folder)):
            taken.append((line, value))
            _print_figure(line, value)
    (OUT / "bench.json").write_text(
        json.dumps([_document(*one) for one in taken], ensure_ascii=False, indent=1) + "\n",
        encoding="utf-8",
    )
    print("\nHow each was taken")
    for line, _ in taken:
        print(f"  {line.name}: {line.how}")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=OUT) as folder:
        print("\nAt the end: ", end="")
        _print_surroundings(Path(folder))
    met = sum(line.goal.holds(value) for line, value in taken)
    print(f"{met} of {len(taken)} goals met in {time.perf_counter() - began:.0f} s")
    return 0


def _chosen(words: list[str]) -> list[Group]:
    return [
        group
        for group in GROUPS
        if not words or any(word in line.name for line in group.lines for word in words)
    ]


def _figures(groups: list[Group], folder: Path) -> Iterator[tuple[Line, float]]:
    for number, group in enumerate(groups):
        own = folder / str(number)
        own.mkdir()
        yield from zip(group.lines, group.measure(own), strict=True)


def _print_surroundings(folder: Path) -> None:
    """Print what else goes on here: on a busy machine the figures say less."""
    usual, slow = sync_ms(folder)
    load = f"load {os.getloadavg()[0]:.1f}, " if hasattr(os, "getloadavg") else ""
    print(
        f"{os.cpu_count()} cores, {load}a busy thread gets {core_share():.0%} of one; 4 kB written"
        f" durably in {usual:.1f} ms (p99 {slow:.1f} ms)"
    )


def _print_figure(line: Line, value: float) -> None:
    said = "ok" if line.goal.holds(value) else "MISS"
    figure = f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
    print(
        f"{line.name:<{_NAME_WIDTH}} {figure:>9} {line.unit:<10} {line.goal!s:<10} {said}",
        flush=True,
    )


def _document(line: Line, value: float) -> dict[str, object]:
    return {
        "name": line.name,
        "value": value,
        "unit": line.unit,
        "goal": str(line.goal),
        "ok": line.goal.holds(value),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
