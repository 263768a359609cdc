"""Proofs that the sandbox keeps the connector contract in all three idempotency classes.

It never starts a backend.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.channels import faults
from backend.channels.contract import Account, Connector, Polled
from backend.channels.events import MessageIn, Receipt
from backend.channels.sandbox.faults import Fault, FaultKind
from backend.channels.sandbox.inbound import SandboxInbound
from backend.channels.sandbox.outbound import SandboxOutbound
from backend.channels.sandbox.peer import SandboxPeer, Utterance
from backend.channels.sandbox.queue import SandboxQueue
from backend.channels.sandbox.store import FILE_NAME, SandboxStore
from contract.ids import AccountId
from contract.wire import Channel, IdempotencyClass
from tests.backend.channels.conformance import (
    ConnectorConformance,
    attempt,
    events_until,
    outbound,
)

KEY = bytes(range(32))
_FAULTS = {
    faults.Retryable: FaultKind.RETRYABLE,
    faults.RateLimited: FaultKind.RATE_LIMITED,
    faults.QuotaExhausted: FaultKind.QUOTA_EXHAUSTED,
    faults.WindowExpired: FaultKind.WINDOW_EXPIRED,
    faults.ConsentMissing: FaultKind.CONSENT_MISSING,
    faults.RecipientInvalid: FaultKind.RECIPIENT_INVALID,
    faults.ContentInvalid: FaultKind.CONTENT_INVALID,
    faults.AccountFault: FaultKind.ACCOUNT_FAULT,
    faults.IdentityChanged: FaultKind.IDENTITY_CHANGED,
    faults.OutcomeUnknown: FaultKind.TIMEOUT_AFTER_WRITE,
}


def _now() -> int:
    return time.time_ns() // 1_000_000


class SandboxVendor:
    """One sandbox with one account, as the conformance run wants it."""

    def __init__(self, data_dir: Path, account: Account) -> None:
        self.account = account
        self.now_utc_ms = _now()
        self.store = SandboxStore(data_dir, KEY)
        self.queue = SandboxQueue(self.store, pace=0.0, now=_now)
        self.peer = SandboxPeer(self.store, self.queue, answers=True, now=_now)
        self.connector = Connector(
            outbound=SandboxOutbound(self.peer, lambda _: account, _now),
            inbound=SandboxInbound(self.peer, self.queue, KEY),
        )

    async def received_texts(self) -> list[str]:
        rows = await self.peer.phones()
        return [str(row["text"]) for row in rows if row["direction"] == "received"]

    async def client_writes(self, text: str) -> str:
        return await self.peer.say(
            self.account,
            Utterance(address="+10000000001", id_type="phone", name="Ada", text=text),
        )

    async def incoming(self, cursor: str) -> Polled:
        return await self.connector.inbound.poll(self.account, cursor)

    async def next_send(self, fault: type[faults.ChannelFault], *, lost: bool = False) -> bool:
        kind = FaultKind.TIMEOUT_LOST if lost else _FAULTS[fault]
        await self.peer.ask_fault(Fault(kind=kind))
        return True


@contextlib.asynccontextmanager
async def running(data_dir: Path, account: Account) -> AsyncIterator[SandboxVendor]:
    """Start a sandbox and stop it again."""
    vendor = SandboxVendor(data_dir, account)
    await vendor.store.open()
    clients = asyncio.create_task(vendor.queue.run())
    try:
        yield vendor
    finally:
        clients.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await clients
        await vendor.store.close()


def _account(channel: Channel, idempotency: IdempotencyClass) -> Account:
    return Account(
        account_id=AccountId("acc-1"),
        channel=channel,
        connector="sandbox",
        idempotency=idempotency,
    )


class TestSandboxConformance(ConnectorConformance):
    """The whole conformance suite on several channels, in each class."""

    @pytest.fixture(
        params=[
            (Channel.LINE, IdempotencyClass.SERVER_KEY),
            (Channel.MATRIX, IdempotencyClass.SERVER_KEY),
            (Channel.WHATSAPP, IdempotencyClass.CLIENT_ECHO),
            (Channel.SMS, IdempotencyClass.NONE),
            (Channel.SIGNAL, IdempotencyClass.NONE),
        ],
        ids=lambda param: f"{param[0].value}-{param[1].value}",
    )
    async def vendor(
        self, request: pytest.FixtureRequest, tmp_path: Path
    ) -> AsyncIterator[SandboxVendor]:
        async with running(tmp_path, _account(*request.param)) as vendor:
            yield vendor


async def test_plans_survive_a_restart(tmp_path: Path) -> None:
    account = _account(Channel.WHATSAPP, IdempotencyClass.CLIENT_ECHO)
    before = SandboxVendor(tmp_path, account)
    await before.store.open()
    await before.connector.outbound.send(outbound(before), attempt())
    await before.store.close()
    async with running(tmp_path, account) as after:
        events = await events_until(after, MessageIn)
    assert [event.state.value for event in events if isinstance(event, Receipt)] == [
        "sent",
        "delivered",
        "read",
    ]


async def test_client_answers_once_to_several_messages_and_in_their_language(
    tmp_path: Path,
) -> None:
    account = _account(Channel.TELEGRAM, IdempotencyClass.NONE)
    vendor = SandboxVendor(tmp_path, account)
    await vendor.store.open()
    await vendor.connector.outbound.send(outbound(vendor, "Good morning"), attempt())
    await vendor.connector.outbound.send(outbound(vendor, "お元気ですか"), attempt(key="m-2.0"))
    clients = asyncio.create_task(vendor.queue.run())
    events = await events_until(vendor, MessageIn)
    clients.cancel()
    await vendor.store.close()
    answers = [event.text for event in events if isinstance(event, MessageIn)]
    assert len(answers) == 1
    assert any("\u3040" <= char <= "\u30ff" for char in answers[0])


async def test_client_repeats_what_it_is_asked_to_and_keeps_silent_when_asked(
    tmp_path: Path,
) -> None:
    account = _account(Channel.TELEGRAM, IdempotencyClass.NONE)
    async with running(tmp_path, account) as vendor:
        await vendor.connector.outbound.send(outbound(vendor, "nothing #silent"), attempt())
        await vendor.connector.outbound.send(
            outbound(vendor, "echo: Yes, at ten"), attempt(key="m-2.0")
        )
        events = await events_until(vendor, MessageIn)
    assert [event.text for event in events if isinstance(event, MessageIn)] == ["Yes, at ten"]


async def test_lost_message_is_unknown_and_not_on_the_phone(tmp_path: Path) -> None:
    account = _account(Channel.SMS, IdempotencyClass.NONE)
    async with running(tmp_path, account) as vendor:
        await vendor.next_send(faults.OutcomeUnknown, lost=True)
        with pytest.raises(faults.OutcomeUnknown):
            await vendor.connector.outbound.send(outbound(vendor), attempt())
        assert await vendor.received_texts() == []


async def test_cursor_of_another_store_starts_over(tmp_path: Path) -> None:
    account = _account(Channel.LINE, IdempotencyClass.SERVER_KEY)
    async with running(tmp_path, account) as vendor:
        await vendor.client_writes("hello")
        polled = await vendor.connector.inbound.poll(account, "elsewhere:99")
    assert len(polled.items) == 1


async def test_store_is_encrypted(tmp_path: Path) -> None:
    account = _account(Channel.LINE, IdempotencyClass.SERVER_KEY)
    async with running(tmp_path, account) as vendor:
        await vendor.client_writes("canary-of-the-phone")
    content = b"".join(path.read_bytes() for path in tmp_path.glob(f"{FILE_NAME}*"))
    assert content
    assert b"canary-of-the-phone" not in content
    assert not content.startswith(b"SQLite")
