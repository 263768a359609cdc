"""Proofs that a channel's trouble is found, told to whom it concerns, archived, and taken back.

It never waits for a real clock: worker and watch get one that is moved by the test.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, insert, select, update

from backend.archive.alerts import KIND_CHANNEL_ALERT
from backend.channels import faults
from backend.channels.contract import Attempt, OutboundMessage, SendResult
from backend.channels.sandbox.faults import Fault, FaultKind
from backend.channels.sandbox.outbound import SandboxOutbound
from backend.delivery.accounts import DISCONNECTED, pause_account, resume_account
from backend.delivery.breaker import FIRST_PAUSE_MS, CircuitBreaker
from backend.delivery.channel_watch import ChannelWatch
from backend.delivery.limits import read_limits
from backend.delivery.pulse import SLOW_AFTER_MS
from backend.delivery.traffic import Traffic
from backend.delivery.troubles import TroubleKind, troubles_of
from backend.delivery.worker import DeliveryWorker
from backend.governance.stops import stop_if_forbidden
from backend.services import system_clock_utc_ms
from backend.storage.delivery_tables import channel_troubles
from backend.storage.tables import (
    archive_entries,
    channel_accounts,
    conversations,
    events,
    firms,
    jobs,
    properties,
)
from contract.events import ChannelsChanged, EventBody
from contract.ids import AccountId
from contract.states import DeliveryState
from contract.wire import ChannelTrouble, Me
from tests.backend.delivery.harness import House, house
from tests.backend.workspace import ELENA, KENTA, Workspace, client_of
from tests.support.log_guard import LogGuard

S = DeliveryState
GRETA = ("con-greta", "matrix")
EMPLOYEE = "emp-em"
MATRIX, WHATSAPP = AccountId("acc-matrix"), AccountId("acc-wa")
AWAY = "The channel is away."
AHEAD_MS = 60_000


class Vendor(SandboxOutbound):
    """A vendor that answers each message as it was told to, then takes everything."""

    script: list[faults.ChannelFault]
    asked: list[str]
    answers: asyncio.Event

    async def send(self, outbound: OutboundMessage, attempt: Attempt) -> SendResult:
        """Play the next answer, once answers are given at all."""
        self.asked.append(outbound.conversation_id)
        await self.answers.wait()
        if self.script:
            raise self.script.pop(0)
        return SendResult(external_id=attempt.attempt_id, state=S.SENT)


class Line:
    """A worker and a watch of the test's own, over a house whose own worker has stopped."""

    def __init__(self, h: House, script: tuple[faults.ChannelFault, ...], opens_after: int) -> None:
        self._house = h
        # Ahead of all that this test submits by the system's clock, however long it takes.
        self.now_utc_ms = system_clock_utc_ms() + AHEAD_MS
        database = h.runtime.workspace.database
        self.vendor = Vendor(h.peer, h.sandbox.account, system_clock_utc_ms)
        self.vendor.script, self.vendor.asked = list(script), []
        self.vendor.answers = asyncio.Event()
        self.vendor.answers.set()
        self.traffic = Traffic(breaker=CircuitBreaker(opens_after=opens_after))
        self.watch = ChannelWatch(database, self.traffic, now=lambda: self.now_utc_ms)
        policy = h.runtime.workspace.policy
        self.worker = DeliveryWorker(
            database,
            {"sandbox": self.vendor},
            _no_file,
            lambda c, message_id, now: stop_if_forbidden(c, policy, message_id, now),
            owner="test",
            exclusive=False,
            now=lambda: self.now_utc_ms,
            traffic=self.traffic,
        )

    async def later(self, duration_ms: int) -> None:
        """Let time pass, and the worker notice."""
        self.now_utc_ms += duration_ms

        def touch(connection: Connection) -> None:
            connection.execute(insert(properties).values(name=f"at.{self.now_utc_ms}", value=""))

        await self._house.write(touch)

    async def until_asked(self, times: int) -> None:
        """Wait until the vendor was asked so often, and what it answered is written."""

        def settled(connection: Connection) -> bool:
            # In this order: what is leased is looked at once the vendor was asked, never before.
            if len(self.vendor.asked) < times:
                return False
            leased = connection.execute(select(jobs.c.job_id).where(jobs.c.state == "leased"))
            return leased.first() is None

        await self._house.until(settled)
        assert len(self.vendor.asked) == times


@contextlib.asynccontextmanager
async def line(h: House, *script: faults.ChannelFault, opens_after: int = 5) -> AsyncIterator[Line]:
    """Run a worker with a scripted vendor."""
    assert h.runtime.worker is not None
    h.runtime.worker.stop()
    found = Line(h, script, opens_after)
    running = asyncio.create_task(found.worker.run())
    try:
        yield found
    finally:
        found.worker.stop()
        await running


async def _no_file(attachment_id: str) -> bytes:
    raise AssertionError(attachment_id)


async def told(h: House) -> list[tuple[ChannelTrouble, ...]]:
    """Return what the employee's stream said of channels, oldest first."""
    query = select(events.c.body).where(events.c.employee_id == EMPLOYEE).order_by(events.c.seq)
    rows = await h.read(lambda c: c.execute(query).scalars().all())
    bodies = [msgspec.json.decode(row, type=EventBody) for row in rows]
    return [body.troubles for body in bodies if isinstance(body, ChannelsChanged)]


async def alerts(h: House) -> int:
    """Return how many alarms about channels the archive holds."""
    query = select(archive_entries.c.entry_id).where(archive_entries.c.kind == KIND_CHANNEL_ALERT)
    return len(await h.read(lambda c: c.execute(query).all()))


async def test_refused_account_is_told_until_resumed_and_one_that_is_gone_fails_its_messages(
    tmp_path: Path, expect_log: LogGuard
) -> None:
    expect_log("a delivery did not succeed")
    async with house(tmp_path) as h:
        await h.peer.ask_fault(Fault(kind=FaultKind.ACCOUNT_FAULT, account_id=MATRIX))
        message_id = await h.submit(await h.chat(*GRETA), "paused")
        (trouble,) = await h.until(lambda c: troubles_of(c, EMPLOYEE))
        assert (trouble.account_id, trouble.kind) == (MATRIX, TroubleKind.REFUSED)
        assert (trouble.waiting, trouble.channel) == (1, "matrix")
        await h.write(lambda c: resume_account(c, MATRIX))
        await h.until_state(message_id, S.READ)
        await h.until(lambda c: not troubles_of(c, EMPLOYEE))
        assert (await told(h))[-1] == ()
        assert await alerts(h) == 0, "Compliance hears of a pause by the pause"
        await h.write(lambda c: pause_account(c, MATRIX, "", 0, DISCONNECTED))
        late = await h.submit(await h.chat(*GRETA), "too late")
        await h.until_sealed(late)

        def away(connection: Connection) -> bool:
            found = [each.kind for each in troubles_of(connection, EMPLOYEE)]
            return found == [TroubleKind.UNREACHABLE]

        await h.until(away)
        gone = update(channel_accounts).where(channel_accounts.c.account_id == MATRIX)
        await h.write(lambda c: c.execute(gone.values(connector="")))
        row = await h.until_state(late, S.FAILED)
        assert "no longer sends from this account" in row.state_detail


async def test_breaker_opens_tells_alerts_and_closes_by_one_probe(
    tmp_path: Path, expect_log: LogGuard
) -> None:
    expect_log("nobody answers for an account")
    async with house(tmp_path) as h:
        down = faults.Retryable(AWAY)
        async with line(h, down, down, down, opens_after=2) as one:
            began_utc_ms = one.now_utc_ms
            message_id = await h.submit(await h.chat(*GRETA), "first")
            await one.until_asked(1)
            await one.later(2_000)
            await one.until_asked(2)
            assert (await h.row(message_id)).state_detail == AWAY
            await one.watch.look()
            ((trouble,),) = await told(h)
            assert (trouble.kind, trouble.waiting) == (TroubleKind.UNREACHABLE, 1)
            assert trouble.since_utc_ms == began_utc_ms
            assert await alerts(h) == 1
            assert "acc-matrix can't be reached" in " ".join(one.watch.problems)
            await one.later(FIRST_PAUSE_MS)
            await one.until_asked(3)
            await one.later(FIRST_PAUSE_MS)  # the pause has doubled: nobody tries yet
            await one.later(FIRST_PAUSE_MS)
            await h.until_state(message_id, S.SENT)
            assert len(one.vendor.asked) == 4
            await one.watch.look()
            assert (await told(h))[-1] == ()
            assert one.watch.problems == ()


async def test_slow_vendor_is_told_with_how_many_wait_and_since_when(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        async with line(h) as one:
            one.vendor.answers.clear()
            chat = await h.chat(*GRETA)
            sent = [await h.submit(chat, text) for text in ("one", "two")]
            await h.until(lambda _: one.vendor.asked)
            began_utc_ms = one.now_utc_ms
            await one.watch.look()
            assert await told(h) == []
            await one.later(SLOW_AFTER_MS)
            await one.watch.look()
            ((trouble,),) = await told(h)
            assert (trouble.kind, trouble.waiting) == (TroubleKind.SLOW, 2)
            assert trouble.since_utc_ms == began_utc_ms
            one.vendor.answers.set()
            for message_id in sent:
                await h.until_state(message_id, S.SENT)
            await one.watch.look()
            assert (await told(h))[-1] == ()
            assert await alerts(h) == 0


async def test_limit_of_an_account_holds_its_chats_alone_and_outlives_the_worker(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h:
        query = select(conversations.c.conversation_id).where(
            conversations.c.account_id == WHATSAPP, conversations.c.window_closes_at_utc_ms > 0
        )
        chats = (await h.read(lambda c: c.execute(query).scalars().all()))[:2]
        assert len(chats) == 2
        until_utc_ms = system_clock_utc_ms() + 10 * AHEAD_MS
        async with line(h, faults.RateLimited("Wait.", until_utc_ms)) as one:
            held = [await h.submit(chats[0], "held")]
            await one.until_asked(1)
            held.append(await h.submit(chats[1], "held, too"))
            other = await h.submit(await h.chat(*GRETA), "elsewhere")
            await h.until_state(other, S.SENT)
            assert len(one.vendor.asked) == 2
        async with line(h) as one:
            (limit,) = await h.read(lambda c: read_limits(c, one.now_utc_ms))
            assert (limit.account_id, limit.chat) == (WHATSAPP, "")
            await one.later(1)
            assert one.vendor.asked == []
            await one.later(10 * AHEAD_MS)
            for message_id in held:
                await h.until_state(message_id, S.SENT)
            assert await h.read(lambda c: read_limits(c, 0)) == ()


@pytest.mark.parametrize(("employee", "sees"), [(ELENA, True), (KENTA, False)])
async def test_new_client_learns_of_troubles_that_concern_it(
    workspace: Workspace, employee: str, sees: bool
) -> None:
    def trouble(connection: Connection) -> None:
        firm_id = connection.execute(select(firms.c.firm_id)).scalar_one()
        connection.execute(
            insert(channel_troubles).values(
                account_id="acc-signal", firm_id=firm_id, kind="slow", since_utc_ms=12
            )
        )

    await workspace.services.database.write(trouble)
    async with client_of(workspace, employee) as client:
        me = msgspec.json.decode((await client.get("/v1/me")).content, type=Me)
    assert [each.since_utc_ms for each in me.troubles] == ([12] if sees else [])
