"""Remembers how far the sending of the outbox came since it was last empty.

It never reads the outbox: the core's status tells.
"""

from __future__ import annotations

from collections.abc import Callable

from app.domain.status import CoreStatus, Link


class QueueProgress:
    """`sent` of `whole` went, in the time the line was up."""

    def __init__(self, now_utc_ms: Callable[[], int]) -> None:
        self._now_utc_ms = now_utc_ms
        self._began_utc_ms = 0
        self._sent_before = 0
        self._waiting = 0
        self._online = False
        self.whole = 0

    def take(self, status: CoreStatus) -> None:
        """Take the core's status; what is written meanwhile counts to the whole."""
        more = status.outbox_waiting - self._waiting
        self._waiting = status.outbox_waiting
        if self._waiting == 0:
            self.whole = 0
        elif more > 0:
            self.whole += more
        online = status.link is Link.ONLINE
        if self.whole == self._waiting or (online and not self._online):
            self._began_utc_ms, self._sent_before = self._now_utc_ms(), self.sent
        self._online = online

    @property
    def sent(self) -> int:
        """Return how many of the whole have left the queue."""
        return max(0, self.whole - self._waiting)

    def left_s(self) -> float | None:
        """Return how long the rest takes at the pace so far; None while that can't be told."""
        went = self.sent - self._sent_before
        took_s = (self._now_utc_ms() - self._began_utc_ms) / 1000
        if not self._online or went < 20 or took_s <= 0:
            return None
        return self._waiting * took_s / went
