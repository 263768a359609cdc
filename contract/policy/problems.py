"""Owns how a bundle's faults are named: the file, the line and the reason.

It never decides what to do about them.
"""

from __future__ import annotations

from typing import NamedTuple


class BundleProblem(NamedTuple):
    """One fault of a bundle; `line` counts from 1 and is 0 when the whole file is meant."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.reason}"


class BundleError(ValueError):
    """A bundle was refused; `problems` holds every fault found, in order of file and line."""

    def __init__(self, problems: list[BundleProblem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("; ".join(str(problem) for problem in self.problems))
