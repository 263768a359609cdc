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
from backend.channels.contract import Account, Finding, Outbound, SendResult
from backend.delivery import outcomes
from backend.delivery.accounts import governed_accounts, pauses
from backend.delivery.claims import NextWork, claim_heads, due_messages, lost_leases, next_work
from backend.delivery.loading import Load, ReadFile, load
from backend.storage.database import Database, StorageFull
from contract.ids import AccountId
from contract.wire import IdempotencyClass

_log = logging.getLogger(__name__)
T = TypeVar("T")
Recheck = Callable[[Connection, str, int], object]
SEND_TIMEOUT_S = 45.0  # shorter than a lease: a live worker never loses one
AT_ONCE = 8
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
    ) -> None:
        """`connectors` by module name; `exclusive` says no other worker can live.

        `recheck` stops a message that may not go any more, in the transaction that claims.
        """
        self._database = database
        self._connectors = connectors
        self._read_file = read_file
        self._recheck = recheck
        self._owner = owner
        self._exclusive = exclusive
        self._now = now
        self._wake = asyncio.Event()
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
            await self._persist(self._recover)
            while not self._stopping:
                await self._step()
        finally:
            unsubscribe()
            if self._running:
                await asyncio.wait(self._running, timeout=_STOP_GRACE_S)

    async def _step(self) -> None:
        self._wake.clear()
        if self._stopping:
            return
        work = await self._database.read(lambda c: next_work(c, _paused(c), self._now()))
        free = AT_ONCE - len(self._running)
        if work.lease_ran_out:
            await self._persist(self._recover)
        elif work.ready and free > 0:
            await self._persist(lambda: self._claim(free))
        else:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._sleep_s(work, free)):
                    await self._wake.wait()

    def _sleep_s(self, work: NextWork, free: int) -> float:
        if work.next_at_utc_ms is None or free == 0:
            return _LONGEST_SLEEP_S
        wait_s = (work.next_at_utc_ms - self._now()) / 1000
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

    async def _claim(self, free: int) -> None:
        def claim(connection: Connection) -> list[tuple[Load, Account]]:
            accounts, paused, now_utc_ms = _accounts(connection), _paused(connection), self._now()
            looked_at = due_messages(connection, paused, free, now_utc_ms)
            for message_id in looked_at:
                self._recheck(connection, message_id, now_utc_ms)
            claims = claim_heads(connection, self._owner, paused, free, now_utc_ms, only=looked_at)
            return [(load(connection, item), accounts[item.account_id]) for item in claims]

        # The commit inside makes the attempts durable; only then may a byte leave.
        for item, account in await self._database.write(claim):
            self._spawn(self._deliver(item, account))

    async def _recover(self) -> None:
        """Settle what dead workers held; vendors that can tell are asked afterwards."""

        def settle(connection: Connection) -> list[tuple[Load, Account]]:
            accounts, now_utc_ms, unknown = _accounts(connection), self._now(), []
            for claim in lost_leases(
                connection, self._owner, exclusive=self._exclusive, now_utc_ms=now_utc_ms
            ):
                account = accounts[claim.account_id]
                outcomes.record_lost(connection, claim, account, now_utc_ms)
                if account.idempotency is not IdempotencyClass.SERVER_KEY:
                    unknown.append((load(connection, claim), account))
            return unknown

        for item, account in await self._database.write(settle):
            self._spawn(self._reconcile(item, account))

    async def _deliver(self, item: Load, account: Account) -> None:
        claim = item.claim
        outcome = await self._send(item, account)
        if isinstance(outcome, SendResult):
            sent = outcome
            await self._write(lambda c: outcomes.record_sent(c, claim, sent, self._now()))
            return
        fault = outcome
        await self._write(lambda c: outcomes.record_fault(c, claim, account, fault, self._now()))
        _log.log(
            logging.ERROR if isinstance(fault, faults.AccountFault) else logging.INFO,
            "a delivery did not succeed",
            extra={
                "fault": type(fault).__name__,
                "account_id": account.account_id,
                "message_id": claim.message_id,
                "attempt": claim.attempt.n,
            },
        )
        if isinstance(fault, faults.OutcomeUnknown):
            await self._reconcile(item, account)

    async def _send(self, item: Load, account: Account) -> SendResult | faults.ChannelFault:
        """Return the vendor's answer, or what went wrong as a fault."""
        if not item.as_archived:
            _log.error("a message was changed after it was archived")
            return faults.Refusal(_NOT_AS_ARCHIVED)
        connector = self._connectors.get(account.connector)
        if connector is None:
            return faults.AccountFault(_NO_CONNECTOR)
        outbound = item.outbound(self._read_file)
        blocked = connector.preflight(outbound, self._now())
        if blocked is not None:
            if blocked.until_utc_ms is None:
                return faults.Refusal(blocked.reason)
            return faults.RateLimited(blocked.reason, blocked.until_utc_ms)
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                return await connector.send(outbound, item.claim.attempt)
        except faults.ChannelFault as fault:
            return fault
        except TimeoutError:
            return faults.OutcomeUnknown(_TIMED_OUT)
        except Exception as error:  # noqa: BLE001 - a connector's bug must not stop the others
            _log.error("a connector failed", extra={"error": type(error).__name__})
            return faults.OutcomeUnknown(_BROKEN)

    async def _reconcile(self, item: Load, account: Account) -> None:
        """Ask the vendor what became of an unknown attempt, where it can tell."""
        connector = self._connectors.get(account.connector)
        if connector is None or account.idempotency is IdempotencyClass.SERVER_KEY:
            return
        try:
            found = await connector.reconcile(item.outbound(self._read_file), item.claim.attempt)
        except faults.ChannelFault as fault:
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


def _accounts(connection: Connection) -> dict[AccountId, Account]:
    return {account.account_id: account for account in governed_accounts(connection)}


def _paused(connection: Connection) -> frozenset[str]:
    return frozenset(pause.account_id for pause in pauses(connection))
