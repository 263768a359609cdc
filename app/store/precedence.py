"""Owns who goes first while the user types a search and the server has much to tell.

It never makes a write of the user's own wait, and holds the server's up for a moment only.

A commit empties the reader's page cache: with one between two keys each search decrypts its
pages anew, which takes longer than the search itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

# Longer than from one key to the next of somebody who types fast.
CLAIMED_S = 0.12
# Who types without end sees the server's news this much later, in the dark beneath the palette.
MOST_S = 0.3


class Precedence:
    """`claim` with each question; whoever writes what can wait awaits `give_way` first.

    Both on the loop's thread.
    """

    def __init__(
        self,
        clock_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock_s = clock_s
        self._sleep = sleep
        self._until_s = float("-inf")

    def claim(self) -> None:
        """Let what the user asks go first for the next CLAIMED_S seconds."""
        self._until_s = self._clock_s() + CLAIMED_S

    async def give_way(self) -> None:
        """Return once nobody claims any more, after MOST_S seconds at the latest."""
        latest_s = self._clock_s() + MOST_S
        while (left_s := min(self._until_s, latest_s) - self._clock_s()) > 0:
            await self._sleep(left_s)
