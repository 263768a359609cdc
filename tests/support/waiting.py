"""Waits for conditions with a time-out, so that no test sleeps and hopes.

It never waits without an end, and tells in its failure what did not come.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_POLL_S = 0.02


async def eventually(look: Callable[[], Awaitable[T]], what: str, *, timeout_s: float = 60.0) -> T:
    """Call `look` until it returns something true and return that; fail after `timeout_s`."""
    deadline_s = time.monotonic() + timeout_s
    while True:
        value = await look()
        if value:
            return value
        if time.monotonic() > deadline_s:
            raise AssertionError(f"Waited {timeout_s} s in vain: {what} (last seen: {value!r})")
        await asyncio.sleep(_POLL_S)


def until(look: Callable[[], T], what: str, *, timeout_s: float = 60.0) -> T:
    """Do as `eventually`, blocking: for tests without a loop."""
    deadline_s = time.monotonic() + timeout_s
    while not (value := look()):
        if time.monotonic() > deadline_s:
            raise AssertionError(f"Waited {timeout_s} s in vain: {what} (last seen: {value!r})")
        time.sleep(_POLL_S)
    return value
