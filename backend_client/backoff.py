"""Owns how long to wait before trying again: exponential with jitter, within bounds.

It never decides whether trying again makes sense.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable


def backoff_s(attempts: int, first_s: float, most_s: float, draw: float) -> float:
    """Return the wait after `attempts` failures (1 …) for a random `draw` in 0 … 1.

    Half of the exponential step is certain, half is drawn, so that clients that failed together
    do not come back together.
    """
    step_s = min(most_s, first_s * 2.0 ** min(max(attempts, 1) - 1, 30))
    return step_s * (0.5 + 0.5 * draw)


async def wait_or(hurry: asyncio.Event, most_s: float) -> bool:
    """Wait `most_s` seconds or until `hurry` is set, clear it, and tell whether it was set."""
    try:
        async with asyncio.timeout(most_s):
            await hurry.wait()
    except TimeoutError:
        pass
    hurried = hurry.is_set()
    hurry.clear()
    return hurried


class Backoff:
    """A run of failures that ends with `reset`."""

    def __init__(
        self, first_s: float, most_s: float, draw: Callable[[], float] = random.random
    ) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._draw = draw
        self.failures = 0

    def next_s(self, at_least_s: float | None = None) -> float:
        """Count a failure and return the seconds to wait, the other side's wish respected."""
        self.failures += 1
        wait_s = backoff_s(self.failures, self._first_s, self._most_s, self._draw())
        return max(wait_s, at_least_s or 0.0)

    def reset(self) -> None:
        """Begin anew after a success."""
        self.failures = 0
