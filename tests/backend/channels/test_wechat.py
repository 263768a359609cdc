"""WeChat's connector against recorded shapes: WeChat offers no peer that runs without internet.

It never reaches WeChat itself; wechatpy judges seal, signature and requests in the channels' suite.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlencode

import pytest

from backend.channels import faults
from backend.channels.contract import Account, Connector, OutboundTemplate, Polled, RawItem
from backend.channels.events import ConsentChange, InboundEvent, MessageIn, Receipt, Unknown
from backend.channels.modules import ChannelContext, load_module
from backend.channels.running import PerAccount
from backend.channels.vendor_http import VendorHttp
from backend.channels.webhooks import Webhook, WebhookRequest
from backend.channels.wechat.documents import NotReadable, read_document
from backend.channels.wechat.errors import fault_of, next_day_utc_ms
from backend.channels.wechat.sealing import NotGenuine, Seal, signature_of
from contract.ids import AccountId
from contract.states import DeliveryState
from contract.wire import Channel, IdempotencyClass
from tests.backend.channels.conformance import ConnectorConformance, Vendor, attempt, outbound
from tests.backend.channels.making import changed, outbound_file
from tests.backend.channels.wechat_peer import (
    AES_KEY,
    CLIENT,
    CODES,
    RECEIVER,
    TOKEN,
    WeChatPeer,
    callback,
    seal,
    xml,
)

ACCOUNT = Account(
    account_id=AccountId("wx-1"),
    channel=Channel.WECHAT,
    connector="wechat",
    idempotency=IdempotencyClass.NONE,
)
HOOK = "https://bank.test/hooks/wechat/wx-1"


class WeChatVendor:
    """The peer as the conformance run wants it."""

    address = CLIENT

    def __init__(self, peer: WeChatPeer, http: VendorHttp, **settings: str) -> None:
        self.peer, self.account = peer, ACCOUNT
        self.now_utc_ms = time.time_ns() // 1_000_000
        given = {
            "app_id": RECEIVER,
            "app_secret": "a secret",
            "callback_token": TOKEN,
            "encoding_aes_key": AES_KEY,
            "api_url": peer.server.url,
        } | settings
        self.context = ChannelContext(
            lambda _: given, http, lambda: self.now_utc_ms, "https://bank.test"
        )
        self.connector: Connector = load_module("wechat").connect(self.context)
        self.hooks: list[RawItem] = []

    async def received_texts(self) -> list[str]:
        return [body["text"]["content"] for body in self.peer.sent]

    async def client_writes(self, text: str) -> str:
        number = str(23_456_789_012_345_600 + len(self.hooks))
        self.hooks.append(callback(said("text", number, Content=text), HOOK))
        return number

    async def incoming(self, cursor: str) -> Polled:
        if self.peer.sent and not self.hooks:
            await self.client_writes("谢谢")
        return Polled(items=tuple(self.hooks[int(cursor or 0) :]), cursor=str(len(self.hooks)))

    async def next_send(self, fault: type[faults.ChannelFault], *, lost: bool = False) -> bool:
        self.peer.next_code = CODES.get(fault, 0)
        return fault in CODES


def said(kind: str, number: str = "1", **fields: str) -> str:
    """Return what a client's message says."""
    base = {"ToUserName": "gh_1", "FromUserName": CLIENT, "CreateTime": "1749416383"}
    return xml(**base, MsgType=kind, **fields, MsgId=number)


def happened(event: str, **fields: str) -> str:
    """Return what an event says."""
    base = {"ToUserName": "gh_1", "FromUserName": CLIENT, "CreateTime": "1749416383"}
    return xml(**base, MsgType="event", Event=event, **fields)


@pytest.fixture(scope="module")
def running_peer() -> Iterator[WeChatPeer]:
    """Run one peer for all tests here."""
    peer = WeChatPeer()
    with peer.server:
        yield peer


@pytest.fixture
def peer(running_peer: WeChatPeer) -> WeChatPeer:
    """Return the peer as if it had just begun."""
    running_peer.forget()
    return running_peer


@pytest.fixture
async def vendor(peer: WeChatPeer) -> AsyncIterator[WeChatVendor]:
    """Return the connector over the running peer."""
    async with VendorHttp(verify=False) as http:
        yield WeChatVendor(peer, http)


class TestWeChatConformance(ConnectorConformance):
    """The suite that every connector passes."""

    async def test_forged_bytes_are_refused(self, vendor: Vendor) -> None:
        """The signature covers the sealed message, not what stands around it."""
        assert isinstance(vendor, WeChatVendor)
        await vendor.client_writes("hello")
        (item,) = vendor.hooks
        verify = vendor.connector.inbound.verify
        assert verify(ACCOUNT, item)
        for old, new in ((b"<Encrypt>", b"<Encrypted>"), (b"CDATA[", b"CDATA[A")):
            forged = RawItem(dedupe_key="", body=item.body.replace(old, new), url=item.url)
            assert not verify(ACCOUNT, forged), new
        resigned = item.url.replace("nonce=n1", "nonce=n2")
        assert not verify(ACCOUNT, RawItem(dedupe_key="", body=item.body, url=resigned))
        assert not verify(ACCOUNT, RawItem(dedupe_key="", body=item.body, url=HOOK))


def parsed(vendor: WeChatVendor, message: str) -> InboundEvent:
    """Return the event of one callback."""
    (event,) = vendor.connector.inbound.parse(ACCOUNT, callback(message, HOOK).body)
    return event


def test_every_kind_of_message_is_read(vendor: WeChatVendor) -> None:
    voice = parsed(vendor, said("voice", MediaId="m1", Format="amr", Recognition="买入"))
    assert isinstance(voice, MessageIn)
    assert (voice.text, voice.attachments[0].ref) == ("买入", "m1")
    for kind in ("image", "video", "shortvideo"):
        file = parsed(vendor, said(kind, MediaId="m2"))
        assert isinstance(file, MessageIn)
        assert file.attachments[0].media_type.startswith(("image/", "video/"))
    place = parsed(vendor, said("location", Location_X="23.1", Location_Y="113.3", Label="广州"))
    assert isinstance(place, MessageIn)
    assert place.text == "广州\n23.1, 113.3"
    link = parsed(vendor, said("link", Title="T", Description="D", Url="https://x.test"))
    assert isinstance(link, MessageIn)
    assert link.text == "T\nD\nhttps://x.test"
    card = parsed(vendor, said("card"))
    assert isinstance(card, Unknown)
    assert card.sender.address == CLIENT, "shown: the client has to be asked again"


def test_events_tell_of_consent_and_of_templates(vendor: WeChatVendor) -> None:
    gone = parsed(vendor, happened("unsubscribe"))
    assert isinstance(gone, ConsentChange)
    ended = parsed(vendor, happened("TEMPLATESENDJOBFINISH", MsgID="7", Status="success"))
    assert isinstance(ended, Receipt)
    assert (ended.external_id, ended.state) == ("template/7", DeliveryState.DELIVERED)
    blocked = happened("TEMPLATESENDJOBFINISH", MsgID="7", Status="failed:user block")
    refused = parsed(vendor, blocked)
    assert isinstance(refused, Receipt)
    assert (refused.state, refused.detail[-1]) == (DeliveryState.FAILED, ".")
    menu = parsed(vendor, happened("CLICK", EventKey="K"))
    assert isinstance(menu, Unknown)
    assert menu.sender.address == "", "archived, but nothing to show the employee"


def test_a_repeated_callback_has_the_first_ones_key(vendor: WeChatVendor) -> None:
    inbound = vendor.connector.inbound
    assert isinstance(inbound, Webhook)
    for message in (said("text", Content="x"), happened("CLICK", EventKey="K")):
        first, again = callback(message, HOOK), callback(message, HOOK)
        assert first.body != again.body, "it is sealed anew"
        assert inbound.dedupe_key(ACCOUNT, first) == inbound.dedupe_key(ACCOUNT, again)


def test_the_address_is_confirmed_to_those_who_know_the_word(vendor: WeChatVendor) -> None:
    inbound = vendor.connector.inbound
    assert isinstance(inbound, Webhook)
    query = {"timestamp": "1", "nonce": "n", "echostr": "42", "signature": ""}
    wrong = inbound.handshake(ACCOUNT, WebhookRequest("GET", "", query, {}, b""))
    assert wrong is not None
    assert (wrong.status, wrong.body) == (403, b"")
    signed = query | {"signature": signature_of(TOKEN, "1", "n")}
    right = inbound.handshake(ACCOUNT, WebhookRequest("GET", "", signed, {}, b""))
    assert right is not None
    assert (right.status, right.body) == (200, b"42")
    assert inbound.handshake(ACCOUNT, WebhookRequest("POST", "", {}, {}, b"<xml/>")) is None
    assert inbound.answer(ACCOUNT).body == b"success"


async def test_in_the_clear_only_a_new_callback_is_believed(peer: WeChatPeer) -> None:
    body = said("text", Content="你好").encode()

    def item(at_s: int, word: str = TOKEN) -> RawItem:
        mark = signature_of(word, str(at_s), "n")
        query = urlencode({"timestamp": at_s, "nonce": "n", "signature": mark})
        return RawItem(dedupe_key="", body=body, url=f"{HOOK}?{query}")

    async with VendorHttp(verify=False) as http:
        plain = WeChatVendor(peer, http, encoding_aes_key="")
        now_s = plain.now_utc_ms // 1000
        verify = plain.connector.inbound.verify
        assert verify(ACCOUNT, item(now_s))
        assert not verify(ACCOUNT, item(now_s - 3600))
        assert not verify(ACCOUNT, item(now_s, "guessed"))
        (event,) = plain.connector.inbound.parse(ACCOUNT, body)
        assert isinstance(event, MessageIn)
        sealed = WeChatVendor(peer, http)
        assert not sealed.connector.inbound.verify(ACCOUNT, item(now_s)), "no way back to plain"
        (told, *_, seals) = await load_module("wechat").check(plain.context, ACCOUNT)
        assert (told.ok, seals.ok) == (True, False)


@pytest.mark.parametrize(
    "raw",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><xml><MsgId>&a;</MsgId></xml>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><xml/>',
        b"<xml><MsgId>1</xml>",
        b"<xml>" + b"<a>" * 50 + b"</a>" * 50 + b"</xml>",
        b"<xml>" + b"".join(b"<f%d/>" % n for n in range(500)) + b"</xml>",
        b"<xml>" + b" " * 300_000 + b"</xml>",
        b"",
    ],
)
def test_a_document_that_is_not_wechats_is_refused_whole(raw: bytes) -> None:
    with pytest.raises(NotReadable):
        read_document(raw)


def test_a_seal_of_another_key_receiver_or_length_is_refused() -> None:
    ours = Seal(AES_KEY, RECEIVER)
    assert ours.open(seal("约定")) == "约定".encode()
    for wrong in (seal("x", "wx-other"), seal("x", RECEIVER, "A" * 43), "AAAA", "", "約"):
        with pytest.raises(NotGenuine):
            ours.open(wrong)
    for key in ("short", "=" * 43, "A" * 44):
        with pytest.raises(ValueError, match="EncodingAESKey"):
            Seal(key, RECEIVER)


async def test_an_expired_token_is_renewed_once_for_a_burst(vendor: WeChatVendor) -> None:
    send = vendor.connector.outbound.send
    await send(outbound(vendor, "0"), attempt(key="m-0.0"))
    assert vendor.peer.granted == 1
    vendor.peer.valid = "token of another program"
    vendor.peer.granted = 0  # the same token comes again until it is forced
    ways = [send(outbound(vendor, f"{n}"), attempt(key=f"m-{n}.0")) for n in range(1, 6)]
    await asyncio.gather(*ways)
    assert vendor.peer.forced == [False, False, True]
    assert len(vendor.peer.sent) == 6


async def test_a_token_is_renewed_before_its_time_is_over(vendor: WeChatVendor) -> None:
    send = vendor.connector.outbound.send
    await send(outbound(vendor), attempt(1))
    vendor.now_utc_ms += 7_000_000
    await send(outbound(vendor), attempt(2))
    assert vendor.peer.granted == 2
    assert isinstance(vendor.connector.outbound, PerAccount)
    await vendor.connector.outbound.account_changed(ACCOUNT.account_id)
    await send(outbound(vendor), attempt(3))
    assert vendor.peer.granted == 3


async def test_a_wrong_secret_is_the_accounts_fault(peer: WeChatPeer) -> None:
    async with VendorHttp(verify=False) as http:
        vendor = WeChatVendor(peer, http, app_secret="guessed")
        with pytest.raises(faults.AccountFault):
            await vendor.connector.outbound.send(outbound(vendor), attempt())
        (line,) = await load_module("wechat").check(vendor.context, ACCOUNT)
        assert not line.ok


async def test_files_go_out_and_come_in_by_media_id(vendor: WeChatVendor) -> None:
    out, base = vendor.connector.outbound, outbound(vendor, "")
    photo, voice = outbound_file("a.jpg", "image/jpeg"), outbound_file("a.amr", "audio/amr")
    await out.send(changed(base, attachments=(photo,)), attempt(1))
    await out.send(changed(base, attachments=(voice,)), attempt(2))
    assert [body["msgtype"] for body in vendor.peer.sent] == ["image", "voice"]
    assert vendor.peer.sent[0]["image"] == {"media_id": "12345678"}
    assert [kind for kind, _ in vendor.peer.asked] == ["image", "voice"]
    assert b'filename="a.jpg"' in vendor.peer.asked[0][1]
    fetch = vendor.connector.inbound.fetch_media
    assert await fetch(ACCOUNT, "m1") == b"the file's bytes"
    assert await fetch(ACCOUNT, "film") == b"the film's bytes"
    with pytest.raises(faults.ContentInvalid):
        await fetch(ACCOUNT, "gone")


def test_what_wechat_does_not_carry_is_said_before(vendor: WeChatVendor) -> None:
    check, base = vendor.connector.outbound.preflight, outbound(vendor, "")
    paper, photo = outbound_file("a.pdf", "application/pdf"), outbound_file("a.jpg", "image/jpeg")
    for attachments, text, words in (
        ((paper,), "", "this kind"),
        ((photo, photo), "", "one by one"),
        ((photo,), "see", "on its own"),
    ):
        blocked = check(changed(base, text=text, attachments=attachments), vendor.now_utc_ms)
        assert blocked is not None
        assert words in blocked.reason


async def test_a_template_goes_by_its_id_and_its_places_names(vendor: WeChatVendor) -> None:
    send, base = vendor.connector.outbound.send, outbound(vendor)
    words = OutboundTemplate(name="T1:thing1, time2", language="zh_CN", values=("债券", "九点"))
    sent = await send(changed(base, template_id="t", template=words), attempt())
    assert (sent.external_id, sent.state) == ("template/200228332", DeliveryState.ACCEPTED)
    ((path, body),) = vendor.peer.asked
    assert path == "message/template/send"
    assert body["data"] == {"thing1": {"value": "债券"}, "time2": {"value": "九点"}}
    fewer = OutboundTemplate(name="T1", language="zh_CN", values=("债券",))
    with pytest.raises(faults.ContentInvalid, match="thing1"):
        await send(changed(base, template_id="t", template=fewer), attempt())


async def test_typing_is_shown_where_wechat_allows_it(vendor: WeChatVendor) -> None:
    typing = vendor.connector.outbound.typing
    await typing(ACCOUNT, CLIENT, True)
    await typing(ACCOUNT, CLIENT, False)
    vendor.peer.next_code = 45081
    await typing(ACCOUNT, CLIENT, True)
    assert [body["command"] for _, body in vendor.peer.asked] == ["Typing", "CancelTyping"]


async def test_what_wechat_has_no_function_for_is_refused_in_words(vendor: WeChatVendor) -> None:
    out = vendor.connector.outbound
    for call in (
        out.react(ACCOUNT, CLIENT, "1", "👍"),
        out.mark_read(ACCOUNT, CLIENT, "1", {}),
        out.delete(outbound(vendor), "1", attempt()),
    ):
        with pytest.raises(faults.Unsupported, match="WeChat does not let"):
            await call


def test_a_used_up_quota_comes_back_at_beijings_midnight() -> None:
    at_utc_ms = 1_798_732_799_000  # 2026-12-31 23:59:59 in Beijing
    assert next_day_utc_ms(at_utc_ms) == 1_798_732_800_000
    fault = fault_of(45009, at_utc_ms)
    assert isinstance(fault, faults.QuotaExhausted)
    assert fault.until_utc_ms == 1_798_732_800_000
