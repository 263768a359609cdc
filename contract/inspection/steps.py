"""Owns the count of a library's steps: calls made within it, the same on a slow computer.

It never looks at a clock, and it leaves another profiler in its place afterwards.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from contract.inspection.model import Reason
from contract.inspection.reading import Stopped


class _OutOfSteps(BaseException):
    """Passes through a library's `except Exception`, which would count no further."""


@contextmanager
def limited_steps(most: int) -> Iterator[None]:
    """Raise Stopped within the block once the calling thread has made `most` calls.

    A call within a C function's own loop is not counted: sizes bound those.
    """
    left = most

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal left
        if event in ("call", "c_call"):
            left -= 1
            if left < 0:
                raise _OutOfSteps

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    except _OutOfSteps as stop:
        raise Stopped(Reason.TOO_SLOW) from stop
    finally:
        sys.setprofile(before)
