"""Runs the benchmarks, prints each figure beside its goal and keeps them in out/bench.json.

It never fails for a goal that is missed: it reports, and whoever reads it judges.

Usage: python -m tests.benchmarks [word …] takes only the groups with a line that holds a word.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import groupby
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks.lines import Group, Line, NotMeasured
from tests.benchmarks.measuring import core_share, sync_ms
from tests.benchmarks.registry import GROUPS
from tests.support.surroundings import ROOT

OUT = ROOT / "out"
_APART: Any = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")
_NAME_WIDTH = 58
_LIMIT_WIDTH = 24


class Taken(NamedTuple):
    """A line with its figure, or with None and why there is none."""

    line: Line
    value: float | None
    why: str = ""

    @property
    def is_met(self) -> bool:
        """Tell whether the goal is kept: never without a figure."""
        return self.value is not None and self.line.goal.holds(self.value)


def main(words: list[str], *, apart: bool = False) -> int:
    """Take the figures, print them and write the file; returns the exit status, 0.

    `apart` takes each group in a process of its own, so that none pays for what another left in
    memory: in one process the later ones were seen to take two to four times as long.
    """
    began = time.perf_counter()
    OUT.mkdir(exist_ok=True)
    taken: list[Taken] = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=OUT) as folder:
        _print_surroundings(Path(folder))
        print(f"{'':<{_NAME_WIDTH}} {'figure':>9} {'':<10} {'goal':<10} {'limit':<{_LIMIT_WIDTH}}")
        for one in _figures(_chosen(words), Path(folder), apart=apart):
            taken.append(one)
            _print_figure(one)
    (OUT / "bench.json").write_text(
        json.dumps([_document(one) for one in taken], ensure_ascii=False, indent=1) + "\n",
        encoding="utf-8",
    )
    _print_ending(taken)
    print(f"It took {time.perf_counter() - began:.0f} s.")
    return 0


def _print_ending(taken: list[Taken]) -> None:
    print("\nHow each was taken")
    for how, lines in groupby((one.line for one in taken), key=lambda line: line.how):
        print("  " + "; ".join(line.name for line in lines) + f": {how}")
    missing = [one for one in taken if one.value is None]
    if missing:
        print("\nNot measured here")
    for one in missing:
        print(f"  {one.line.name}: {one.why}")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=OUT) as folder:
        print("\nAt the end: ", end="")
        _print_surroundings(Path(folder))
    met = sum(one.is_met for one in taken)
    print(f"{met} of {len(taken)} goals met, {len(missing)} not measured. ", end="")


def _chosen(words: list[str]) -> list[Group]:
    return [
        group
        for group in GROUPS
        if not words or any(word in line.name for line in group.lines for word in words)
    ]


def _figures(groups: list[Group], folder: Path, *, apart: bool) -> Iterator[Taken]:
    for number, group in enumerate(groups):
        own = folder / str(number)
        own.mkdir()
        values, why = (_measured_apart if apart else Group.measured)(group, own), ""
        for line in group.lines:
            value = None
            if not why:
                try:
                    value = next(values)
                except NotMeasured as fault:
                    why = str(fault)
            yield Taken(line, value, why)


def _measured_apart(group: Group, folder: Path) -> Iterator[float]:
    """Yield a group's figures from a process of its own; raises NotMeasured as the group does."""
    receiver, sender = _APART.Pipe(duplex=False)
    process = _APART.Process(target=_tell, args=(group, folder, sender))
    process.start()
    sender.close()
    try:
        while True:
            told: float | NotMeasured = receiver.recv()
            if isinstance(told, NotMeasured):
                raise told
            yield told
    except EOFError:
        return
    finally:
        process.join()


def _tell(group: Group, folder: Path, sender: Connection) -> None:
    try:
        for value in group.measure(folder):
            sender.send(value)
    except NotMeasured as fault:
        sender.send(fault)
    finally:
        sender.close()


def _print_surroundings(folder: Path) -> None:
    """Print what else goes on here: on a busy machine the figures say less."""
    usual, slow = sync_ms(folder)
    load = f"load {os.getloadavg()[0]:.1f}, " if hasattr(os, "getloadavg") else ""
    print(
        f"{os.cpu_count()} cores, {load}a busy thread gets {core_share():.0%} of one; 4 kB written"
        f" durably in {usual:.1f} ms (p99 {slow:.1f} ms)"
    )


def _print_figure(one: Taken) -> None:
    line, value = one.line, one.value
    said = "not measured" if value is None else "ok" if one.is_met else "MISS"
    figure = "–" if value is None else f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
    print(
        f"{line.name:<{_NAME_WIDTH}} {figure:>9} {line.unit:<10} {line.goal!s:<10}"
        f" {line.limit:<{_LIMIT_WIDTH}} {said}",
        flush=True,
    )


def _document(one: Taken) -> dict[str, object]:
    told: dict[str, object] = {
        "name": one.line.name,
        "value": one.value,
        "unit": one.line.unit,
        "goal": str(one.line.goal),
        "ok": one.is_met,
    }
    return told | ({"why": one.why} if one.value is None else {})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], apart="fork" in multiprocessing.get_all_start_methods()))
