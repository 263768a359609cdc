"""SMS by SMPP against a small SMS centre on loopback; the channels' suite has others judge.

It never reaches a network.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from backend.channels import faults
from backend.channels.contract import Account, Connector, Polled, RawItem
from backend.channels.events import InboundEvent, MessageIn, Receipt, Unknown
from backend.channels.modules import ChannelContext, load_module
from backend.channels.running import Lifecycle, PerAccount
from backend.channels.smpp import wire
from backend.channels.smpp.inbound import SmppInbound
from backend.channels.smpp.links import SmppLinks
from backend.channels.smpp.outbound import SmppOutbound
from backend.channels.smpp.session import SmppSession
from backend.channels.vendor_http import VendorHttp
from contract.ids import AccountId
from contract.states import DeliveryState
from contract.wire import Channel, IdempotencyClass
from tests.backend.channels.conformance import ConnectorConformance, attempt, outbound
from tests.backend.channels.making import changed
from tests.backend.channels.smpp_peer import (
    FIRM,
    PASSWORD,
    PHONE,
    STATUS,
    SYSTEM_ID,
    SmppPeer,
    deliver_body,
    receipt_body,
)
from tests.support.log_guard import LogGuard

ACCOUNT = Account(
    account_id=AccountId("sms-1"),
    channel=Channel.SMS,
    connector="smpp",
    idempotency=IdempotencyClass.NONE,
)


class SmppVendor:
    """The peer as the conformance run wants it."""

    def __init__(self, peer: SmppPeer, http: VendorHttp, **settings: str) -> None:
        self.peer, self.account = peer, ACCOUNT
        self.now_utc_ms = time.time_ns() // 1_000_000
        self.given = {
            "host": "127.0.0.1",
            "port": str(peer.port),
            "system_id": SYSTEM_ID,
            "password": PASSWORD,
            "source": f"+{FIRM}",
        } | settings
        self.context = ChannelContext(lambda _: self.given, http, lambda: self.now_utc_ms)
        self.connector: Connector = load_module("smpp").connect(self.context)

    async def received_texts(self) -> list[str]:
        return self.peer.texts

    async def client_writes(self, text: str) -> str:
        self.peer.write(text)
        return ""

    async def incoming(self, cursor: str) -> Polled:
        return await self.connector.inbound.poll(self.account, cursor)

    async def next_send(self, fault: type[faults.ChannelFault], *, lost: bool = False) -> bool:
        self.peer.loses = fault is faults.OutcomeUnknown
        if fault in STATUS:
            self.peer.statuses = [STATUS[fault]]
        return self.peer.loses or fault in STATUS

    async def send(self, text: str) -> str:
        """Send a text and return its id."""
        result = await self.connector.outbound.send(outbound(self, text), attempt())
        return result.external_id

    async def events(self, wanted: int, cursor: str = "") -> tuple[list[InboundEvent], str]:
        """Poll until that many events came; return them with the cursor behind them."""
        seen: list[InboundEvent] = []
        while len(seen) < wanted:
            polled = await self.incoming(cursor)
            cursor = polled.cursor
            for item in polled.items:
                assert self.connector.inbound.verify(ACCOUNT, item)
                seen.extend(self.connector.inbound.parse(ACCOUNT, item.body))
        return seen, cursor


@pytest.fixture
async def peer() -> AsyncIterator[SmppPeer]:
    """Run the peer."""
    async with SmppPeer() as peer:
        yield peer


@pytest.fixture
async def vendor(peer: SmppPeer) -> AsyncIterator[SmppVendor]:
    """Return the connector over the running peer."""
    async with VendorHttp(verify=False) as http:
        vendor = SmppVendor(peer, http)
        yield vendor
        await stop(vendor)


async def stop(vendor: SmppVendor) -> None:
    """End the connector's connections."""
    assert isinstance(vendor.connector.inbound, SmppInbound)
    await vendor.connector.inbound.stop()


class TestSmppConformance(ConnectorConformance):
    """The suite that every connector passes."""


async def test_the_small_alphabet_is_used_where_it_has_every_letter(vendor: SmppVendor) -> None:
    await vendor.send("Grüße: 5 € [netto]")
    (message,) = vendor.peer.submitted
    assert (message.data_coding, message.esm_class) == (0, 0)
    assert message.content == b"Gr\x7e\x1ee: 5 \x1b\x65 \x1b\x3cnetto\x1b\x3e"
    assert message.source == wire.Address(1, 1, FIRM)
    assert message.destination == wire.Address(1, 1, PHONE)


@pytest.mark.parametrize("text", ["x" * 400, "約定確認" * 40, "{" * 160, "😀" * 70])
async def test_a_long_text_goes_in_numbered_parts(vendor: SmppVendor, text: str) -> None:
    await vendor.send(text)
    messages = vendor.peer.submitted
    assert len(messages) > 1
    headers = [message.content[:6] for message in messages]
    assert {header[:3] for header in headers} == {b"\x05\x00\x03"}
    assert len({header[3] for header in headers}) == 1
    assert [header[5] for header in headers] == list(range(1, len(messages) + 1))
    assert all(len(message.content) <= 140 or message.data_coding == 0 for message in messages)
    assert all(len(message.content) - 6 <= 153 for message in messages)
    assert all(message.esm_class == 0x40 for message in messages)
    assert vendor.peer.texts == [text]


async def test_a_message_in_parts_is_delivered_when_every_part_is(vendor: SmppVendor) -> None:
    vendor.peer.thanks = False
    first = await vendor.send("x" * 400)
    events, _ = await vendor.events(1)
    assert first == "a1"
    (event,) = events
    assert isinstance(event, Receipt)
    assert (event.external_id, event.state) == ("a1", DeliveryState.DELIVERED)
    assert event.dedupe_key == "a3.DELIVRD"


async def test_a_message_in_parts_has_failed_when_one_part_has(vendor: SmppVendor) -> None:
    vendor.peer.thanks = False
    receiver = receiver_of(vendor)
    for number in (1, 2, 3):
        receiver.parts.sent("b1", f"b{number}", 3)
    vendor.peer.hand_over(receipt_body("b2", "UNDELIV", "00A"))
    for number in (1, 3):
        vendor.peer.hand_over(receipt_body(f"b{number}", "DELIVRD"))
    vendor.peer.write("later")
    events, _ = await vendor.events(2)
    failed, _ = events
    assert isinstance(failed, Receipt)
    assert (failed.external_id, failed.state) == ("b1", DeliveryState.FAILED)
    assert failed.detail == "The SMS could not be delivered (error 00A)."


def receiver_of(vendor: SmppVendor) -> Any:
    """Return what takes in the account's texts."""
    assert isinstance(vendor.connector.inbound, SmppInbound)
    return vendor.connector.inbound._links.receiver(ACCOUNT.account_id)


async def test_parts_that_come_late_survive_a_restart(vendor: SmppVendor) -> None:
    parts = [
        deliver_body(b"\x06\x08\x04\x01\x02\x02" + bytes([n]) + text, esm_class=0x40)
        for n, text in ((1, b"first, "), (2, b"second"))
    ]
    vendor.peer.hand_over(parts[0])
    polled = await vendor.incoming("")
    assert polled.items == ()
    again = SmppVendor(vendor.peer, vendor.context.http)
    try:
        waiting = asyncio.create_task(again.incoming(polled.cursor))
        await vendor.peer.until(lambda: len(vendor.peer.binds) == 2)
        vendor.peer.hand_over(parts[1])
        (item,) = (await waiting).items
    finally:
        await stop(again)
    (event,) = again.connector.inbound.parse(ACCOUNT, item.body)
    assert isinstance(event, MessageIn)
    assert event.text == "first, second"
    assert event.sender.address == f"+{PHONE}"


async def test_a_part_that_never_comes_is_shown_as_missing(vendor: SmppVendor) -> None:
    header = b"\x05\x00\x03\x09\x03"
    vendor.peer.hand_over(deliver_body(header + b"\x01one", esm_class=0x40))
    vendor.peer.hand_over(deliver_body(header + b"\x03three", esm_class=0x40))
    polled = await vendor.incoming("")
    while '"3":' not in polled.cursor:  # a cursor carries the parts that wait
        polled = await vendor.incoming(polled.cursor)
    vendor.now_utc_ms += 2 * 60 * 60_000
    polled = await vendor.incoming(polled.cursor)
    while not polled.items:
        polled = await vendor.incoming(polled.cursor)
    (event,) = vendor.connector.inbound.parse(ACCOUNT, polled.items[0].body)
    assert isinstance(event, MessageIn)
    assert event.text == "one […] three"


async def test_a_text_is_acknowledged_only_once_it_is_committed(vendor: SmppVendor) -> None:
    vendor.peer.write("ok")
    polled = await vendor.incoming("")
    assert vendor.peer.acknowledged == []
    waiting = asyncio.create_task(vendor.incoming(polled.cursor))
    await vendor.peer.until(lambda: vendor.peer.acknowledged == [(1, 0)])
    vendor.peer.write("ok")
    (item,) = (await waiting).items
    assert item.dedupe_key != polled.items[0].dedupe_key, "the same words twice are two texts"
    first = vendor.connector.inbound.parse(ACCOUNT, polled.items[0].body)[0]
    second = vendor.connector.inbound.parse(ACCOUNT, item.body)[0]
    assert isinstance(first, MessageIn)
    assert isinstance(second, MessageIn)
    assert first.external_id != second.external_id


async def test_a_text_handed_over_again_after_a_break_is_one_text(vendor: SmppVendor) -> None:
    vendor.peer.write("sell everything")
    polled = await vendor.incoming("")
    vendor.peer.hang_up()
    await vendor.peer.until(lambda: len(vendor.peer.binds) == 2)
    vendor.peer.write("sell everything")
    await vendor.peer.until(lambda: vendor.peer.waiting == [])
    again = await vendor.incoming("")
    assert again.items == polled.items
    asking = asyncio.create_task(vendor.incoming(again.cursor))
    await vendor.peer.until(lambda: vendor.peer.acknowledged == [(2, 0)])
    asking.cancel()


@pytest.mark.parametrize(
    "body",
    [
        b"\0\1",
        deliver_body(b"\x05\x00\x03", esm_class=0x40),
        deliver_body(b"\x06\x05\x04\x0b\x84\x0b\x84push", esm_class=0x40),
        deliver_body(b"\x01\x02", data_coding=4),
        deliver_body(b""),
    ],
)
async def test_what_is_not_a_text_is_unknown_and_acknowledged(
    vendor: SmppVendor, body: bytes
) -> None:
    vendor.peer.hand_over(body)
    vendor.peer.write("next")
    events, cursor = await vendor.events(2)
    assert [type(event) for event in events] == [Unknown, MessageIn]
    asking = asyncio.create_task(vendor.incoming(cursor))
    await vendor.peer.until(lambda: vendor.peer.acknowledged == [(1, 0), (2, 0)])
    asking.cancel()


@pytest.mark.parametrize(
    ("content", "coding", "text"),
    [
        (b"caf\xe9", 3, "café"),
        ("Ä€".encode("utf-16-be"), 8, "Ä€"),
        ("Ä€".encode("utf-16-be"), 0x18, "Ä€"),
        (b"\x1b\x65 \x00", 0xF1, "€ @"),
        ("Привет".encode("iso8859-5"), 6, "Привет"),
        (b"plain", 1, "plain"),
    ],
)
async def test_other_alphabets_are_read(
    vendor: SmppVendor, content: bytes, coding: int, text: str
) -> None:
    vendor.peer.hand_over(deliver_body(content, data_coding=coding))
    ((event,), _) = await vendor.events(1)
    assert isinstance(event, MessageIn)
    assert event.text == text


@pytest.mark.parametrize(
    ("body", "state"),
    [
        (receipt_body("77", "EXPIRED"), DeliveryState.FAILED),
        (deliver_body(b"", esm_class=4, parameters=b"\0\x1e\0\x0377\0\x04\x27\0\x01\x02"),
         DeliveryState.DELIVERED),
        (deliver_body(b"", esm_class=0, parameters=b"\x04\x27\0\x01\x05\0\x1e\0\x0277"),
         DeliveryState.FAILED),
        (receipt_body("77", "ENROUTE"), None),
        (receipt_body("77", "MYSTERY"), None),
    ],
)  # fmt: skip
def test_receipts_of_every_shape_are_read(
    vendor: SmppVendor, body: bytes, state: DeliveryState | None
) -> None:
    raw = wire.encode(wire.Pdu(wire.DELIVER_SM, 0, 1, body))
    events = vendor.connector.inbound.parse(ACCOUNT, raw)
    assert [(event.external_id, event.state) for event in events if isinstance(event, Receipt)] == (
        [("77", state)] if state else []
    )


async def test_decimal_receipt_ids_meet_hexadecimal_message_ids(peer: SmppPeer) -> None:
    async with VendorHttp(verify=False) as http:
        vendor = SmppVendor(peer, http, receipt_ids="decimal")
        assert await vendor.send("hello") == str(0xA1)
        await stop(vendor)


async def test_later_parts_wait_while_the_centre_is_busy(vendor: SmppVendor) -> None:
    vendor.peer.statuses = [0, 0x58, 0]
    await vendor.send("x" * 300)
    assert vendor.peer.texts == ["x" * 300]


async def test_a_half_sent_text_is_an_unknown_outcome(vendor: SmppVendor) -> None:
    vendor.peer.statuses = [0, 0x0B]
    with pytest.raises(faults.OutcomeUnknown):
        await vendor.send("x" * 300)


@pytest.mark.parametrize("status", [0x45, 0x410, 0xFE])
async def test_a_status_of_the_centres_own_fails_the_message_alone(
    vendor: SmppVendor, status: int
) -> None:
    vendor.peer.statuses = [status]
    with pytest.raises(faults.Refusal, match=f"0x{status:02X}"):
        await vendor.send("hello")
    await vendor.send("again")
    assert len(vendor.peer.binds) == 1


async def test_a_wrong_password_is_the_accounts_fault(peer: SmppPeer, expect_log: LogGuard) -> None:
    expect_log("could not be bound", logger="backend.channels.smpp.link")
    async with VendorHttp(verify=False) as http:
        vendor = SmppVendor(peer, http, password="wrong")
        with pytest.raises(faults.AccountFault, match="0x0E"):
            await vendor.send("hello")
        (line,) = await load_module("smpp").check(vendor.context, ACCOUNT)
        assert (line.step, line.ok) == ("bind", False)
        vendor.given["password"] = PASSWORD
        await vendor.send("hello")
        lines = await load_module("smpp").check(vendor.context, ACCOUNT)
        assert all(line.ok for line in lines)
        await stop(vendor)


async def test_an_account_that_is_gone_is_unbound(vendor: SmppVendor) -> None:
    await vendor.send("hello")
    inbound = vendor.connector.inbound
    assert isinstance(inbound, PerAccount)
    assert isinstance(inbound, Lifecycle)
    await inbound.account_changed(ACCOUNT.account_id)
    await vendor.peer.until(lambda: not vendor.peer.is_bound)


async def test_nothing_leaves_while_the_centre_is_away(peer: SmppPeer) -> None:
    async with VendorHttp(verify=False) as http:
        vendor = SmppVendor(peer, http, port="1")
        with pytest.raises(faults.Retryable):
            await vendor.send("hello")
        with pytest.raises(faults.Retryable):
            await vendor.incoming("")
        await stop(vendor)


async def test_separate_binds_send_on_one_and_hear_on_the_other(peer: SmppPeer) -> None:
    async with VendorHttp(verify=False) as http:
        vendor = SmppVendor(peer, http, binds="separate")
        await vendor.send("hello")
        events, _ = await vendor.events(2)
        assert {type(event) for event in events} == {Receipt, MessageIn}
        assert sorted(peer.binds) == [wire.BIND_RECEIVER, wire.BIND_TRANSMITTER]
        await stop(vendor)


async def test_a_quiet_centre_is_asked_for_life_and_left_without_it(
    peer: SmppPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_request = SmppSession.request

    async def request(
        self: SmppSession, command: int, body: bytes, *, timeout_s: float = 20.0, **named: Any
    ) -> wire.Pdu:
        # Where an answer will come it is waited for, however slow the machine is.
        patience_s = timeout_s if peer.silent else 20.0
        return await really_request(self, command, body, timeout_s=patience_s, **named)

    monkeypatch.setattr(SmppSession, "request", request)
    given = SmppVendor(peer, VendorHttp(verify=False)).given
    links = SmppLinks(lambda _: given, lambda: 0, quiet_s=0.05)
    await (await links.sending(ACCOUNT.account_id)).ready()
    await peer.until(lambda: peer.enquiries >= 2)
    assert len(peer.binds) == 1
    peer.silent = True
    await peer.until(lambda: len(peer.binds) >= 2)
    await links.stop()
    with pytest.raises(faults.Retryable):
        await SmppOutbound(links, lambda: 0).send(
            outbound(SmppVendor(peer, VendorHttp(verify=False))), attempt()
        )


async def test_unbind_is_answered_and_bound_again_and_the_unknown_refused(
    vendor: SmppVendor,
) -> None:
    await vendor.send("hello")
    vendor.peer.send(0x0103)
    await vendor.peer.until(lambda: vendor.peer.nacks == 1)
    vendor.peer.send(wire.ENQUIRE_LINK)
    vendor.peer.send(wire.UNBIND)
    await vendor.peer.until(lambda: len(vendor.peer.binds) == 2)


def test_bytes_of_another_process_are_refused(vendor: SmppVendor) -> None:
    raw = wire.encode(wire.Pdu(wire.DELIVER_SM, 0, 1, deliver_body(b"hi")))
    item = RawItem(dedupe_key="1", body=raw, headers={"x-parley-arrived": "00"})
    assert not vendor.connector.inbound.verify(ACCOUNT, item)


async def test_sources_are_numbers_codes_or_names(peer: SmppPeer) -> None:
    async with VendorHttp(verify=False) as http:
        vendor = SmppVendor(peer, http, source="Bank AG")
        await vendor.send("hello")
        vendor.given["source"] = "70123"
        await vendor.send("hello")
        assert [message.source for message in peer.submitted] == [
            wire.Address(5, 0, "Bank AG"),
            wire.Address(0, 0, "70123"),
        ]
        vendor.given["source"] = "a name that is too long"
        with pytest.raises(faults.AccountFault, match="source"):
            await vendor.send("hello")
        message = changed(outbound(vendor), address="not a number")
        with pytest.raises(faults.RecipientInvalid):
            await vendor.connector.outbound.send(message, attempt())
        await stop(vendor)
