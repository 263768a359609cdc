"""Owns how each account's vendor answers: what is under way, what took long, what fails inbound.

It never decides what follows from it: the channels' watch does.
"""

from __future__ import annotations

from dataclasses import dataclass

from contract.ids import AccountId

SLOW_AFTER_MS = 15_000


@dataclass(frozen=True, slots=True)
class _Flight:
    account_id: AccountId
    started_at_utc_ms: int


@dataclass(frozen=True, slots=True)
class InboundFailure:
    """Polling an account fails since this time; `refused`: the vendor refuses the account."""

    since_utc_ms: int
    refused: bool


class Pulse:
    """What is under way and how it went; it lives on one event loop."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight] = {}
        self._slow_since_ms: dict[AccountId, int] = {}
        self._inbound: dict[AccountId, InboundFailure] = {}

    @property
    def under_way(self) -> int:
        """Return how many sends wait for their vendor's answer."""
        return len(self._flights)

    def under_way_of(self, account_id: AccountId) -> int:
        """Return how many sends of one account wait for its vendor's answer."""
        return sum(flight.account_id == account_id for flight in self._flights.values())

    def started(self, attempt_id: str, account_id: AccountId, now_utc_ms: int) -> None:
        """Note that a message is being handed to the vendor."""
        self._flights[attempt_id] = _Flight(account_id, now_utc_ms)

    def ended(self, attempt_id: str, now_utc_ms: int) -> None:
        """Note the end of an attempt, whichever it was; a quick one ends the slowness."""
        flight = self._flights.pop(attempt_id, None)
        if flight is None:
            return
        if now_utc_ms - flight.started_at_utc_ms >= SLOW_AFTER_MS:
            self._slow_since_ms.setdefault(flight.account_id, flight.started_at_utc_ms)
        else:
            self._slow_since_ms.pop(flight.account_id, None)

    def slow_since(self, account_id: AccountId, now_utc_ms: int) -> int | None:
        """Return since when answers take long, those still awaited counted; None: they don't."""
        late = [
            flight.started_at_utc_ms
            for flight in self._flights.values()
            if flight.account_id == account_id
            and now_utc_ms - flight.started_at_utc_ms >= SLOW_AFTER_MS
        ]
        known = self._slow_since_ms.get(account_id)
        return min(late if known is None else [*late, known], default=None)

    def rest(self, account_id: AccountId) -> None:
        """Forget slowness: nothing waits for the vendor any more."""
        self._slow_since_ms.pop(account_id, None)

    def heard(self, account_id: AccountId) -> None:
        """Note that polling the account went well."""
        self._inbound.pop(account_id, None)

    def not_heard(self, account_id: AccountId, now_utc_ms: int, *, refused: bool) -> None:
        """Note that polling the account failed; `refused`: the vendor refuses the account."""
        before = self._inbound.get(account_id)
        since_utc_ms = now_utc_ms if before is None else before.since_utc_ms
        self._inbound[account_id] = InboundFailure(since_utc_ms, refused)

    def inbound_failure(self, account_id: AccountId, now_utc_ms: int) -> InboundFailure | None:
        """Return since when nothing can be fetched, once that lasts longer than a moment."""
        found = self._inbound.get(account_id)
        if found is None or now_utc_ms - found.since_utc_ms < SLOW_AFTER_MS:
            return None
        return found

    @property
    def is_quiet(self) -> bool:
        """Tell that nothing is under way and nothing failed: there is nothing to look at."""
        return not (self._flights or self._slow_since_ms or self._inbound)
