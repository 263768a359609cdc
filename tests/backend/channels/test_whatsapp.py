"""WhatsApp's connector against recorded shapes: Meta offers no peer that runs without internet.

A small server on loopback answers as Meta's documents say and refuses what their examples lack.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from backend.channels import faults
from backend.channels.contract import (
    Account,
    Connector,
    OutboundTemplate,
    Polled,
    RawItem,
)
from backend.channels.events import ChatNamed, IdentityChange, MessageIn, Reaction, Receipt, Unknown
from backend.channels.modules import ChannelContext, load_module
from backend.channels.vendor_http import VendorHttp
from backend.channels.webhooks import Webhook, WebhookRequest
from backend.channels.whatsapp.errors import fault_of_code
from contract.ids import AccountId
from contract.states import DeliveryState
from contract.wire import Channel, IdempotencyClass
from tests.backend.channels.conformance import ConnectorConformance, attempt, outbound
from tests.backend.channels.making import changed, outbound_file
from tests.backend_client.loopback_server import LoopbackServer
from tests.support.vectors import require_vectors

ACCOUNT = Account(
    account_id=AccountId("wa-1"),
    channel=Channel.WHATSAPP,
    connector="whatsapp",
    idempotency=IdempotencyClass.CLIENT_ECHO,
)
SECRET = "an app's secret"
_CODES = {
    faults.Retryable: (500, 131000),
    faults.RateLimited: (400, 131056),
    faults.WindowExpired: (400, 131047),
    faults.ConsentMissing: (400, 131050),
    faults.RecipientInvalid: (400, 131026),
    faults.ContentInvalid: (400, 132000),
    faults.AccountFault: (401, 190),
    faults.IdentityChanged: (400, 137000),
}


class MetaPeer:
    """What Meta's documents say of sending and of webhooks, on loopback."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.marks: list[dict[str, Any]] = []
        self.hooks: list[bytes] = []
        self.next: type[faults.ChannelFault] | None = None
        self.uploads: list[bytes] = []
        routes = [
            Route("/v23.0/{number}/messages", self.messages, methods=["POST"]),
            Route("/v23.0/{number}/media", self.media, methods=["POST"]),
            Route("/v23.0/{ref}", self.lookup),
            Route("/files/{ref}", self.file),
        ]
        self.server = LoopbackServer(Starlette(routes=routes))

    async def messages(self, request: Request) -> Response:
        if request.headers["authorization"] != "Bearer a token":
            return self._error(401, 190)
        fault, self.next = self.next, None
        if fault in _CODES:
            return self._error(*_CODES[fault])
        body = await request.json()
        if body.get("status") == "read":
            self.marks.append(body)
            return JSONResponse({"success": True})
        self.bodies.append(body)
        sent = f"wamid.{len(self.bodies)}"
        if fault is faults.OutcomeUnknown:
            return Response(b"<html>", media_type="text/html")
        self._statuses(sent, body)
        return JSONResponse({"messaging_product": "whatsapp", "messages": [{"id": sent}]})

    async def media(self, request: Request) -> Response:
        self.uploads.append(await request.body())
        return JSONResponse({"id": "media-1"})

    async def lookup(self, request: Request) -> Response:
        ref = request.path_params["ref"]
        if ref == "gone":
            return self._error(404, 100)
        return JSONResponse({"id": ref, "url": f"{self.server.url}/files/{ref}"})

    async def file(self, request: Request) -> Response:
        return Response(b"the file's bytes")

    def hook(self, value: dict[str, Any], field: str = "messages") -> None:
        changes = [{"value": value, "field": field}]
        whole = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}
        self.hooks.append(json.dumps(whole).encode())

    def _statuses(self, sent: str, body: dict[str, Any]) -> None:
        for status in ("sent", "delivered", "read") if "biz_opaque_callback_data" in body else ():
            self.hook(
                {
                    "messaging_product": "whatsapp",
                    "statuses": [
                        {
                            "id": sent,
                            "status": status,
                            "timestamp": "1749416383",
                            "recipient_id": body.get("to", ""),
                            "biz_opaque_callback_data": body["biz_opaque_callback_data"],
                        }
                    ],
                }
            )
        if body.get("text", {}).get("body") != "quiet":
            self.write("Thank you")

    def write(self, text: str) -> str:
        number = f"wamid.in.{len(self.hooks)}"
        self.hook(
            {
                "messaging_product": "whatsapp",
                "contacts": [{"profile": {"name": "Ada"}, "wa_id": "10000000001"}],
                "messages": [
                    {
                        "from": "10000000001",
                        "id": number,
                        "timestamp": "1749416383",
                        "type": "text",
                        "text": {"body": text},
                    }
                ],
            }
        )
        return number

    @staticmethod
    def _error(status: int, code: int) -> Response:
        return JSONResponse({"error": {"code": code, "message": "m"}}, status_code=status)


def signed(body: bytes) -> dict[str, str]:
    """Return the header Meta signs with."""
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {"x-hub-signature-256": f"sha256={digest}"}


class MetaVendor:
    """The peer as the conformance run wants it."""

    def __init__(self, peer: MetaPeer, http: VendorHttp) -> None:
        self.peer, self.account = peer, ACCOUNT
        self.now_utc_ms = time.time_ns() // 1_000_000
        settings = {
            "phone_number_id": "106540352242922",
            "access_token": "a token",
            "app_secret": SECRET,
            "verify_token": "a word",
            "graph_url": f"{peer.server.url}/v23.0",
        }
        self.context = ChannelContext(lambda _: settings, http, lambda: self.now_utc_ms)
        self.connector: Connector = load_module("whatsapp").connect(self.context)

    async def received_texts(self) -> list[str]:
        return [body["text"]["body"] for body in self.peer.bodies]

    async def client_writes(self, text: str) -> str:
        return self.peer.write(text)

    async def incoming(self, cursor: str) -> Polled:
        first = int(cursor or 0)
        items = [
            RawItem(dedupe_key=str(n), body=body, headers=signed(body))
            for n, body in enumerate(self.peer.hooks)
        ]
        return Polled(items=tuple(items[first:]), cursor=str(len(items)))

    async def next_send(self, fault: type[faults.ChannelFault], *, lost: bool = False) -> bool:
        self.peer.next = fault
        return fault in _CODES or fault is faults.OutcomeUnknown


@pytest.fixture
def peer() -> Iterator[MetaPeer]:
    """Run the peer."""
    peer = MetaPeer()
    with peer.server:
        yield peer


@pytest.fixture
async def vendor(peer: MetaPeer) -> AsyncIterator[MetaVendor]:
    """Return the connector over the running peer."""
    async with VendorHttp(verify=False) as http:
        yield MetaVendor(peer, http)


class TestWhatsAppConformance(ConnectorConformance):
    """The suite that every connector passes."""


async def test_requests_have_the_shape_of_metas_own_examples(vendor: MetaVendor) -> None:
    examples: dict[str, Any] = json.loads(
        (require_vectors("channels") / "whatsapp/wa_requests.json").read_bytes()
    )
    send = vendor.connector.outbound.send
    words = OutboundTemplate(name="offer", language="en_US", values=("Ada", "noon"))
    pdf, photo = outbound_file("a.pdf", "application/pdf"), outbound_file("a.jpg", "image/jpeg")
    film, sound = outbound_file("a.mp4", "video/mp4"), outbound_file("a.ogg", "audio/ogg")
    sent = {
        "Send Text Message": outbound(vendor),
        "Send Reply to Text Message": changed(outbound(vendor), quote_external_id="wamid.x"),
        "Send Document Message by ID": changed(outbound(vendor), attachments=(pdf,)),
        "Send Image Message by ID": changed(outbound(vendor), text="", attachments=(photo,)),
        "Send Video Message by ID": changed(outbound(vendor), attachments=(film,)),
        "Send Audio Message by ID": changed(outbound(vendor), text="", attachments=(sound,)),
        "Send Message Template Text": changed(outbound(vendor), template_id="t", template=words),
    }
    for name, outgoing in sent.items():
        await send(outgoing, attempt())
        ours = vendor.peer.bodies[-1]
        assert ours.pop("biz_opaque_callback_data") == "m-1.0"
        assert shape(ours) <= shape(examples[name]) | {"template.language.policy"}, name
        assert ours["type"] == examples[name]["type"]
    await vendor.connector.outbound.react(ACCOUNT, "+16505551234", "wamid.x", "👍")
    reaction = vendor.peer.bodies[-1]
    assert shape(reaction) <= shape(examples["Send Reply with Reaction Message"])
    vendor.peer.write("What do you think?")
    vendor.connector.inbound.parse(ACCOUNT, vendor.peer.hooks[-1])
    await vendor.connector.outbound.typing(ACCOUNT, "+10000000001", True)
    await vendor.connector.outbound.mark_read(ACCOUNT, "+10000000001", "wamid.x", {})
    shown, read = vendor.peer.marks
    example = examples["Send typing indicator and read receipt"]
    assert shape(shown) == shape(example)
    assert shape(read) < shape(example)


def shape(value: Any, at: str = "") -> set[str]:
    """Return the paths of a document's fields."""
    if isinstance(value, dict):
        return {
            path for key, each in value.items() for path in shape(each, f"{at}.{key}".lstrip("."))
        }
    if isinstance(value, list):
        return {path for each in value for path in shape(each, f"{at}[]")}
    return {at}


def hooks() -> list[tuple[str, bytes]]:
    """Return Meta's own webhooks."""
    path = require_vectors("channels") / "whatsapp/wa_webhooks.json"
    return [
        (name, json.dumps(body).encode()) for name, body in json.loads(path.read_bytes()).items()
    ]


def test_metas_own_webhooks_are_read(vendor: MetaVendor) -> None:
    parsed = {name: vendor.connector.inbound.parse(ACCOUNT, body) for name, body in hooks()}
    text = parsed["Text Message"][0]
    assert isinstance(text, MessageIn)
    assert (text.text, text.sender.name) == ("Does it come in another color?", "Sheena Nelson")
    assert text.sender.address == "+16505551234"
    answered = parsed["Text Message with Context (Product Inquiry)"][0]
    assert isinstance(answered, MessageIn)
    assert answered.quote_external_id.startswith("wamid.")
    reaction = parsed["Reaction Message"][0]
    assert isinstance(reaction, Reaction)
    assert reaction.emoji == "👍"
    image = parsed["Image Message"][0]
    assert isinstance(image, MessageIn)
    assert (image.text, image.attachments[0].ref) == ("Taj Mahal", "1003383421387256")
    changed = parsed["System Message"][0]
    assert isinstance(changed, IdentityChange)
    assert changed.new_address == "+12195555358"
    for name in ("Unsupported Message", "Order Message", "Group Remove Participants"):
        assert isinstance(parsed[name][0], Unknown), name
    named = parsed["Group Create Message"][0]
    assert isinstance(named, ChatNamed)
    assert (named.sender.id_type, named.name) == ("chat", "your-group-subject")
    for name in ("Location Message", "Contact Sharing Message", "Button Message"):
        event = parsed[name][0]
        assert isinstance(event, MessageIn), name
        assert event.text


def test_a_client_without_a_number_is_known_by_the_scoped_id(vendor: MetaVendor) -> None:
    vendor.peer.hook(
        {
            "contacts": [{"profile": {"name": "Ada"}, "user_id": "US.13491"}],
            "messages": [
                {
                    "id": "w",
                    "timestamp": "1",
                    "type": "text",
                    "text": {"body": "x"},
                    "from_user_id": "US.13491",
                }
            ],
        }
    )
    (event,) = vendor.connector.inbound.parse(ACCOUNT, vendor.peer.hooks[-1])
    assert (event.sender.id_type, event.sender.address) == ("user_id", "US.13491")


async def test_the_address_is_confirmed_to_those_who_know_the_word(vendor: MetaVendor) -> None:
    inbound = vendor.connector.inbound
    assert isinstance(inbound, Webhook)
    query = {"hub.mode": "subscribe", "hub.verify_token": "a word", "hub.challenge": "42"}
    known = inbound.handshake(ACCOUNT, WebhookRequest("GET", "", query, {}, b""))
    assert known is not None
    assert (known.status, known.body) == (200, b"42")
    guessed = query | {"hub.verify_token": "x"}
    wrong = inbound.handshake(ACCOUNT, WebhookRequest("GET", "", guessed, {}, b""))
    assert wrong is not None
    assert (wrong.status, wrong.body) == (403, b"")
    assert inbound.handshake(ACCOUNT, WebhookRequest("POST", "", {}, {}, b"{}")) is None


async def test_files_are_fetched_by_id(vendor: MetaVendor) -> None:
    assert await vendor.connector.inbound.fetch_media(ACCOUNT, "17") == b"the file's bytes"
    with pytest.raises(faults.ContentInvalid):
        await vendor.connector.inbound.fetch_media(ACCOUNT, "gone")


async def test_a_status_that_comes_later_can_say_failed(vendor: MetaVendor) -> None:
    status = {"id": "w1", "status": "failed", "timestamp": "5", "recipient_id": "1"}
    vendor.peer.hook({"statuses": [status | {"errors": [{"code": 131047}]}]})
    (event,) = vendor.connector.inbound.parse(ACCOUNT, vendor.peer.hooks[-1])
    assert isinstance(event, Receipt)
    assert event.state is DeliveryState.FAILED
    assert "more than 24 hours" in event.detail, "in words, for the employee reads it"
    assert isinstance(fault_of_code(131047, 0), faults.WindowExpired)


async def test_the_guided_check_tells_what_to_enter_where(vendor: MetaVendor) -> None:
    module = load_module("whatsapp")
    good = await module.check(vendor.context._replace(public_url="https://bank.test"), ACCOUNT)
    assert [line.ok for line in good] == [True, True]
    assert "https://bank.test/hooks/whatsapp/wa-1" in good[1].words
