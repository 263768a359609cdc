"""Owns which of the messages that are due may be handed to their vendors now.

It never claims, sends or writes: the worker does what is chosen and tells how it went.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from backend.channels import faults
from backend.channels.contract import Account, SendResult
from backend.channels.rates import NO_LIMITS, RateLimits
from backend.delivery.breaker import CircuitBreaker
from backend.delivery.claims import Claim, Head
from backend.delivery.pacing import Pacing, VendorLimit
from backend.delivery.pulse import Pulse
from contract.ids import AccountId

AT_ONCE = 32
# A vendor that hangs must not take the places of the others.
AT_ONCE_PER_ACCOUNT = 8


class Held(NamedTuple):
    """Accounts that may not send now; `until_utc_ms`: the first moment one may again by time."""

    account_ids: frozenset[str]
    until_utc_ms: int | None


class Choice(NamedTuple):
    """Messages that may go now, with jobs that may go at a later time (UTC milliseconds)."""

    message_ids: tuple[str, ...]
    deferred: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What an attempt's end means beyond its message.

    `limits` are to be kept and `forgotten` chats' limits to be dropped; `retry_at_utc_ms` is set
    where not the message's own patience says when it is tried again; `turned` tells that the
    account's breaker opened, or closed, by this.
    """

    limits: tuple[VendorLimit, ...] = ()
    forgotten: tuple[str, ...] = ()
    retry_at_utc_ms: int | None = None
    turned: bool = False


class Traffic:
    """Pacing, breaker and pulse of one worker's accounts; it lives on one event loop."""

    def __init__(
        self,
        rates: Callable[[Account], RateLimits] = lambda _: NO_LIMITS,
        *,
        breaker: CircuitBreaker | None = None,
        at_once_per_account: int = AT_ONCE_PER_ACCOUNT,
    ) -> None:
        """`rates` tells an account's own limits (backend.channels.rates)."""
        self.pacing = Pacing(rates)
        self.breaker = breaker or CircuitBreaker()
        self.pulse = Pulse()
        self._at_once_per_account = at_once_per_account
        self.changed: Callable[[], None] = lambda: None

    def remember(
        self, limits: Iterable[VendorLimit], unreachable: Mapping[AccountId, int], now_utc_ms: int
    ) -> None:
        """Go on as an earlier process left it: limits, and accounts unreachable since a time."""
        self.pacing.remember(limits)
        for account_id, since_utc_ms in unreachable.items():
            self.breaker.reopen(account_id, since_utc_ms, now_utc_ms)

    def renew(self, account_ids: Iterable[AccountId]) -> None:
        """Think well of accounts whose settings changed."""
        for account_id in account_ids:
            self.breaker.answered(account_id)
            self.pulse.heard(account_id)
        self.changed()

    @property
    def free(self) -> int:
        """Return how many messages may be under way beside those that are."""
        return max(0, AT_ONCE - self.pulse.under_way)

    def held(self, accounts: Iterable[Account], now_utc_ms: int) -> Held:
        """Return which accounts may not send now."""
        ids, times = set(), []
        for account in accounts:
            if self.holds(account, now_utc_ms):
                ids.add(str(account.account_id))
                times.append(self._free_at(account, now_utc_ms))
        times = [at_utc_ms for at_utc_ms in times if at_utc_ms > now_utc_ms]
        return Held(frozenset(ids), min(times, default=None))

    def holds(self, account: Account, now_utc_ms: int) -> bool:
        """Tell whether nothing more of the account may go now."""
        full = self._places(account.account_id) <= 0
        return full or self._free_at(account, now_utc_ms) > now_utc_ms

    def is_suspicious(self, accounts: Iterable[Account], now_utc_ms: int) -> bool:
        """Tell whether anything here may mean that a vendor is not well."""
        return any(
            self.holds(account, now_utc_ms)
            or self.breaker.failing_since(account.account_id) is not None
            or self.pulse.slow_since(account.account_id, now_utc_ms) is not None
            for account in accounts
        )

    def choose(
        self, heads: Iterable[Head], accounts: Mapping[AccountId, Account], now_utc_ms: int
    ) -> Choice:
        """Choose among heads of lanes, in their order; those chosen count as sent.

        What is held for its account alone stands in neither list: it is asked about again.
        """
        going, deferred, taken = [], [], dict.fromkeys(accounts, 0)
        for head in heads:
            account = accounts.get(head.account_id)
            if account is None or taken[head.account_id] >= self._places(head.account_id):
                continue
            if self._free_at(account, now_utc_ms) > now_utc_ms:
                continue
            chat = head.conversation_id
            at_utc_ms = self.pacing.chat_free_at(account, chat, now_utc_ms, group=head.group)
            if at_utc_ms > now_utc_ms:
                deferred.append((head.job_id, at_utc_ms))
                continue
            self.pacing.take(account, chat, now_utc_ms, group=head.group)
            taken[head.account_id] += 1
            going.append(head.message_id)
        return Choice(tuple(going), tuple(deferred))

    def started(self, claim: Claim, now_utc_ms: int) -> None:
        """Note that a claimed message is on its way to the vendor."""
        self.pulse.started(claim.attempt.attempt_id, claim.account_id, now_utc_ms)
        self.changed()

    def ended(
        self,
        claim: Claim,
        account: Account,
        outcome: SendResult | faults.ChannelFault | None,
        now_utc_ms: int,
    ) -> Ended:
        """Note how an attempt ended; None when the vendor was not asked at all."""
        self.pulse.ended(claim.attempt.attempt_id, now_utc_ms)
        try:
            return self._ended(claim, account, outcome, now_utc_ms)
        finally:
            self.changed()

    def _ended(
        self,
        claim: Claim,
        account: Account,
        outcome: SendResult | faults.ChannelFault | None,
        now_utc_ms: int,
    ) -> Ended:
        if outcome is None:
            return Ended()
        if isinstance(outcome, faults.Retryable | faults.OutcomeUnknown):
            turned = self.breaker.failed(account.account_id, now_utc_ms)
            # While it is open the breaker says when, not each message by itself.
            is_open = self.breaker.is_open(account.account_id)
            return Ended(turned=turned, retry_at_utc_ms=now_utc_ms if is_open else None)
        turned, chat = self.breaker.answered(account.account_id), claim.conversation_id
        if isinstance(outcome, faults.RateLimited):
            limits = self.pacing.limited(account, chat, outcome, now_utc_ms)
            free_at = max(
                self.pacing.account_free_at(account, now_utc_ms),
                self.pacing.chat_free_at(account, chat, now_utc_ms, group=False),
            )
            return Ended(turned=turned, limits=limits, retry_at_utc_ms=free_at)
        forgotten: tuple[str, ...] = ()
        if isinstance(outcome, SendResult) and self.pacing.well(account.account_id, chat):
            forgotten = ("", chat)
        return Ended(turned=turned, forgotten=forgotten)

    def _places(self, account_id: AccountId) -> int:
        # After a failure or a limit one goes first and finds out.
        careful = self.breaker.is_open(account_id) or self.pacing.is_wary(account_id)
        most = 1 if careful else self._at_once_per_account
        return most - self.pulse.under_way_of(account_id)

    def _free_at(self, account: Account, now_utc_ms: int) -> int:
        return max(
            self.breaker.probe_at(account.account_id),
            self.pacing.account_free_at(account, now_utc_ms),
        )
