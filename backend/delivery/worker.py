"""The delivery worker: claims heads of lanes, sends them and writes down what came of it.

It never sends what is not archived and never repeats by itself what may have arrived.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TypeVar

from sqlalchemy import Connection

from backend.channels import faults
from backend.channels.contract import Account, Blocked, Finding, Outbound, SendResult
from backend.delivery import outcomes
from backend.delivery.accounts import governed_accounts, pauses
from backend.delivery.claims import NextWork, claim_heads, defer, lost_leases, next_work, orphans
from backend.delivery.limits import forget_limits, keep_limits, read_limits
from backend.delivery.loading import Load, ReadFile, load
from backend.delivery.pacing import VendorLimit
from backend.delivery.traffic import Choice, Held, Traffic
from backend.delivery.troubles import unreachable_since
from backend.storage.database import Database, StorageFull
from contract.ids import AccountId
from contract.wire import IdempotencyClass

_log = logging.getLogger(__name__)
T = TypeVar("T")
Recheck = Callable[[Connection, str, int], object]
SEND_TIMEOUT_S = 45.0  # shorter than a lease: a live worker never loses one
_LONGEST_SLEEP_S = 30.0
_STORAGE_RETRY_S = 2.0
_STOP_GRACE_S = 3.0
_TIMED_OUT = "The channel did not answer in time."
_BROKEN = "The connection to this channel failed in an unexpected way."
_NOT_AS_ARCHIVED = "This message is not what was archived, so it was not sent. Write it anew."
_NO_CONNECTOR = "This installation has no connector for the account. It is paused."


class DeliveryWorker:
    """One worker; several may run on one database, each with an owner name of its own."""

    def __init__(
        self,
        database: Database,
        connectors: Mapping[str, Outbound],
        read_file: ReadFile,
        recheck: Recheck,
        *,
        owner: str,
        exclusive: bool,
        now: Callable[[], int],
        traffic: Traffic | None = None,
    ) -> None:
        """`connectors` by module name; `exclusive` says no other worker can live.

        `recheck` stops a message that may not go any more, in the transaction that claims;
        `traffic` says which of those that are due may go now.
        """
        self._database = database
        self._connectors = connectors
        self._read_file = read_file
        self._recheck = recheck
        self._owner = owner
        self._exclusive = exclusive
        self._now = now
        self._traffic = traffic or Traffic()
        self._wake = asyncio.Event()
        self._accounts: dict[AccountId, Account] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = False

    def stop(self) -> None:
        """Claim nothing more; `run` returns once what is under way has ended."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Deliver until stopped; sends under way then get three seconds to end."""
        unsubscribe = self._database.on_commit(self._wake.set)
        try:
            await self._remember()
            await self._persist(self._recover)
            while not self._stopping:
                await self._step()
        finally:
            unsubscribe()
            if self._running:
                await asyncio.wait(self._running, timeout=_STOP_GRACE_S)

    async def _remember(self) -> None:
        def look(connection: Connection) -> tuple[tuple[VendorLimit, ...], dict[AccountId, int]]:
            limits = read_limits(connection, self._now())
            return limits, unreachable_since(connection)

        limits, unreachable = await self._database.read(look)
        self._traffic.remember(limits, unreachable, self._now())

    async def _step(self) -> None:
        self._wake.clear()
        if self._stopping:
            return
        now_utc_ms, most = self._now(), self._traffic.free
        held = self._traffic.held(self._accounts.values(), now_utc_ms)

        def look(connection: Connection) -> tuple[dict[AccountId, Account], NextWork]:
            out_of_use = _paused(connection) | held.account_ids
            work = next_work(connection, out_of_use, now_utc_ms, most)
            return _accounts(connection), work

        before = self._accounts.keys()
        self._accounts, work = await self._database.read(look)
        if self._accounts.keys() != before:
            await self._persist(self._fail_orphans)
            self._wake.set()
        choice = self._traffic.choose(work.heads, self._accounts, now_utc_ms)
        if work.lease_ran_out:
            await self._persist(self._recover)
        elif choice.message_ids or choice.deferred:
            await self._persist(lambda: self._claim(choice))
        else:
            held = self._traffic.held(self._accounts.values(), now_utc_ms)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._sleep_s(work, held)):
                    await self._wake.wait()

    def _sleep_s(self, work: NextWork, held: Held) -> float:
        """Return how long to sleep unless something happens; a full table is woken by its ends."""
        times = [at for at in (work.next_at_utc_ms, held.until_utc_ms) if at is not None]
        if not times or self._traffic.free == 0:
            return _LONGEST_SLEEP_S
        wait_s = (min(times) - self._now()) / 1000
        return min(max(wait_s, 0.01), _LONGEST_SLEEP_S)

    async def _persist(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeat a step that writes until the disk takes it."""
        while True:
            try:
                await step()
                return
            except StorageFull:
                _log.error("delivery waits: the disk is full")
                await asyncio.sleep(_STORAGE_RETRY_S)

    async def _fail_orphans(self) -> None:
        """End what waits for accounts that are gone: nothing would ever send it."""

        def fail(connection: Connection) -> None:
            for message_id in orphans(connection):
                outcomes.fail_orphan(connection, message_id, self._now())

        await self._database.write(fail)

    async def _claim(self, choice: Choice) -> None:
        def claim(connection: Connection) -> list[tuple[Load, Account]]:
            accounts, paused, now_utc_ms = _accounts(connection), _paused(connection), self._now()
            for job_id, at_utc_ms in choice.deferred:
                defer(connection, job_id, at_utc_ms)
            for message_id in choice.message_ids:
                self._recheck(connection, message_id, now_utc_ms)
            claims = claim_heads(
                connection,
                self._owner,
                paused,
                len(choice.message_ids),
                now_utc_ms,
                only=choice.message_ids,
            )
            return [(load(connection, item), accounts[item.account_id]) for item in claims]

        # The commit inside makes the attempts durable; only then may a byte leave.
        for item, account in await self._database.write(claim):
            self._traffic.started(item.claim, self._now())
            self._spawn(self._deliver(item, account))

    async def _recover(self) -> None:
        """Settle what dead workers held; vendors that can tell are asked afterwards."""

        def settle(connection: Connection) -> list[tuple[Load, Account]]:
            accounts, now_utc_ms, unknown = _accounts(connection), self._now(), []
            for claim in lost_leases(
                connection, self._owner, exclusive=self._exclusive, now_utc_ms=now_utc_ms
            ):
                account = accounts.get(claim.account_id)
                outcomes.record_lost(connection, claim, account, now_utc_ms)
                if account and account.idempotency is not IdempotencyClass.SERVER_KEY:
                    unknown.append((load(connection, claim), account))
            return unknown

        for item, account in await self._database.write(settle):
            self._spawn(self._reconcile(item, account))

    async def _deliver(self, item: Load, account: Account) -> None:
        claim = item.claim
        outcome, asked = await self._send(item, account)
        ended = self._traffic.ended(claim, account, outcome if asked else None, self._now())

        def record(connection: Connection) -> None:
            if isinstance(outcome, SendResult):
                outcomes.record_sent(connection, claim, outcome, self._now())
            else:
                at = ended.retry_at_utc_ms
                outcomes.record_fault(connection, claim, account, outcome, self._now(), at)
            if ended.forgotten:
                forget_limits(connection, account.account_id, ended.forgotten)
            keep_limits(connection, ended.limits)

        await self._write(record)
        if isinstance(outcome, faults.ChannelFault):
            _tell(outcome, item)
            if ended.turned and self._traffic.breaker.is_open(account.account_id):
                _log.error("nobody answers for an account", extra={"account": account.account_id})
        if isinstance(outcome, faults.OutcomeUnknown):
            await self._reconcile(item, account)

    async def _send(
        self, item: Load, account: Account
    ) -> tuple[SendResult | faults.ChannelFault, bool]:
        """Return the vendor's answer, or what went wrong; with it, whether the vendor was asked."""
        if not item.as_archived:
            _log.error("a message was changed after it was archived")
            return faults.Refusal(_NOT_AS_ARCHIVED), False
        connector = self._connectors.get(account.connector)
        if connector is None:
            return faults.AccountFault(_NO_CONNECTOR), False
        outbound = item.outbound(self._read_file)
        try:
            blocked = connector.preflight(outbound, self._now())
            if blocked is not None:
                return _as_fault(blocked), False
            async with asyncio.timeout(SEND_TIMEOUT_S):
                return await connector.send(outbound, item.claim.attempt), True
        except faults.ChannelFault as fault:
            return fault, True
        except TimeoutError:
            return faults.OutcomeUnknown(_TIMED_OUT), True
        except Exception as error:  # noqa: BLE001 - a connector's bug must not stop the others
            _log.error("a connector failed", extra={"error": type(error).__name__})
            return faults.OutcomeUnknown(_BROKEN), True

    async def _reconcile(self, item: Load, account: Account) -> None:
        """Ask the vendor what became of an unknown attempt, where it can tell."""
        connector = self._connectors.get(account.connector)
        if connector is None or account.idempotency is IdempotencyClass.SERVER_KEY:
            return
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                outbound = item.outbound(self._read_file)
                found = await connector.reconcile(outbound, item.claim.attempt)
        except (faults.ChannelFault, TimeoutError) as fault:
            _log.warning("a channel could not reconcile", extra={"fault": type(fault).__name__})
            return
        if found.finding is not Finding.CANNOT_TELL:
            await self._write(
                lambda c: outcomes.record_reconciled(c, item.claim, found, self._now())
            )

    async def _write(self, function: Callable[[Connection], T]) -> T:
        while True:
            try:
                return await self._database.write(function)
            except StorageFull:
                _log.error("a delivery's result waits: the disk is full")
                await asyncio.sleep(_STORAGE_RETRY_S)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work, name="delivery")
        self._running.add(task)
        task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # The attempt stays open: its lease runs out, then it counts as unknown.
            _log.error("a delivery task failed", extra={"error": type(error).__name__})


def _as_fault(blocked: Blocked) -> faults.ChannelFault:
    if blocked.until_utc_ms is None:
        return faults.Refusal(blocked.reason)
    return faults.RateLimited(blocked.reason, blocked.until_utc_ms, faults.LimitScope.CHAT)


def _tell(fault: faults.ChannelFault, item: Load) -> None:
    """Log that a delivery did not succeed, without a word of it."""
    _log.log(
        logging.ERROR if isinstance(fault, faults.AccountFault) else logging.INFO,
        "a delivery did not succeed",
        extra={
            "fault": type(fault).__name__,
            "account_id": item.claim.account_id,
            "message_id": item.claim.message_id,
            "attempt": item.claim.attempt.n,
        },
    )


def _accounts(connection: Connection) -> dict[AccountId, Account]:
    return {account.account_id: account for account in governed_accounts(connection)}


def _paused(connection: Connection) -> frozenset[str]:
    return frozenset(pause.account_id for pause in pauses(connection))
