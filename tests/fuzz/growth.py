"""Tells whether work grows faster than the size of what it works on.

It counts the processor's time, not the clock's, and takes the best of several runs: a busy
machine must not look like a fault.
"""

from __future__ import annotations

import time
from collections.abc import Callable

ATTEMPTS = 3
ROUNDS = 5
SLACK = 2.0
"""How much more than its share the larger size may cost: caches and collection are not linear,
and a busy machine measures unevenly. What is quadratic costs four times its share."""

HALF_SLACK = 1.3
"""The same between twice and four times, where what is quadratic costs twice its share."""

MIN_MEASURED_S = 0.004
"""Less than this says nothing."""


class TooSlow(AssertionError):
    """Work grew faster than its input."""


def check_linear(work: Callable[[int], object], size: int) -> None:
    """Do the work at a size, at twice and at four times it; raises TooSlow when it bends up.

    `work` gets the size in characters and must not keep results between calls. Only what
    bends up in every round counts.
    """
    for _ in range(ROUNDS):
        base_s, twice_s, four_s = (_best_s(work, size * times) for times in (1, 2, 4))
        share_s = max(base_s, MIN_MEASURED_S / 4)
        if four_s <= share_s * 4 * SLACK or four_s <= twice_s * 2 * HALF_SLACK:
            return
    raise TooSlow(f"{size} took {base_s:.4f} s, twice {twice_s:.4f} s, four times {four_s:.4f} s")


def _best_s(work: Callable[[int], object], size: int) -> float:
    best_s = float("inf")
    for _ in range(ATTEMPTS):
        started_s = time.process_time()
        work(size)
        best_s = min(best_s, time.process_time() - started_s)
        if best_s < MIN_MEASURED_S / 4:
            break
    return best_s
