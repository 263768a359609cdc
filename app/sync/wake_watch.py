"""Owns the noticing that this computer slept, or moved to another network.

It never decides what follows from it: whoever it tells renews the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import NamedTuple

from app.domain.clock import Clock

TICK_S = 5.0
_LATE_S = 10.0
# Addresses for documentation (RFC 5737, RFC 3849): nothing is sent there, only a route looked up.
_NOWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


class Moment(NamedTuple):
    """What both clocks and the way out showed at one time."""

    at_utc_ms: int
    monotonic_s: float
    way_out: str


def has_woken(before: Moment, after: Moment, *, tick_s: float = TICK_S) -> bool:
    """Tell whether the computer slept, or its network changed, between two looks.

    While it sleeps some systems' monotonic clock stands still and others' runs on; either the
    wall clock is ahead then, or the look is far too late. A wall clock that was set back tells
    nothing; one that was set forward costs a new connection.
    """
    by_wall_s = (after.at_utc_ms - before.at_utc_ms) / 1000
    by_monotonic_s = after.monotonic_s - before.monotonic_s
    is_late = by_monotonic_s > tick_s + _LATE_S
    is_ahead = by_wall_s - by_monotonic_s > _LATE_S
    return is_late or is_ahead or after.way_out != before.way_out


def way_out() -> str:
    """Return this computer's addresses on the ways out, empty without a network."""
    found = []
    for family, nowhere in _NOWHERE:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((nowhere, 9))
            found.append(str(probe.getsockname()[0]))
    return " ".join(found)


class WakeWatch:
    """Looks every few seconds and tells when the connection is likely to be dead."""

    def __init__(
        self,
        clock: Clock,
        look_out: Callable[[], str],
        woke: Callable[[], None],
        *,
        tick_s: float = TICK_S,
    ) -> None:
        """`look_out` names the way out (see `way_out`); `woke` is called on the loop."""
        self._clock = clock
        self._look_out = look_out
        self._woke = woke
        self._tick_s = tick_s

    async def run(self) -> None:
        """Watch for ever; cancel to stop."""
        before = self._moment()
        while True:
            await asyncio.sleep(self._tick_s)
            after = self._moment()
            if has_woken(before, after, tick_s=self._tick_s):
                self._woke()
            before = after

    def _moment(self) -> Moment:
        return Moment(self._clock.now_utc_ms(), self._clock.monotonic_s(), self._look_out())
