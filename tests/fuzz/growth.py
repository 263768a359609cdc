"""Tells whether work grows faster than the size of what it works on.

It counts the processor's time, not the clock's, and takes the best of several runs: a busy
machine must not look like a fault.
"""

from __future__ import annotations

import time
from collections.abc import Callable

ATTEMPTS = 3
SLACK = 1.7
"""How much more than its share the larger size may cost: caches and allocation are not linear."""

MIN_MEASURED_S = 0.004
"""Less than this says nothing."""


class TooSlow(AssertionError):
    """Work grew faster than its input."""


def check_linear(work: Callable[[int], object], size: int) -> None:
    """Do the work at a size, at twice and at four times it; raises TooSlow when it bends up.

    `work` gets the size in characters and must not keep results between calls.
    """
    base_s = _best_s(work, size)
    if base_s * 4 < MIN_MEASURED_S:
        return
    for times in (2, 4):
        limit_s = max(base_s, MIN_MEASURED_S / 4) * times * SLACK
        taken_s = _best_s(work, size * times, limit_s)
        if taken_s > limit_s and _best_s(work, size * times) > _best_s(work, size) * times * SLACK:
            raise TooSlow(f"{size} took {base_s:.4f} s, {times} times as much {taken_s:.4f} s")


def _best_s(work: Callable[[int], object], size: int, enough_s: float = 0.0) -> float:
    best_s = float("inf")
    for _ in range(ATTEMPTS):
        started_s = time.process_time()
        work(size)
        best_s = min(best_s, time.process_time() - started_s)
        if best_s <= enough_s:
            break
    return best_s
