"""Owns the access tokens of WeChat and WeCom accounts: fetched once, kept, renewed in time.

It never writes one down, and a burst of refused calls renews it only once.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from contract.ids import AccountId

_EARLY_MS = 5 * 60_000


class Granted(NamedTuple):
    """A token with how long it holds."""

    token: str
    lasts_s: int


class AccessTokens:
    """Tokens by account; `fetch(account_id, force)` asks the vendor for one.

    `force` says that the vendor refused the one it last gave.
    """

    def __init__(
        self,
        fetch: Callable[[AccountId, bool], Awaitable[Granted]],
        now: Callable[[], int],
    ) -> None:
        self._fetch = fetch
        self._now = now
        self._kept: dict[AccountId, tuple[str, int]] = {}
        self._asking: defaultdict[AccountId, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def token_of(self, account_id: AccountId, *, refused: str = "") -> str:
        """Return a token that still holds; another one than `refused` where the vendor has one.

        Raises what the vendor's refusal means.
        """
        async with self._asking[account_id]:
            token, until_utc_ms = self._kept.get(account_id, ("", 0))
            if token and token != refused and self._now() < until_utc_ms:
                return token
            granted = await self._fetch(account_id, False)
            if granted.token == refused:
                granted = await self._fetch(account_id, True)
            until_utc_ms = self._now() + max(0, granted.lasts_s * 1000 - _EARLY_MS)
            self._kept[account_id] = (granted.token, until_utc_ms)
            return granted.token

    def forget(self, account_id: AccountId) -> None:
        """Drop an account's token: its secret is another one now."""
        self._kept.pop(account_id, None)
