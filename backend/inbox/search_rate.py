"""Owns how often one employee may search: as fast as people type, not as fast as programs ask.

It never remembers what was asked.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

_BURST = 20.0
_A_SECOND = 4.0
_MOST_KNOWN = 10_000


class SearchRate:
    """A bucket of searches for each employee that fills again with time."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, employee_id: str) -> float:
        """Take one search; returns 0.0, or in how many seconds there is one to take."""
        now_s = self._now_s()
        left, since_s = self._left.pop(employee_id, (_BURST, now_s))
        left = min(_BURST, left + (now_s - since_s) * _A_SECOND)
        allowed = left >= 1.0
        self._left[employee_id] = (left - 1.0 if allowed else left, now_s)
        if len(self._left) > _MOST_KNOWN:
            self._left.popitem(last=False)
        return 0.0 if allowed else (1.0 - left) / _A_SECOND
