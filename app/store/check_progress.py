"""Follows a check of a database from SQLite's progress calls, and cuts it short when asked.

It never touches the database itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

EVERY_STEPS = 5_000
# Seen on a million messages: the tree of pages takes a quarter of the time in few calls, the rows
# another quarter in nearly all of them, the search index the rest.
_SHARES = (0.27, 0.25, 0.48)
_STEPS_PER_PAGE, _STEPS_PER_ROW, _STEPS_PER_INDEXED_ROW = 1.0, 19.0, 0.6


class CheckProgress:
    """`tell` is called on the checking thread with a fraction that never falls."""

    def __init__(self, tell: Callable[[float], None]) -> None:
        self._tell = tell
        self._stopped = threading.Event()
        self._calls = 0
        self._ends = (1.0, 1.0, 1.0)
        self._told = 0.0

    def begin(self, pages: int, rows: int) -> None:
        """Say how much is to be checked."""
        steps = (pages * _STEPS_PER_PAGE, rows * _STEPS_PER_ROW, rows * _STEPS_PER_INDEXED_ROW)
        self._ends = (
            max(1.0, steps[0] / EVERY_STEPS),
            max(1.0, steps[1] / EVERY_STEPS),
            max(1.0, steps[2] / EVERY_STEPS),
        )
        self._calls = 0

    def on_steps(self) -> int:
        """Take one progress call; the answer 1 has SQLite stop."""
        self._calls += 1
        left, done = float(self._calls), 0.0
        for calls, share in zip(self._ends, _SHARES, strict=True):
            done += share * min(1.0, left / calls)
            left = max(0.0, left - calls)
        if done >= self._told + 0.005:
            self._told = done
            self._tell(done)
        return int(self._stopped.is_set())

    def stop(self) -> None:
        """Have the check end at its next call."""
        self._stopped.set()
