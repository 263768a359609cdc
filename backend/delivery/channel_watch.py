"""Owns the finding of channels' troubles: paused, unreachable, used up or slow, and since when.

It never sends and never decides what goes: it looks at what traffic, queue and pauses show.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from backend.channels.contract import Account
from backend.delivery.accounts import DISCONNECTED, governed_accounts, pauses
from backend.delivery.claims import Waiting, waiting_heads
from backend.delivery.pulse import SLOW_AFTER_MS
from backend.delivery.traffic import Traffic
from backend.delivery.troubles import (
    Told,
    Trouble,
    TroubleKind,
    keep_troubles,
    tell_troubles,
    told_before,
)
from backend.storage.database import Database, StorageFull
from contract.ids import AccountId

_log = logging.getLogger(__name__)
_QUIET_S = 60.0
_LOOK_S = 2.0
_RETELL_S = 10.0  # while nothing changes but how many wait
_HEALTH = {
    TroubleKind.REFUSED: "account {} was refused by its channel: mend it, then resume it",
    TroubleKind.UNREACHABLE: "account {} can't be reached; its messages wait",
    TroubleKind.QUOTA: "account {} has used up its quota; its messages wait",
    TroubleKind.SLOW: "account {} is slow; its messages wait in order",
}


class Seen:
    """What one look at the database showed; what waits is counted where `thorough` asks for it."""

    def __init__(self, connection: Connection, now_utc_ms: int, *, thorough: bool = True) -> None:
        self.now_utc_ms = now_utc_ms
        self.accounts = governed_accounts(connection)
        self.pauses = {pause.account_id: pause for pause in pauses(connection)}
        self.waiting = waiting_heads(connection, now_utc_ms) if thorough else {}


class ChannelWatch:
    """Looks while something is under way or wrong, tells what changed, and rests otherwise."""

    def __init__(self, database: Database, traffic: Traffic, *, now: Callable[[], int]) -> None:
        """`traffic` is the worker's; `now` returns UTC milliseconds."""
        self._database = database
        self._traffic = traffic
        self._now = now
        self._wake = asyncio.Event()
        self._accounts: tuple[Account, ...] = ()
        self._known: dict[AccountId, Trouble] = {}
        self._told: Told = {}
        self._told_at_ms = 0
        traffic.changed = self._wake.set

    @property
    def problems(self) -> tuple[str, ...]:
        """Say which accounts are not well, for the health."""
        return tuple(_HEALTH[each.kind].format(each.account_id) for each in self._known.values())

    async def run(self) -> None:
        """Watch until cancelled."""
        self._known, self._told = await self._database.read(told_before)
        unsubscribe = self._database.on_commit(self._wake.set)
        try:
            while True:
                self._wake.clear()
                with contextlib.suppress(StorageFull):
                    await self.look()
                await asyncio.sleep(_LOOK_S)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.0 if self._is_restless else _QUIET_S):
                        await self._wake.wait()
        finally:
            unsubscribe()

    @property
    def _is_restless(self) -> bool:
        """Tell whether time alone may change what there is to tell."""
        return bool(self._known) or not self._traffic.pulse.is_quiet

    async def look(self) -> None:
        """Look once, and tell what changed."""
        now_utc_ms = self._now()
        # With thousands waiting, to look through them costs something: not while all is well.
        thorough = bool(self._known) or self._traffic.is_suspicious(self._accounts, now_utc_ms)
        seen = await self._database.read(lambda c: Seen(c, now_utc_ms, thorough=thorough))
        self._accounts = seen.accounts
        found = find_troubles(self._traffic, seen)
        due = bool(found) and now_utc_ms - self._told_at_ms >= _RETELL_S * 1000
        if found == self._known and not due:
            return
        await self._tell(found, now_utc_ms)

    async def _tell(self, found: Mapping[AccountId, Trouble], now_utc_ms: int) -> None:
        changed, told = found != self._known, self._told
        account_ids = {*found, *self._known}

        def tell(connection: Connection) -> Told:
            if changed:
                keep_troubles(connection, found, now_utc_ms)
            return tell_troubles(connection, sorted(account_ids), told, now_utc_ms)

        self._told = await self._database.write(tell)
        self._told_at_ms = now_utc_ms
        for account_id in sorted(account_ids):
            before, after = self._known.get(account_id), found.get(account_id)
            if (before and before.kind) != (after and after.kind):
                _log_change(account_id, after)
        self._known = dict(found)


def find_troubles(traffic: Traffic, seen: Seen) -> dict[AccountId, Trouble]:
    """Return what is wrong with each account now."""
    found = (_trouble(traffic, account, seen) for account in seen.accounts)
    return {trouble.account_id: trouble for trouble in found if trouble is not None}


def _trouble(traffic: Traffic, account: Account, seen: Seen) -> Trouble | None:
    account_id, now_utc_ms = account.account_id, seen.now_utc_ms
    pause, waiting = seen.pauses.get(account_id), seen.waiting.get(account_id)
    if pause is not None:
        kind = TroubleKind.UNREACHABLE if pause.kind == DISCONNECTED else TroubleKind.REFUSED
        return Trouble(account_id=account_id, kind=kind, since_utc_ms=pause.since_utc_ms)
    since, refused = _unreachable(traffic, account_id, waiting, now_utc_ms)
    if since is not None:
        kind = TroubleKind.REFUSED if refused else TroubleKind.UNREACHABLE
        return Trouble(account_id=account_id, kind=kind, since_utc_ms=since)
    limit = traffic.pacing.account_limit(account_id, now_utc_ms)
    if limit is not None and limit.quota:
        return Trouble(
            account_id=account_id,
            kind=TroubleKind.QUOTA,
            since_utc_ms=limit.since_utc_ms,
            until_utc_ms=limit.until_utc_ms,
        )
    since = _slow_since(traffic, account, waiting, now_utc_ms)
    if since is None:
        return None
    return Trouble(
        account_id=account_id,
        kind=TroubleKind.SLOW,
        since_utc_ms=since,
        until_utc_ms=None if limit is None else limit.until_utc_ms,
    )


def _unreachable(
    traffic: Traffic, account_id: AccountId, waiting: Waiting | None, now_utc_ms: int
) -> tuple[int | None, bool]:
    """Return since when nobody answers, and whether the vendor refuses the account."""
    breaker, inbound = traffic.breaker, traffic.pulse.inbound_failure(account_id, now_utc_ms)
    if inbound is not None:
        return inbound.since_utc_ms, inbound.refused
    # With nothing to try it with, an old failure says nothing about now.
    tried = waiting is not None or now_utc_ms < breaker.probe_at(account_id)
    if breaker.is_open(account_id) and tried:
        return breaker.failing_since(account_id), False
    return None, False


def _slow_since(
    traffic: Traffic, account: Account, waiting: Waiting | None, now_utc_ms: int
) -> int | None:
    """Return since when messages wait for a vendor that answers late, badly or "not now"."""
    account_id = account.account_id
    if waiting is None:
        traffic.pulse.rest(account_id)
        return None
    late_ms = now_utc_ms - SLOW_AFTER_MS
    limit = traffic.pacing.account_limit(account_id, now_utc_ms)
    times = [
        traffic.pulse.slow_since(account_id, now_utc_ms),
        traffic.breaker.failing_since(account_id),
        None if limit is None else limit.since_utc_ms,
        waiting.due_since_utc_ms if traffic.holds(account, now_utc_ms) else None,
    ]
    return min((at for at in times if at is not None and at <= late_ms), default=None)


def _log_change(account_id: AccountId, trouble: Trouble | None) -> None:
    kind = "well" if trouble is None else trouble.kind.value
    _log.info("a channel's state changed", extra={"account_id": account_id, "state": kind})
