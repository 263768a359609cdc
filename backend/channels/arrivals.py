"""Owns what a kept connection brought and is not committed yet, in its order.

It never forgets an item before it is asked for what follows: by then the bytes are committed.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from backend.channels.contract import Polled, RawItem

_MARK = "x-parley-arrived"
MOST_WAITING = 200


class _Arrival(NamedTuple):
    number: int
    item: RawItem | None
    settled: Callable[[], None]


def _nothing() -> None:
    """Do nothing once an item is committed."""


class Arrivals:
    """Items of one connection; a cursor names the last one of this process that is committed.

    A cursor also carries a text of the owner's own, which so is committed with the items.
    """

    def __init__(self, state: Callable[[], str] = str) -> None:
        """`state` returns the text to keep beside the items."""
        self._state = state
        self._process = secrets.token_hex(8)
        self._key = secrets.token_bytes(32)
        self._waiting: deque[_Arrival] = deque()
        self._number = 0
        self._changed = asyncio.Event()
        self._settled = asyncio.Event()

    async def room(self) -> None:
        """Wait until so much is committed that more may be taken in."""
        while len(self._waiting) >= MOST_WAITING:
            self._settled.clear()
            await self._settled.wait()

    def put(
        self,
        dedupe_key: str,
        body: bytes,
        settled: Callable[[], None] = _nothing,
    ) -> None:
        """Add an item; `settled` is called once its bytes are committed."""
        mark = hmac.new(self._key, body, hashlib.sha256).hexdigest()
        self._add(RawItem(dedupe_key=dedupe_key, body=body, headers={_MARK: mark}), settled)

    def put_state(self, settled: Callable[[], None] = _nothing) -> None:
        """Have the owner's text committed as it is now; `settled` is called afterwards."""
        self._add(None, settled)

    def is_own(self, item: RawItem) -> bool:
        """Tell in constant time whether these very bytes came over this connection."""
        mark = hmac.new(self._key, item.body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(mark.encode(), item.headers.get(_MARK, "").encode())

    def state_of(self, cursor: str) -> str:
        """Return the owner's text in a cursor of any process."""
        return cursor.partition(" ")[2]

    async def take(self, cursor: str, wait_s: float) -> Polled:
        """Return everything after `cursor`, waiting that long for something to come.

        Whatever the cursor covers is settled: it was committed together with it.
        """
        self._settle(cursor)
        if not self._waiting:
            self._changed.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                return Polled(items=(), cursor=cursor)
        if not self._waiting:
            return Polled(items=(), cursor=cursor)
        items = tuple(each.item for each in self._waiting if each.item is not None)
        place = f"{self._process}.{self._waiting[-1].number} {self._state()}"
        return Polled(items=items, cursor=place.rstrip())

    def _add(self, item: RawItem | None, settled: Callable[[], None]) -> None:
        self._number += 1
        self._waiting.append(_Arrival(self._number, item, settled))
        self._changed.set()

    def _settle(self, cursor: str) -> None:
        process, _, number = cursor.partition(" ")[0].partition(".")
        if process != self._process or not number.isdecimal():
            return
        while self._waiting and self._waiting[0].number <= int(number):
            self._waiting.popleft().settled()
        self._settled.set()
