"""Owns when the next message may go to an account, a chat or a group without being too fast.

It never sends and never reads the database: what vendors said is handed to it and kept by others.

Own limits are one number each, the time at which the line would be free again ("generic cell
rate", ITU-T I.371), and are forgotten with the process. What a vendor asked for outlives it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import msgspec

from backend.channels import faults
from backend.channels.contract import Account
from backend.channels.rates import NO_LIMITS, Rate, RateLimits
from contract.ids import AccountId, ConversationId

# A vendor may ask for weeks (a monthly quota); an administrator may have mended it meanwhile.
LONGEST_HOLD_MS = 3_600_000
LONGEST_GROWTH_MS = 3_600_000
# A vendor that limits this many chats of an account at once means the account.
CHATS_THAT_MEAN_ALL = 3
_ALL = ""
_TIDY_ABOVE = 4_096


class VendorLimit(msgspec.Struct, frozen=True, kw_only=True):
    """What a vendor asked for: nothing before `until_utc_ms`; `chat` empty: the whole account.

    It asked for the first of `strikes` times at `since_utc_ms`, for the last at `asked_at_utc_ms`.
    """

    account_id: AccountId
    chat: str
    since_utc_ms: int
    asked_at_utc_ms: int
    until_utc_ms: int
    strikes: int = 1
    quota: bool = False


class Pacing:
    """The lines of all accounts of one process; it lives on one event loop."""

    def __init__(self, rates: Callable[[Account], RateLimits] = lambda _: NO_LIMITS) -> None:
        """`rates` tells an account's own limits."""
        self._rates = rates
        self._free_at_ms: dict[tuple[str, str], float] = {}
        self._limits: dict[tuple[str, str], VendorLimit] = {}

    def remember(self, limits: Iterable[VendorLimit]) -> None:
        """Take over what vendors asked for before this process began."""
        for limit in limits:
            self._limits[limit.account_id, limit.chat] = limit

    def account_limit(self, account_id: AccountId, now_utc_ms: int) -> VendorLimit | None:
        """Return what a vendor asked of the whole account, while it holds."""
        limit = self._limits.get((account_id, _ALL))
        return limit if limit is not None and limit.until_utc_ms > now_utc_ms else None

    def is_wary(self, account_id: AccountId) -> bool:
        """Tell whether a vendor limited the account and has taken nothing since."""
        return (account_id, _ALL) in self._limits

    def account_free_at(self, account: Account, now_utc_ms: int) -> int:
        """Return when the account may send again; a time not in the future: now.

        Of a vendor's limit at most an hour is waited out at once: then one message tries.
        """
        own = self._own_at((account.account_id, _ALL), self._rates(account).account, now_utc_ms)
        limit = self.account_limit(account.account_id, now_utc_ms)
        if limit is None:
            return own
        return max(own, min(limit.until_utc_ms, limit.asked_at_utc_ms + LONGEST_HOLD_MS))

    def chat_free_at(
        self, account: Account, chat: ConversationId, now_utc_ms: int, *, group: bool
    ) -> int:
        """Return when this chat may get a message again; a time not in the future: now."""
        key = (account.account_id, chat)
        limit = self._limits.get(key)
        own = self._own_at(key, self._chat_rate(account, group), now_utc_ms)
        return own if limit is None else max(own, limit.until_utc_ms)

    def take(self, account: Account, chat: ConversationId, now_utc_ms: int, *, group: bool) -> None:
        """Count a message that goes now."""
        rates = self._rates(account)
        for scope, rate in ((_ALL, rates.account), (chat, self._chat_rate(account, group))):
            key = account.account_id, scope
            if rate is not None:
                free_at_ms = max(self._free_at_ms.get(key, 0.0), now_utc_ms)
                self._free_at_ms[key] = free_at_ms + rate.every_ms
        if len(self._free_at_ms) > _TIDY_ABOVE:
            self._free_at_ms = {key: at for key, at in self._free_at_ms.items() if at > now_utc_ms}

    def limited(
        self,
        account: Account,
        chat: ConversationId,
        fault: faults.RateLimited,
        now_utc_ms: int,
    ) -> tuple[VendorLimit, ...]:
        """Take a vendor's "wait"; returns what has to be kept, the account's limit last.

        A chat that is limited again and again waits longer each time, where the channel says so.
        """
        quota = isinstance(fault, faults.QuotaExhausted)
        whole = fault.scope is faults.LimitScope.ACCOUNT
        first = self._limit(account, _ALL if whole else chat, fault.until_utc_ms, now_utc_ms, quota)
        found = [first]
        if not whole and (until := self._several_until(account.account_id, now_utc_ms)):
            found.append(self._limit(account, _ALL, until, now_utc_ms, quota))
        return tuple(found)

    def well(self, account_id: AccountId, chat: ConversationId) -> bool:
        """Note that the vendor took a message; true when a kept limit is to be forgotten."""
        known = [self._limits.pop((account_id, scope), None) for scope in (_ALL, chat)]
        return any(limit is not None for limit in known)

    def _limit(
        self, account: Account, scope: str, until_utc_ms: int, now_utc_ms: int, quota: bool
    ) -> VendorLimit:
        before = self._limits.get((account.account_id, scope))
        if before is not None and now_utc_ms - before.until_utc_ms > LONGEST_GROWTH_MS:
            before = None
        strikes = 1 if before is None else before.strikes + 1
        growth = self._rates(account).chat_growth
        if scope and growth:
            grown_ms = min(growth ** min(strikes, 12) * 1_000, LONGEST_GROWTH_MS)
            until_utc_ms = max(until_utc_ms, now_utc_ms + grown_ms)
        limit = VendorLimit(
            account_id=account.account_id,
            chat=scope,
            since_utc_ms=now_utc_ms if before is None else before.since_utc_ms,
            asked_at_utc_ms=now_utc_ms,
            until_utc_ms=until_utc_ms,
            strikes=strikes,
            quota=quota,
        )
        self._limits[account.account_id, scope] = limit
        return limit

    def _several_until(self, account_id: str, now_utc_ms: int) -> int:
        """Return when the first of several limited chats is free again, 0 when they are few."""
        held = [
            limit.until_utc_ms
            for (owner, scope), limit in self._limits.items()
            if owner == account_id and scope and limit.until_utc_ms > now_utc_ms
        ]
        return min(held) if len(held) >= CHATS_THAT_MEAN_ALL else 0

    def _chat_rate(self, account: Account, group: bool) -> Rate | None:
        rates = self._rates(account)
        return rates.group if group and rates.group is not None else rates.chat

    def _own_at(self, key: tuple[str, str], rate: Rate | None, now_utc_ms: int) -> int:
        if rate is None:
            return 0
        free_at_ms = self._free_at_ms.get(key, 0.0)
        # A clock that was set back must not hold a line for longer than the vendor would.
        free_at_ms = min(free_at_ms, now_utc_ms + rate.every_ms * rate.burst)
        return math.ceil(free_at_ms - rate.every_ms * (rate.burst - 1))
