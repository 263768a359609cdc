"""A fuse that kills its own process at the n-th step after it was armed.

It never cleans up: the process is gone as after a loss of power, without any handler.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

Told = Callable[[int, str], None]


class Fuse:
    """Counts named steps from any thread; each is told before the process may die at it."""

    def __init__(self, tell: Told) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._die_at: int | None = None
        self._count = 0
        self._commits_only = False
        self._begins_at = ""

    def arm(self, die_at: int, *, begins_at: str = "", commits_only: bool = False) -> None:
        """Begin to count; the process dies at step `die_at` (1 is the next one).

        `begins_at` names the step that is the first one, so that nothing else which happens to be
        going on is counted before it; empty: whatever comes next.

        `commits_only` counts what has happened, not what is about to: half as many deaths, for
        where nothing outside the files happens between two commits.
        """
        with self._lock:
            self._commits_only = commits_only
            self._die_at = die_at
            self._begins_at = begins_at
            self._count = 0

    def disarm(self) -> None:
        """Stop counting: the process lives on."""
        with self._lock:
            self._die_at = None

    def step(self, name: str) -> None:
        """Pass one step, or die at it."""
        with self._lock:
            if self._die_at is None or (self._commits_only and name.startswith("before")):
                return
            if self._count == 0 and self._begins_at not in {"", name}:
                return
            self._count += 1
            self._tell(self._count, name)
            if self._count == self._die_at:
                os.kill(os.getpid(), signal.SIGKILL)
                threading.Event().wait()  # the signal is on its way: nothing may run any more

    def around(self, owner: object, method: str, name: Callable[..., str]) -> None:
        """Put a step before and after each call of a plain method of `owner`.

        `name` makes the step's name of the call's arguments; an empty one makes no step. A call
        that raises passes no second step.
        """
        inner: Callable[..., Any] = getattr(owner, method)

        def wrapped(*args: Any, **named: Any) -> Any:
            called = name(*args, **named)
            if called:
                self.step(f"before {called}")
            result = inner(*args, **named)
            if called:
                self.step(f"after {called}")
            return result

        setattr(owner, method, wrapped)

    def around_async(self, owner: object, method: str, name: Callable[..., str]) -> None:
        """Do as `around` for a coroutine method."""
        inner: Callable[..., Any] = getattr(owner, method)

        async def wrapped(*args: Any, **named: Any) -> Any:
            called = name(*args, **named)
            if called:
                self.step(f"before {called}")
            result = await inner(*args, **named)
            if called:
                self.step(f"after {called}")
            return result

        setattr(owner, method, wrapped)


def qualified_name(work: object) -> str:
    """Return the name of a function given to a database, as a step's name: `Room.method`."""
    name = str(getattr(work, "__qualname__", type(work).__name__))
    return name.partition(".<locals>")[0]
