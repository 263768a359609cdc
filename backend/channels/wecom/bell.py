"""Owns the waking of pulls: a callback rings for one customer service account.

It never rings for what another account's clients wrote, and it keeps nothing over a restart.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict

LONGEST_WAIT_S = 55.0


class Bells:
    """Rings by customer service account (`open_kfid`), each with the newest callback's token."""

    def __init__(self) -> None:
        self._rung: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._tokens: dict[str, str] = {}

    def ring(self, open_kfid: str, token: str = "") -> None:
        """Wake the pull of an account; the token lets it pull without the strict limit."""
        if token:
            self._tokens[open_kfid] = token
        self._rung[open_kfid].set()

    async def wait(self, open_kfid: str, timeout_s: float) -> bool:
        """Wait for a ring, no longer than `timeout_s`; tells whether there was one."""
        bell = self._rung[open_kfid]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await bell.wait()
        rung = bell.is_set()
        bell.clear()
        return rung

    def take_token(self, open_kfid: str) -> str:
        """Return the newest callback's token, once; empty where there is none."""
        return self._tokens.pop(open_kfid, "")
