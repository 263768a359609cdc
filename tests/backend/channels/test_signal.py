"""Signal against a small signal-cli on loopback; the channels' suite asks a real daemon.

It never reaches Signal.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from backend.channels import faults
from backend.channels.contract import Account, Connector, Polled
from backend.channels.events import (
    Deleted,
    Edited,
    IdentityChange,
    InboundEvent,
    MessageEcho,
    MessageIn,
    Reaction,
    Receipt,
    Typing,
    Unknown,
)
from backend.channels.modules import ChannelContext, load_module
from backend.channels.running import Lifecycle, PerAccount
from backend.channels.signal.inbound import SignalInbound
from backend.channels.vendor_http import VendorHttp
from contract.ids import AccountId
from contract.states import DeliveryState
from contract.wire import Channel, IdempotencyClass
from tests.backend.channels.conformance import ConnectorConformance, attempt, outbound
from tests.backend.channels.making import changed, outbound_file
from tests.backend.channels.signal_peer import CLIENT, NUMBER, SignalPeer

ACCOUNT = Account(
    account_id=AccountId("sig-1"),
    channel=Channel.SIGNAL,
    connector="signal",
    idempotency=IdempotencyClass.NONE,
)
GROUP = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="


class SignalVendor:
    """The peer as the conformance run wants it."""

    address = CLIENT

    def __init__(self, peer: SignalPeer, http: VendorHttp, **settings: str) -> None:
        self.peer, self.account = peer, ACCOUNT
        self.now_utc_ms = time.time_ns() // 1_000_000
        self.given = {"account": NUMBER, "api_url": peer.server.url} | settings
        self.context = ChannelContext(lambda _: self.given, http, lambda: self.now_utc_ms)
        self.connector: Connector = load_module("signal").connect(self.context)

    async def received_texts(self) -> list[str]:
        return list(self.peer.texts.values())

    async def client_writes(self, text: str) -> str:
        return self.peer.writes(text)

    async def incoming(self, cursor: str) -> Polled:
        return await self.connector.inbound.poll(self.account, cursor)

    async def next_send(self, fault: type[faults.ChannelFault], *, lost: bool = False) -> bool:
        self.peer.next = fault
        return fault in self.peer.knows

    async def events(self, *told: dict[str, Any]) -> list[InboundEvent]:
        """Return what the connector makes of events, each of which tells at least one thing."""
        for event in told:
            self.peer.tell(event)
        seen: list[InboundEvent] = []
        cursor, items = "", 0
        while items < len(told):
            polled = await self.incoming(cursor)
            cursor, items = polled.cursor, items + len(polled.items)
            for item in polled.items:
                assert self.connector.inbound.verify(ACCOUNT, item)
                parsed = self.connector.inbound.parse(ACCOUNT, item.body)
                assert len(parsed) != 1 or parsed[0].dedupe_key
                seen.extend(parsed)
        return seen

    async def stop(self) -> None:
        """End the stream."""
        assert isinstance(self.connector.inbound, SignalInbound)
        await self.connector.inbound.stop()


@pytest.fixture
def peer() -> Iterator[SignalPeer]:
    """Run the peer."""
    peer = SignalPeer()
    with peer.server:
        yield peer
        peer.hang_up()


@pytest.fixture
async def vendor(peer: SignalPeer) -> AsyncIterator[SignalVendor]:
    """Return the connector over the running peer."""
    async with VendorHttp(verify=False) as http:
        vendor = SignalVendor(peer, http)
        yield vendor
        await vendor.stop()


class TestSignalConformance(ConnectorConformance):
    """The suite that every connector passes."""


async def test_replies_files_and_reactions_name_author_and_timestamp(vendor: SignalVendor) -> None:
    out, base = vendor.connector.outbound, outbound(vendor)
    paper = outbound_file('off;er".pdf', "application/pdf")
    theirs = f"{CLIENT}.1790000000500"
    sent = await out.send(
        changed(base, quote_external_id=theirs, quote_text="Hi", attachments=(paper,)), attempt()
    )
    assert sent.state is DeliveryState.SENT
    await out.react(ACCOUNT, CLIENT, theirs, "👍")
    await out.react(ACCOUNT, CLIENT, sent.external_id, "")
    await out.mark_read(ACCOUNT, CLIENT, theirs, {})
    await out.typing(ACCOUNT, CLIENT, True)
    await out.typing(ACCOUNT, CLIENT, False)
    await out.delete(base, sent.external_id, attempt())
    own = {"account": NUMBER}
    to = own | {"recipient": [CLIENT]}
    number = int(sent.external_id)
    assert vendor.peer.calls == [
        ("send", to | {
            "message": "Good morning",
            "attachments": ["data:application/pdf;filename=off_er_.pdf;base64,Ynl0ZXM="],
            "quoteTimestamp": 1790000000500, "quoteAuthor": CLIENT, "quoteMessage": "Hi"}),
        ("sendReaction", to | {
            "emoji": "👍", "remove": False, "targetAuthor": CLIENT,
            "targetTimestamp": 1790000000500}),
        ("sendReaction", to | {
            "emoji": "👍", "remove": True, "targetAuthor": NUMBER, "targetTimestamp": number}),
        ("sendReceipt", own | {
            "recipient": CLIENT, "targetTimestamp": 1790000000500, "type": "read"}),
        ("sendTyping", to | {"stop": False}),
        ("sendTyping", to | {"stop": True}),
        ("remoteDelete", to | {"targetTimestamp": number}),
    ]  # fmt: skip


async def test_a_group_is_written_to_by_its_id(vendor: SignalVendor) -> None:
    message = changed(outbound(vendor), id_type="chat", address=GROUP)
    await vendor.connector.outbound.send(message, attempt())
    ((_, params),) = vendor.peer.calls
    assert params == {"account": NUMBER, "groupId": GROUP, "message": "Good morning"}


async def test_an_edit_of_an_edit_replaces_the_newest(vendor: SignalVendor) -> None:
    out, base = vendor.connector.outbound, outbound(vendor)
    vendor.peer.thanks = False
    sent = await out.send(base, attempt())
    await out.edit(changed(base, text="better"), sent.external_id, attempt())
    await out.edit(changed(base, text="best"), sent.external_id, attempt())
    first, second = (params["editTimestamp"] for _, params in vendor.peer.calls[1:])
    assert str(first) == sent.external_id
    assert first < second
    vendor.peer.receipt("isRead", second)
    events = await vendor.events(vendor.peer.data(message="fine"))
    read = [event for event in events if isinstance(event, Receipt)][-1]
    assert read.external_id == sent.external_id, "who read the edit read the message"


async def test_a_clients_edits_and_removals_name_their_message(vendor: SignalVendor) -> None:
    first = vendor.peer.data(message="sell 10")
    began = first["envelope"]["timestamp"]
    original = f"{CLIENT}.{began}"

    def edit(target: int, text: str) -> dict[str, Any]:
        data = vendor.peer.data(message=text)["envelope"]
        parts = {"targetSentTimestamp": target, "dataMessage": data["dataMessage"]}
        return vendor.peer.envelope(data["timestamp"], editMessage=parts)

    second = edit(began, "sell 100")
    third = edit(second["envelope"]["timestamp"], "sell 1000")
    gone = vendor.peer.data(remoteDelete={"timestamp": third["envelope"]["timestamp"]})
    events = await vendor.events(first, second, third, gone)
    assert [type(event) for event in events] == [MessageIn, Edited, Edited, Deleted]
    assert {getattr(event, "external_id", "") for event in events} == {original}
    assert isinstance(events[2], Edited)
    assert events[2].text == "sell 1000"


async def test_edits_are_still_known_after_a_restart(vendor: SignalVendor) -> None:
    data = vendor.peer.data(message="sell 100")["envelope"]
    parts = {"targetSentTimestamp": 1789, "dataMessage": data["dataMessage"]}
    vendor.peer.tell(vendor.peer.envelope(data["timestamp"], editMessage=parts))
    cursor = (await vendor.incoming("")).cursor
    await vendor.stop()
    await vendor.peer.left()
    again = SignalVendor(vendor.peer, vendor.context.http)
    asking = asyncio.create_task(again.incoming(cursor))
    target = {"targetSentTimestamp": data["timestamp"], "dataMessage": data["dataMessage"]}
    vendor.peer.tell(vendor.peer.envelope(data["timestamp"] + 9, editMessage=target))
    (item,) = (await asking).items
    (event,) = again.connector.inbound.parse(ACCOUNT, item.body)
    await again.stop()
    assert isinstance(event, Edited)
    assert event.external_id == f"{CLIENT}.1789"


async def test_what_a_client_does_is_read(vendor: SignalVendor) -> None:
    peer = vendor.peer
    theirs = {"targetAuthorUuid": CLIENT, "targetSentTimestamp": 5, "emoji": "❤"}
    ours = {"targetAuthorNumber": NUMBER, "targetSentTimestamp": 6, "emoji": "❤", "isRemove": True}
    quote = {"id": 6, "authorNumber": NUMBER, "text": "Hi", "attachments": []}
    group = {"groupId": GROUP, "groupName": "Family", "revision": 3, "type": "DELIVER"}
    mention = {"start": 6, "length": 1, "name": "Elena", "number": NUMBER}
    events = await vendor.events(
        peer.data(reaction=theirs),
        peer.data(reaction=ours),
        peer.data(message="Hello ￼!", quote=quote, groupInfo=group, mentions=[mention]),
        peer.envelope(typingMessage={"action": "STARTED", "timestamp": 1, "groupId": GROUP}),
        peer.data(contacts=[{"name": {"display": "Bo"}, "phone": [{"value": "+49"}]}]),
    )
    set_, removed, message, typing, card = events
    assert isinstance(set_, Reaction)
    assert isinstance(removed, Reaction)
    assert (set_.external_id, set_.emoji) == (f"{CLIENT}.5", "❤")
    assert (removed.external_id, removed.emoji) == ("6", "")
    assert isinstance(message, MessageIn)
    assert (message.text, message.chat) == ("Hello @Elena!", GROUP)
    assert (message.quote_external_id, message.sender.name) == ("6", "Ada")
    assert (message.sender.id_type, message.sender.address) == ("uuid", CLIENT)
    assert isinstance(typing, Typing)
    assert (typing.typing, typing.chat) == (True, GROUP)
    assert isinstance(card, MessageIn)
    assert card.text == "Bo: +49"


async def test_a_clients_files_are_fetched_from_the_daemon(vendor: SignalVendor) -> None:
    file = {"contentType": "image/jpeg", "filename": None, "id": "file-1", "size": 16}
    long = {"contentType": "text/x-signal-plain", "filename": None, "id": "file-2", "size": 9}
    (event,) = await vendor.events(vendor.peer.data(message="see", attachments=[file, long]))
    assert isinstance(event, MessageIn)
    picture, whole = event.attachments
    assert (picture.name, whole.name, whole.media_type) == (
        "file-1", "whole-text.txt", "text/plain",
    )  # fmt: skip
    assert await vendor.connector.inbound.fetch_media(ACCOUNT, picture.ref) == b"the file's bytes"
    assert vendor.peer.calls[-1] == (
        "getAttachment",
        {"account": NUMBER, "id": "file-1", "recipient": CLIENT},
    )
    vendor.peer.error = {"code": -1, "message": "Could not find attachment", "data": None}
    with pytest.raises(faults.ContentInvalid):
        await vendor.connector.inbound.fetch_media(ACCOUNT, picture.ref)


async def test_a_changed_identity_is_held_for_a_person(vendor: SignalVendor) -> None:
    told = {"message": "m", "type": "UntrustedIdentityException"}
    closed = {"message": "m", "type": "ProtocolInvalidMessageException"}
    event, other = await vendor.events(
        vendor.peer.envelope() | {"exception": told},
        vendor.peer.envelope() | {"exception": closed},
    )
    assert isinstance(event, IdentityChange)
    assert event.sender.address == CLIENT
    assert isinstance(other, Unknown)
    assert other.external_id


async def test_what_is_not_known_is_shown_and_what_is_nothing_is_not(vendor: SignalVendor) -> None:
    peer = vendor.peer
    update = {"groupId": GROUP, "revision": 4, "type": "UPDATE"}
    events = await vendor.events(
        peer.data(sticker={"packId": "aa", "stickerId": 3}),
        peer.data(payment={"note": "", "receipt": "AA=="}),
        peer.data(pollCreate={"question": "?"}),
        peer.envelope(callMessage={"offerMessage": {"id": 1}}),
        peer.data(expiresInSeconds=3600),
        peer.data(groupInfo=update),
        peer.envelope(callMessage={"hangupMessage": {"id": 1}}),
        peer.envelope(syncMessage={"readMessages": [{"timestamp": 1}]}),
        peer.envelope(storyMessage={"allowsReplies": True}),
    )
    assert [event.type_name for event in events if isinstance(event, Unknown)] == [
        "sticker", "payment", "pollCreate", "call",
    ]  # fmt: skip
    assert len(events) == 4


async def test_a_message_of_an_unknown_shape_is_shown_in_its_chat(vendor: SignalVendor) -> None:
    group = {"groupId": GROUP, "type": "DELIVER"}
    alone, grouped = await vendor.events(
        vendor.peer.data(message={"new": "form"}),
        vendor.peer.data(message={"new": "form"}, groupInfo=group),
    )
    assert isinstance(alone, Unknown)
    assert (alone.sender.address, alone.chat) == (CLIENT, "")
    assert alone.external_id
    assert isinstance(grouped, Unknown)
    assert grouped.chat == GROUP


async def test_what_the_employee_writes_on_the_phone_is_an_echo(vendor: SignalVendor) -> None:
    sent = {
        "destination": CLIENT, "destinationUuid": CLIENT, "timestamp": 77, "message": "At 3?",
        "expiresInSeconds": 0, "viewOnce": False,
    }  # fmt: skip
    reaction = {"emoji": "👍", "targetSentTimestamp": 5}
    echo, other = await vendor.events(
        vendor.peer.envelope(syncMessage={"sentMessage": sent}),
        vendor.peer.envelope(
            syncMessage={"sentMessage": sent | {"message": None, "reaction": reaction}}
        ),
    )
    assert isinstance(echo, MessageEcho)
    assert (echo.text, echo.external_id, echo.sender.address) == ("At 3?", "77", CLIENT)
    assert isinstance(other, Unknown)
    assert other.sender.address == ""


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        ({"code": -3, "message": "m"}, faults.OutcomeUnknown),
        ({"code": -32603, "message": "m"}, faults.OutcomeUnknown),
        ({"code": -32601, "message": "m"}, faults.AccountFault),
        ({"code": -32700, "message": "m"}, faults.ContentInvalid),
        ({"code": -4, "message": "m"}, faults.IdentityChanged),
        ({"code": -5, "message": "m"}, faults.RateLimited),
        ({"code": -1, "message": "Group not found: x"}, faults.RecipientInvalid),
        ({"code": -99, "message": "m"}, faults.OutcomeUnknown),
    ],
)
async def test_every_error_has_its_class(
    vendor: SignalVendor, error: dict[str, Any], fault: type[faults.ChannelFault]
) -> None:
    vendor.peer.error = error
    with pytest.raises(fault):
        await vendor.connector.outbound.send(outbound(vendor), attempt())


@pytest.mark.parametrize(
    ("results", "fault"),
    [
        ([{"type": "NETWORK_FAILURE"}], faults.OutcomeUnknown),
        ([{"type": "RATE_LIMIT_FAILURE", "token": "t"}], faults.AccountFault),
        ([{"type": "RATE_LIMIT_FAILURE", "retryAfterSeconds": 90}], faults.RateLimited),
        ([{"type": "IDENTITY_FAILURE"}, {"type": "SUCCESS"}], None),
    ],
)
async def test_results_without_a_success_are_faults(
    vendor: SignalVendor,
    results: list[dict[str, Any]],
    fault: type[faults.ChannelFault] | None,
) -> None:
    vendor.peer.results = results
    if fault is None:
        assert (await vendor.connector.outbound.send(outbound(vendor), attempt())).external_id
        return
    with pytest.raises(fault) as raised:
        await vendor.connector.outbound.send(outbound(vendor), attempt())
    if isinstance(raised.value, faults.RateLimited):
        assert raised.value.until_utc_ms == vendor.now_utc_ms + 90_000


async def test_a_broken_stream_is_opened_again(vendor: SignalVendor) -> None:
    await vendor.events(vendor.peer.data(message="one"))
    vendor.peer.hang_up()
    (event,) = await _after_the_first(vendor, "two")
    assert isinstance(event, MessageIn)
    assert event.text == "two"


async def _after_the_first(vendor: SignalVendor, text: str) -> tuple[InboundEvent, ...]:
    cursor = (await vendor.incoming("")).cursor
    vendor.peer.writes(text)
    (item,) = (await vendor.incoming(cursor)).items
    return vendor.connector.inbound.parse(ACCOUNT, item.body)


async def test_an_unknown_number_is_the_accounts_fault(peer: SignalPeer) -> None:
    async with VendorHttp(verify=False) as http:
        vendor = SignalVendor(peer, http, account="+4900")
        inbound = vendor.connector.inbound
        assert isinstance(inbound, SignalInbound)
        stream = inbound._streams.of(ACCOUNT.account_id)
        with pytest.raises(faults.AccountFault):
            while True:
                await stream.take("", 0.05)
        lines = await load_module("signal").check(vendor.context, ACCOUNT)
        assert [(line.step, line.ok) for line in lines[:2]] == [
            ("daemon", True),
            ("account", False),
        ]
        await vendor.stop()


async def test_a_changed_account_is_heard_where_it_is_now(vendor: SignalVendor) -> None:
    right = vendor.given["account"]
    vendor.given["account"] = "+4900"
    inbound = vendor.connector.inbound
    assert isinstance(inbound, PerAccount)
    assert isinstance(inbound, Lifecycle)
    vendor.peer.writes("waited")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await vendor.incoming("")
    vendor.given["account"] = right
    await inbound.account_changed(ACCOUNT.account_id)
    (item,) = (await vendor.incoming("")).items
    (event,) = inbound.parse(ACCOUNT, item.body)
    assert isinstance(event, MessageIn)
    assert event.text == "waited"


async def test_the_check_asks_the_daemon_and_takes_no_message(vendor: SignalVendor) -> None:
    lines = await load_module("signal").check(vendor.context, ACCOUNT)
    assert all(line.ok for line in lines)
    assert [method for method, _ in vendor.peer.calls] == ["version", "listAccounts"]
    assert json.dumps([line.words for line in lines]).count("0.13.19") == 1
