"""WeCom's connector against recorded shapes: WeCom offers no peer that runs without internet.

It never reaches WeCom itself, and no answer to a repeated message id could be recorded.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from backend.channels import faults
from backend.channels.contract import Account, Connector, Names, Naming, Polled, RawItem
from backend.channels.events import (
    Deleted,
    InboundEvent,
    MessageEcho,
    MessageIn,
    Receipt,
    Unknown,
)
from backend.channels.modules import ChannelContext, load_module
from backend.channels.vendor_http import VendorHttp
from backend.channels.webhooks import Webhook, WebhookRequest
from backend.channels.wechat.sealing import signature_of
from contract.ids import AccountId
from contract.states import DeliveryState
from contract.wire import Channel, IdempotencyClass
from tests.backend.channels.conformance import ConnectorConformance, attempt, outbound
from tests.backend.channels.making import changed, outbound_file
from tests.backend.channels.wechat_peer import (
    AES_KEY,
    KF_CODES,
    TOKEN,
    WeComPeer,
    callback,
    seal,
    xml,
)

ACCOUNT = Account(
    account_id=AccountId("kf-1"),
    channel=Channel.WECHAT,
    connector="wecom",
    idempotency=IdempotencyClass.SERVER_KEY,
)
CORP = "ww0123456789"
HOOK = "https://bank.test/hooks/wecom/kf-1"


class WeComVendor:
    """The peer as the conformance run wants it."""

    address = "wm1"

    def __init__(self, peer: WeComPeer, http: VendorHttp) -> None:
        self.peer, self.account = peer, ACCOUNT
        self.now_utc_ms = time.time_ns() // 1_000_000
        settings = {
            "corp_id": CORP,
            "kf_secret": "a secret",
            "open_kfid": "wk1",
            "callback_token": TOKEN,
            "encoding_aes_key": AES_KEY,
            "api_url": peer.server.url,
        }
        self.context = ChannelContext(
            lambda _: settings, http, lambda: self.now_utc_ms, "https://bank.test"
        )
        self.connector: Connector = load_module("wecom").connect(self.context)

    async def received_texts(self) -> list[str]:
        return [body["text"]["content"] for body in self.peer.sent.values()]

    async def client_writes(self, text: str) -> str:
        return self.peer.says("text", text={"content": text})

    def ring(self, open_kfid: str = "wk1", token: str = "ENC1") -> tuple[InboundEvent, ...]:
        """Let WeCom call back: there is something to pull."""
        item = callback(
            xml(
                ToUserName=CORP,
                CreateTime=1,
                MsgType="event",
                Event="kf_msg_or_event",
                Token=token,
                OpenKfId=open_kfid,
            ),
            HOOK,
            CORP,
        )
        assert self.connector.inbound.verify(ACCOUNT, item)
        return self.connector.inbound.parse(ACCOUNT, item.body)

    async def incoming(self, cursor: str) -> Polled:
        self.ring()
        return await self.connector.inbound.poll(self.account, cursor)

    async def next_send(self, fault: type[faults.ChannelFault], *, lost: bool = False) -> bool:
        self.peer.next_code = KF_CODES.get(fault, 0)
        return fault in KF_CODES


@pytest.fixture(scope="module")
def running_peer() -> Iterator[WeComPeer]:
    """Run one peer for all tests here."""
    peer = WeComPeer()
    with peer.server:
        yield peer


@pytest.fixture
def peer(running_peer: WeComPeer) -> WeComPeer:
    """Return the peer as if it had just begun."""
    running_peer.forget()
    return running_peer


@pytest.fixture
async def vendor(peer: WeComPeer) -> AsyncIterator[WeComVendor]:
    """Return the connector over the running peer."""
    async with VendorHttp(verify=False) as http:
        yield WeComVendor(peer, http)


class TestWeComConformance(ConnectorConformance):
    """The suite that every connector passes."""


async def pulled(vendor: WeComVendor) -> list[InboundEvent]:
    """Return the events of everything that waits."""
    polled = await vendor.incoming("")
    return [
        event
        for item in polled.items
        for event in vendor.connector.inbound.parse(ACCOUNT, item.body)
    ]


async def test_a_callback_only_rings_and_its_token_goes_along_once(vendor: WeComVendor) -> None:
    poll = vendor.connector.inbound.poll
    first = await poll(ACCOUNT, "")  # what waited over a restart comes without a ring
    assert "token" not in vendor.peer.pulls[0]
    waits = asyncio.create_task(poll(ACCOUNT, first.cursor))
    await asyncio.sleep(0)
    assert vendor.ring("another desk") == ()
    vendor.peer.says("text", text={"content": "hello"})
    assert vendor.ring(token="ENC2") == ()
    async with asyncio.timeout(60):
        (item,) = (await waits).items
    assert vendor.peer.pulls[1]["token"] == "ENC2"
    assert vendor.connector.inbound.verify(ACCOUNT, item)
    assert not vendor.connector.inbound.verify(
        ACCOUNT, RawItem(dedupe_key="", body=item.body + b" ", headers=item.headers)
    )


async def test_a_stale_callback_is_pulled_without_its_token(vendor: WeComVendor) -> None:
    vendor.ring(token="stale")
    await vendor.connector.inbound.poll(ACCOUNT, "")
    assert [pull.get("token") for pull in vendor.peer.pulls] == ["stale", None]


async def test_more_than_a_page_is_pulled_page_by_page(vendor: WeComVendor) -> None:
    vendor.peer.page = 2
    for n in range(5):
        vendor.peer.says("text", text={"content": f"{n}"})
    cursor: str = ""
    keys: list[str] = []
    async with asyncio.timeout(60):
        while len(keys) < 5:
            polled = await vendor.connector.inbound.poll(ACCOUNT, cursor)
            cursor, keys = polled.cursor, [*keys, *(each.dedupe_key for each in polled.items)]
    assert keys == [f"kf-{n}" for n in range(5)]


async def test_a_pull_that_fails_is_not_forgotten(vendor: WeComVendor) -> None:
    await vendor.connector.inbound.poll(ACCOUNT, "")
    settings = vendor.context.settings_of(ACCOUNT.account_id)
    assert isinstance(settings, dict)
    here, settings["api_url"] = settings["api_url"], "http://127.0.0.1:9"
    vendor.ring()
    with pytest.raises(faults.Retryable):
        await vendor.connector.inbound.poll(ACCOUNT, "")
    settings["api_url"] = here
    vendor.peer.says("text", text={"content": "still here"})
    async with asyncio.timeout(60):
        assert (await vendor.connector.inbound.poll(ACCOUNT, "")).items


async def test_every_kind_of_message_is_read(vendor: WeComVendor) -> None:
    says = vendor.peer.says
    says("image", image={"media_id": "m1"})
    says("file", file={"media_id": "m2"})
    place = {"latitude": 23.1, "longitude": 113.3, "name": "广州", "address": ""}
    says("location", location=place)
    says("link", link={"title": "T", "desc": "D", "url": "https://x.test", "pic_url": ""})
    says("business_card", business_card={"userid": "u"})
    says("text", origin=5, text={"content": "from WeCom itself"})
    says("business_card", origin=5, business_card={"userid": "u"})
    image, file, where, link, card, echo, own_card = await pulled(vendor)
    assert isinstance(image, MessageIn)
    assert isinstance(file, MessageIn)
    assert [image.attachments[0].ref, file.attachments[0].ref] == ["m1", "m2"]
    assert isinstance(where, MessageIn)
    assert where.text == "广州\n23.100000, 113.300000"
    assert isinstance(link, MessageIn)
    assert isinstance(card, Unknown)
    assert card.sender.address == "wm1"
    assert isinstance(echo, MessageEcho)
    assert isinstance(own_card, MessageEcho), "never taken for the client's: it opens no window"
    assert await vendor.connector.inbound.fetch_media(ACCOUNT, "m1") == b"the file's bytes"
    with pytest.raises(faults.ContentInvalid):
        await vendor.connector.inbound.fetch_media(ACCOUNT, "gone")


async def test_events_tell_of_failures_and_recalls(vendor: WeComVendor) -> None:
    about = {"open_kfid": "wk1", "external_userid": "wm1"}
    failed = about | {"event_type": "msg_send_fail", "fail_msgid": "k1", "fail_type": 10}
    vendor.peer.says("event", origin=4, event=failed)
    recalled = about | {"event_type": "user_recall_msg", "recall_msgid": "k2"}
    vendor.peer.says("event", origin=4, event=recalled)
    vendor.peer.says("event", origin=4, event=about | {"event_type": "enter_session"})
    receipt, gone, entered = await pulled(vendor)
    assert isinstance(receipt, Receipt)
    assert (receipt.external_id, receipt.state) == ("k1", DeliveryState.FAILED)
    assert receipt.detail == "The client refuses messages of this account."
    assert isinstance(gone, Deleted)
    assert gone.external_id == "k2"
    assert isinstance(entered, Unknown)
    assert entered.sender.address == ""


async def test_names_are_asked_for_since_no_message_tells_them(vendor: WeComVendor) -> None:
    inbound = vendor.connector.inbound
    assert isinstance(inbound, Naming)
    assert await inbound.names_of(ACCOUNT, "wm1", "") == Names(sender="王小明")
    assert await inbound.names_of(ACCOUNT, "wm2", "") == Names()


async def test_files_go_out_by_media_id(vendor: WeComVendor) -> None:
    send, base = vendor.connector.outbound.send, outbound(vendor, "")
    for n, (name, media_type, kind) in enumerate(
        (("a.png", "image/png", "image"), ("a.pdf", "application/pdf", "file"))
    ):
        file = outbound_file(name, media_type)
        await send(changed(base, attachments=(file,)), attempt(key=f"m-{n}.0"))
        body = list(vendor.peer.sent.values())[-1]
        assert body["msgtype"] == kind
        assert body[kind] == {"media_id": "12345678"}


async def test_a_second_try_refused_for_an_unknown_reason_may_have_arrived(
    vendor: WeComVendor,
) -> None:
    vendor.peer.next_code = 95999
    with pytest.raises(faults.ContentInvalid, match="may have arrived"):
        await vendor.connector.outbound.send(outbound(vendor), attempt(2))


async def test_a_chat_answered_in_wecom_itself_is_left_alone(vendor: WeComVendor) -> None:
    vendor.peer.next_code = 95018
    with pytest.raises(faults.Unsupported, match="in WeCom itself"):
        await vendor.connector.outbound.send(outbound(vendor), attempt())


def test_the_address_is_confirmed_with_the_opened_word(vendor: WeComVendor) -> None:
    inbound = vendor.connector.inbound
    assert isinstance(inbound, Webhook)
    word = seal("1616140317555161061", CORP)
    query = {"timestamp": "1", "nonce": "n", "echostr": word}
    for mark, status, body in (
        (signature_of(TOKEN, "1", "n", word), 200, b"1616140317555161061"),
        ("guessed", 403, b""),
    ):
        request = WebhookRequest("GET", "", query | {"msg_signature": mark}, {}, b"")
        answer = inbound.handshake(ACCOUNT, request)
        assert answer is not None
        assert (answer.status, answer.body) == (status, body)


async def test_the_guided_check_finds_the_desk(vendor: WeComVendor) -> None:
    lines = await load_module("wecom").check(vendor.context, ACCOUNT)
    assert [line.ok for line in lines] == [True, True, True, True]
    assert "Bank desk" in lines[1].words
