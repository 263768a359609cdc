"""Makes every Python process of a test run take its steps late, now and then, to bring out races.

It never changes what a step does, only when: Python loads it by itself from PYTHONPATH.
"""

import concurrent.futures
import functools
import random
import time

_SHARE_LATE = 0.12
_MOST_LATE_S = 0.08
_SHARE_VERY_LATE = 0.004
_VERY_LATE_S = 0.5

_sleep = time.sleep
_random = random.SystemRandom()
_submit = concurrent.futures.ThreadPoolExecutor.submit


def _dawdle():
    """Sleep a moment, mostly none; tests may have replaced time.sleep since."""
    drawn = _random.random()
    if drawn < _SHARE_VERY_LATE:
        _sleep(_VERY_LATE_S)
    elif drawn < _SHARE_LATE:
        _sleep(_random.random() * _MOST_LATE_S)


def _submit_late(self, fn, /, *args, **named):
    """Have a job begin late, and its result come late, each on its own."""

    @functools.wraps(fn)
    def late(*args, **named):
        _dawdle()
        try:
            return fn(*args, **named)
        finally:
            _dawdle()

    return _submit(self, late, *args, **named)


concurrent.futures.ThreadPoolExecutor.submit = _submit_late
