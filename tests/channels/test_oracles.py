"""The vendors' own kits agree with our signatures and read the updates we read.

It never imports a kit into this process.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from backend.channels.contract import Account, Connector, RawItem
from backend.channels.events import MessageIn
from backend.channels.modules import ChannelContext, load_module
from backend.channels.vendor_http import VendorHttp
from contract.ids import AccountId
from contract.wire import Channel, IdempotencyClass
from tests.channels.oracles import ask
from tests.support.vectors import require_vectors

pytestmark = pytest.mark.timeout(600)
BODY = '{"events": [], "text": "Grüezi 約定"}'
SECRET = "a secret of this test"


def connector(name: str, channel: Channel, **settings: str) -> tuple[Connector, Account]:
    """Return a connector with one account."""
    account = Account(
        account_id=AccountId("a-1"),
        channel=channel,
        connector=name,
        idempotency=IdempotencyClass.NONE,
    )
    context = ChannelContext(lambda _: settings, VendorHttp(), lambda: 1)
    return load_module(name).connect(context), account


def test_pywa_signs_as_we_verify() -> None:
    code = """
import hashlib, hmac
from pywa.utils import webhook_updates_validator
body = data["body"].encode()
mark = "sha256=" + hmac.new(data["secret"].encode(), body, hashlib.sha256).hexdigest()
result = [mark, webhook_updates_validator(data["secret"], body, mark)]
"""
    mark, accepted = ask(code, {"body": BODY, "secret": SECRET})
    assert accepted
    whatsapp, account = connector("whatsapp", Channel.WHATSAPP, app_secret=SECRET)
    item = RawItem(dedupe_key="", body=BODY.encode(), headers={"x-hub-signature-256": mark})
    assert whatsapp.inbound.verify(account, item)


def test_line_bot_sdk_accepts_what_we_accept() -> None:
    code = """
import base64, hashlib, hmac
from linebot.v3 import SignatureValidator
secret, body = data["secret"], data["body"]
mark = base64.b64encode(hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest()).decode()
result = [mark, SignatureValidator(secret).validate(body, mark)]
"""
    mark, accepted = ask(code, {"body": BODY, "secret": SECRET})
    assert accepted
    line, account = connector("line", Channel.LINE, channel_secret=SECRET)
    item = RawItem(dedupe_key="", body=BODY.encode(), headers={"x-line-signature": mark})
    assert line.inbound.verify(account, item)


def test_twilio_signs_as_we_verify() -> None:
    url = "https://bank.test/hooks/sms_http/a-1?x=1"
    form = {"MessageSid": "SM1", "From": "+15551", "Body": "Grüezi & 約定", "NumMedia": "0"}
    code = """
from urllib.parse import urlencode
from twilio.request_validator import RequestValidator
signer = RequestValidator(data["secret"])
result = [signer.compute_signature(data["url"], data["form"]), urlencode(data["form"])]
"""
    mark, body = ask(code, {"secret": SECRET, "url": url, "form": form})
    sms, account = connector("sms_http", Channel.SMS, auth_token=SECRET)
    headers = {"x-twilio-signature": mark}
    item = RawItem(dedupe_key="", body=body.encode(), headers=headers, url=url)
    assert sms.inbound.verify(account, item)
    other = RawItem(dedupe_key="", body=body.encode(), headers=headers, url=url + "2")
    assert not sms.inbound.verify(account, other)
    (event,) = sms.inbound.parse(account, body.encode())
    assert isinstance(event, MessageIn)
    assert event.text == "Grüezi & 約定"


def test_line_bot_sdk_reads_the_same_messages() -> None:
    raw = (require_vectors("channels") / "line/webhook.json").read_text()
    code = """
from linebot.v3 import WebhookParser
from linebot.v3.webhooks import MessageEvent, TextMessageContent
import base64, hashlib, hmac
body, secret = data["body"], data["secret"]
mark = base64.b64encode(hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest()).decode()
events = WebhookParser(secret).parse(body, mark)
result = [[e.message.id, e.message.text] for e in events
          if isinstance(e, MessageEvent) and isinstance(e.message, TextMessageContent)]
"""
    theirs = ask(code, {"body": raw, "secret": SECRET})
    line, account = connector("line", Channel.LINE, channel_secret=SECRET)
    types = [event.get("message", {}).get("type") for event in json.loads(raw)["events"]]
    ours = [
        [event.external_id, event.text]
        for kind, event in zip(types, line.inbound.parse(account, raw.encode()), strict=True)
        if isinstance(event, MessageIn) and kind == "text"
    ]
    assert ours == theirs


def test_aiogram_reads_the_same_updates() -> None:
    chat = {"id": 42, "type": "private", "first_name": "Ada"}
    person = {"id": 42, "is_bot": False, "first_name": "Ada"}
    base: dict[str, Any] = {"message_id": 5, "date": 1_749_416_383, "chat": chat, "from": person}
    link = {"type": "text_link", "offset": 4, "length": 4, "url": "https://x.test/"}
    size = {"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1, "file_size": 9}
    updates = [
        {"update_id": 1, "message": base | {"text": "see this", "entities": [link]}},
        {"update_id": 2, "message": base | {"caption": "house", "photo": [size]}},
        {"update_id": 3, "business_message": base | {"business_connection_id": "b", "text": "hi"}},
    ]
    code = """
from aiogram.types import Update
result = []
for each in data:
    update = Update.model_validate(each)
    m = update.message or update.business_message
    result.append([f"{m.chat.id}/{m.message_id}", m.from_user.full_name, bool(m.photo)])
"""
    theirs = ask(code, updates)
    ours = []
    for update in updates:
        named = {"business_connection_id": "b"} if "business_message" in update else {}
        telegram, account = connector("telegram", Channel.TELEGRAM, bot_token="1:a", **named)
        (event,) = telegram.inbound.parse(account, json.dumps(update).encode())
        assert isinstance(event, MessageIn)
        ours.append([event.external_id, event.sender.name, bool(event.attachments)])
    assert ours == theirs


def test_pywa_reads_the_same_messages() -> None:
    hooks = json.loads((require_vectors("channels") / "whatsapp/wa_webhooks.json").read_text())
    wanted = ["Text Message", "Image Message", "Location Message"]
    code = """
from pywa import WhatsApp
from pywa.types import Message
client = WhatsApp(phone_id="106540352242922", token="t", server=None)
result = []
for each in data:
    message = Message.from_update(client, each)
    result.append([message.id, message.text or message.caption, message.from_user.name])
"""
    for name in wanted:  # since April 2026 each contact has an id of its own for the firm
        value = hooks[name]["entry"][0]["changes"][0]["value"]
        value["contacts"][0]["user_id"] = "US.13491208655302741918"
    theirs = ask(code, [hooks[name] for name in wanted])
    whatsapp, account = connector(
        "whatsapp", Channel.WHATSAPP, app_secret=SECRET, phone_number_id="106540352242922"
    )
    for name, (number, words, sender) in zip(wanted, theirs, strict=True):
        (event,) = whatsapp.inbound.parse(account, json.dumps(hooks[name]).encode())
        assert isinstance(event, MessageIn)
        assert (event.external_id, event.sender.name) == (number, sender)
        assert words is None or event.text == words
