"""wechatpy agrees with our seal, our signatures, our reading of XML and our requests.

It never imports the kit into this process, and no server of WeChat's is asked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlencode

import pytest

from backend.channels.contract import OutboundTemplate, RawItem
from backend.channels.events import MessageIn
from backend.channels.vendor_http import VendorHttp
from backend.channels.webhooks import Webhook, WebhookRequest
from backend.channels.wechat.sealing import Seal, signature_of
from tests.backend.channels.conformance import attempt, outbound
from tests.backend.channels.making import changed
from tests.backend.channels.test_wechat import ACCOUNT, HOOK, WeChatVendor, happened, said
from tests.backend.channels.wechat_peer import (
    AES_KEY,
    CLIENT,
    RECEIVER,
    TOKEN,
    WeChatPeer,
    callback,
    seal,
)
from tests.channels.oracles import ask

pytestmark = pytest.mark.timeout(600)
_KEYS = {"token": TOKEN, "key": AES_KEY, "app": RECEIVER}


@pytest.fixture(scope="module")
def peer() -> Iterator[WeChatPeer]:
    """Run the recorded shapes, which our requests are sent to."""
    peer = WeChatPeer()
    with peer.server:
        yield peer


@pytest.fixture
async def vendor(peer: WeChatPeer) -> AsyncIterator[WeChatVendor]:
    """Return our connector."""
    async with VendorHttp() as http:
        yield WeChatVendor(peer, http)


def test_wechatpy_seals_what_we_open_and_opens_what_our_peer_seals(vendor: WeChatVendor) -> None:
    code = """
from wechatpy.crypto import WeChatCrypto
crypto = WeChatCrypto(data["token"], data["key"], data["app"])
result = [crypto.encrypt_message(each, "n1", "1749416383") for each in data["messages"]]
"""
    messages = [said("text", Content="Grüezi 約定 👍"), said("text", Content="x" * 5_000)]
    for message, sealed in zip(messages, ask(code, _KEYS | {"messages": messages}), strict=True):
        told = dict.fromkeys(("timestamp", "nonce", "msg_signature"), "")
        told |= {"timestamp": "1749416383", "nonce": "n1"}
        told["msg_signature"] = sealed.split("<MsgSignature><![CDATA[")[1].split("]]>")[0]
        item = RawItem(dedupe_key="", body=sealed.encode(), url=f"{HOOK}?{urlencode(told)}")
        assert vendor.connector.inbound.verify(ACCOUNT, item)
        (event,) = vendor.connector.inbound.parse(ACCOUNT, item.body)
        assert isinstance(event, MessageIn)
        assert f"<Content><![CDATA[{event.text}]]>" in message
    opened = """
from wechatpy.crypto import WeChatCrypto
crypto = WeChatCrypto(data["token"], data["key"], data["app"])
result = crypto.decrypt_message({"Encrypt": data["sealed"]}, data["mark"], "1", "n")
"""
    sealed = seal("約定")
    mark = signature_of(TOKEN, "1", "n", sealed)
    assert ask(opened, _KEYS | {"sealed": sealed, "mark": mark}) == "約定"
    assert Seal(AES_KEY, RECEIVER).open(sealed).decode() == "約定"


def test_wechatpy_signs_the_check_of_the_address_as_we_verify(vendor: WeChatVendor) -> None:
    code = """
from wechatpy.utils import WeChatSigner, check_signature
signer = WeChatSigner()
signer.add_data(data["token"], "1749416383", "n1")
check_signature(data["token"], signer.signature, "1749416383", "n1")
result = signer.signature
"""
    query = {"timestamp": "1749416383", "nonce": "n1", "echostr": "42"}
    query["signature"] = ask(code, _KEYS)
    inbound = vendor.connector.inbound
    assert isinstance(inbound, Webhook)
    answer = inbound.handshake(ACCOUNT, WebhookRequest("GET", "", query, {}, b""))
    assert answer is not None
    assert (answer.status, answer.body) == (200, b"42")


def test_wecoms_kit_seals_the_word_and_the_callback_that_we_open() -> None:
    code = """
from wechatpy.enterprise.crypto import WeChatCrypto
crypto = WeChatCrypto(data["token"], data["key"], data["app"])
whole = crypto.encrypt_message("1616140317555161061", "n1", "1")
word = whole.split("<Encrypt><![CDATA[")[1].split("]]>")[0]
mark = whole.split("<MsgSignature><![CDATA[")[1].split("]]>")[0]
result = [word, mark, crypto.check_signature(mark, "1", "n1", word)]
"""
    word, mark, theirs = ask(code, _KEYS)
    assert theirs == "1616140317555161061"
    assert mark == signature_of(TOKEN, "1", "n1", word)
    assert Seal(AES_KEY, RECEIVER).open(word).decode() == theirs


def test_wechatpy_reads_the_same_messages(vendor: WeChatVendor) -> None:
    code = """
from wechatpy import parse_message
result = []
for each in data:
    m = parse_message(each)
    words = getattr(m, "content", "") or getattr(m, "recognition", "") or ""
    result.append([m.type, str(m.id), m.source, m.time * 1000, words,
                   getattr(m, "media_id", "") or ""])
"""
    messages = [
        said("text", "7", Content="明日の約定 <b>&amp;"),
        said("image", "8", MediaId="m1", PicUrl="https://x.test/1"),
        said("voice", "9", MediaId="m2", Format="amr", Recognition="买入"),
        said("video", "10", MediaId="m3", ThumbMediaId="t"),
    ]
    theirs = ask(code, messages)
    for message, (kind, number, source, at_utc_ms, words, media_id) in zip(
        messages, theirs, strict=True
    ):
        (event,) = vendor.connector.inbound.parse(ACCOUNT, callback(message, HOOK).body)
        assert isinstance(event, MessageIn), kind
        assert (event.external_id, event.sender.address) == (number, source)
        assert (event.at_utc_ms, event.text) == (at_utc_ms, words)
        assert [each.ref for each in event.attachments] == ([media_id] if media_id else [])
    gone = "from wechatpy import parse_message\nresult = parse_message(data).event"
    assert ask(gone, happened("unsubscribe")) == "unsubscribe"


async def test_wechatpy_would_send_the_same_requests(vendor: WeChatVendor) -> None:
    code = """
from wechatpy import WeChatClient
seen = []
class Recording(WeChatClient):
    def _request(self, method, url_or_endpoint, **kwargs):
        seen.append([url_or_endpoint, json.loads(json.dumps(kwargs.get("data")))])
        return {"errcode": 0}
client = Recording("app", "secret", access_token="t")
client.message.send_text(data["client"], "Guten Morgen 約定")
client.message.send_template(data["client"], "T1", {"thing1": {"value": "x"}})
result = seen
"""
    theirs = ask(code, {"client": CLIENT})
    send, base = vendor.connector.outbound.send, outbound(vendor, "Guten Morgen 約定")
    await send(base, attempt(1))
    words = OutboundTemplate(name="T1:thing1", language="zh_CN", values=("x",))
    await send(changed(base, template_id="t", template=words), attempt(2))
    assert theirs[0] == ["message/custom/send", vendor.peer.sent[-1]]
    path, ours = vendor.peer.asked[-1]
    assert [theirs[1][0], {key: theirs[1][1][key] for key in ours}] == [path, ours]
