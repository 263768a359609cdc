"""LINE's connector against recorded shapes on loopback; prism judges it in the channels' suite.

It never reaches LINE itself.
"""

from __future__ import annotations

import base64
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
from backend.channels.contract import Account, Connector, Names, Naming, Polled, RawItem
from backend.channels.events import ConsentChange, Deleted, Edited, MessageIn, Unknown
from backend.channels.line.errors import next_month_utc_ms
from backend.channels.modules import ChannelContext, load_module
from backend.channels.vendor_http import VendorHttp
from backend.channels.webhooks import Webhook
from contract.ids import AccountId
from contract.wire import Channel, IdempotencyClass
from tests.backend.channels.conformance import ConnectorConformance, attempt, outbound
from tests.backend.channels.making import changed
from tests.backend_client.loopback_server import LoopbackServer
from tests.support.vectors import require_vectors

ACCOUNT = Account(
    account_id=AccountId("line-1"),
    channel=Channel.LINE,
    connector="line",
    idempotency=IdempotencyClass.SERVER_KEY,
)
SECRET = "channel_secret"
_FAULTS: dict[type[faults.ChannelFault], tuple[int, str]] = {
    faults.Retryable: (500, "Internal error"),
    faults.RateLimited: (429, "The API rate limit has been exceeded. Try again later."),
    faults.QuotaExhausted: (429, "You have reached your monthly limit."),
    faults.RecipientInvalid: (400, "Failed to send messages"),
    faults.ContentInvalid: (400, "The request body has 1 error(s)"),
    faults.AccountFault: (401, "Authentication failed."),
}


class LinePeer:
    """What LINE's documents say of pushes and webhooks, on loopback."""

    def __init__(self) -> None:
        self.pushed: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, Any]] = []
        self.hooks: list[bytes] = []
        self.next: type[faults.ChannelFault] | None = None
        self.server = LoopbackServer(
            Starlette(
                routes=[
                    Route("/v2/bot/message/push", self.push, methods=["POST"]),
                    Route("/v2/bot/message/{number}/content", self.content),
                    Route("/v2/bot/{path:path}", self.other, methods=["GET", "POST"]),
                ]
            )
        )

    async def push(self, request: Request) -> Response:
        fault, self.next = self.next, None
        if fault in _FAULTS:
            status, words = _FAULTS[fault]
            return JSONResponse({"message": words}, status_code=status)
        key, known = request.headers["x-line-retry-key"], len(self.pushed)
        if key in self.pushed:
            number = list(self.pushed).index(key)
            accepted = {"x-line-accepted-request-id": "r"}
            return JSONResponse(_sent(number), status_code=409, headers=accepted)
        self.pushed[key] = await request.json()
        if fault is faults.OutcomeUnknown:
            return Response("<html>", media_type="text/html")
        self.writes("ありがとう")
        return JSONResponse(_sent(known))

    async def content(self, request: Request) -> Response:
        number = request.path_params["number"]
        status = {"preparing": 202, "gone": 410}.get(number, 200)
        return Response(b"the file's bytes", status_code=status)

    async def other(self, request: Request) -> Response:
        path = request.path_params["path"]
        if request.method == "POST":
            self.asked.append((path, await request.json()))
            return JSONResponse({})
        if path.startswith("profile/") or "/member/" in path:
            known = path.endswith("U1")
            return JSONResponse({"displayName": "Ada"} if known else {}, 200 if known else 404)
        if path.endswith("/summary"):
            return JSONResponse({"groupId": "C1", "groupName": "Family"})
        if path == "info":
            return JSONResponse({"displayName": "Bank", "basicId": "@bank"})
        return JSONResponse({"endpoint": "https://bank.test/hooks/line/line-1", "active": True})

    def writes(self, text: str) -> str:
        number = f"m{len(self.hooks)}"
        event = {
            "type": "message",
            "timestamp": 1_749_416_383_000,
            "source": {"type": "user", "userId": "U1"},
            "webhookEventId": f"e{number}",
            "deliveryContext": {"isRedelivery": False},
            "message": {"id": number, "type": "text", "text": text, "quoteToken": f"q{number}"},
        }
        self.hooks.append(json.dumps({"destination": "U0", "events": [event]}).encode())
        return number


def _sent(number: int) -> dict[str, Any]:
    return {"sentMessages": [{"id": f"s{number}", "quoteToken": f"qs{number}"}]}


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """Return the header LINE signs with."""
    digest = hmac.digest(secret.encode(), body, hashlib.sha256)
    return {"x-line-signature": base64.b64encode(digest).decode()}


class LineVendor:
    """The peer as the conformance run wants it."""

    address = "U1"

    def __init__(self, peer: LinePeer, http: VendorHttp) -> None:
        self.peer, self.account = peer, ACCOUNT
        self.now_utc_ms = time.time_ns() // 1_000_000
        settings = {
            "channel_access_token": "a token",
            "channel_secret": SECRET,
            "api_url": peer.server.url,
            "data_url": peer.server.url,
        }
        self.context = ChannelContext(
            lambda _: settings, http, lambda: self.now_utc_ms, "https://bank.test"
        )
        self.connector: Connector = load_module("line").connect(self.context)

    async def received_texts(self) -> list[str]:
        return [body["messages"][0]["text"] for body in self.peer.pushed.values()]

    async def client_writes(self, text: str) -> str:
        return self.peer.writes(text)

    async def incoming(self, cursor: str) -> Polled:
        items = [
            RawItem(dedupe_key=str(n), body=body, headers=signed(body))
            for n, body in enumerate(self.peer.hooks)
        ]
        return Polled(items=tuple(items[int(cursor or 0) :]), cursor=str(len(items)))

    async def next_send(self, fault: type[faults.ChannelFault], *, lost: bool = False) -> bool:
        self.peer.next = fault
        return fault in _FAULTS


@pytest.fixture
def peer() -> Iterator[LinePeer]:
    """Run the peer."""
    peer = LinePeer()
    with peer.server:
        yield peer


@pytest.fixture
async def vendor(peer: LinePeer) -> AsyncIterator[LineVendor]:
    """Return the connector over the running peer."""
    async with VendorHttp(verify=False) as http:
        yield LineVendor(peer, http)


class TestLineConformance(ConnectorConformance):
    """The suite that every connector passes."""


def test_the_published_signature_is_ours(vendor: LineVendor) -> None:
    body = b"bodybodybodybody"
    theirs = {"x-line-signature": "/gg9a+LvFevTH1sd7XCQycD7tsWclCsInj7MhBHxN7k="}
    item = RawItem(dedupe_key="", body=body, headers=theirs)
    assert vendor.connector.inbound.verify(ACCOUNT, item)


def test_lines_own_webhook_examples_are_read(vendor: LineVendor) -> None:
    raw = (require_vectors("channels") / "line/webhook.json").read_bytes()
    events = vendor.connector.inbound.parse(ACCOUNT, raw)
    assert len(events) == len(json.loads(raw)["events"])
    text, image = events[0], events[1]
    assert isinstance(text, MessageIn)
    assert (text.text, text.refs["quote_token"]) == ("Hello, world", "quoteToken")
    assert isinstance(image, MessageIn)
    assert image.chat.startswith("R")
    kinds = [type(event) for event in events]
    for kind in (ConsentChange, Deleted, Edited, Unknown):
        assert kind in kinds, kind
    files = [each for event in events if isinstance(event, MessageIn) for each in event.attachments]
    assert {each.name for each in files} >= {"file.txt"}


def test_an_event_of_an_unknown_shape_is_shown_and_hides_no_other(vendor: LineVendor) -> None:
    source = {"type": "group", "userId": "U1", "groupId": "C1"}

    def told(number: str, text: object) -> dict[str, object]:
        message = {"type": "text", "id": number, "text": text}
        known = {"type": "message", "timestamp": 1, "source": source, "webhookEventId": number}
        return known | {"message": message}

    pressed = {"type": "postback", "timestamp": 1, "source": source, "webhookEventId": "4"}
    happened = [told("1", "a"), told("2", {"new": "form"}), "3", pressed | {"postback": {}}]
    body = json.dumps({"destination": "U0", "events": happened}).encode()
    text, strange, nothing, button = vendor.connector.inbound.parse(ACCOUNT, body)
    assert isinstance(text, MessageIn)
    assert isinstance(strange, Unknown)
    assert (strange.chat, strange.sender.address, strange.external_id) == ("C1", "U1", "2")
    assert isinstance(nothing, Unknown)
    assert nothing.sender.address == ""
    assert isinstance(button, Unknown)
    assert (button.type_name, button.chat) == ("button", "C1"), "a client's answer is seen"


def test_what_is_no_message_is_shown_to_nobody(vendor: LineVendor) -> None:
    source = {"type": "user", "userId": "U1"}
    kinds = ("follow", "join", "memberJoined", "videoPlayComplete")
    happened = [
        {"type": kind, "timestamp": 1, "source": source, "webhookEventId": kind} for kind in kinds
    ]
    body = json.dumps({"destination": "U0", "events": happened}).encode()
    events = vendor.connector.inbound.parse(ACCOUNT, body)
    assert [event.dedupe_key for event in events] == list(kinds)
    for event in events:
        assert isinstance(event, Unknown)
        assert event.sender.address == ""


async def test_names_are_asked_for_since_no_event_tells_them(vendor: LineVendor) -> None:
    inbound = vendor.connector.inbound
    assert isinstance(inbound, Naming)
    assert await inbound.names_of(ACCOUNT, "U1", "") == Names(sender="Ada")
    assert await inbound.names_of(ACCOUNT, "U1", "C1") == Names(sender="Ada", chat="Family")
    assert await inbound.names_of(ACCOUNT, "U1", "R1") == Names(sender="Ada")
    assert await inbound.names_of(ACCOUNT, "U2", "") == Names()


def test_a_redelivery_has_the_key_of_the_first_delivery(vendor: LineVendor) -> None:
    inbound = vendor.connector.inbound
    assert isinstance(inbound, Webhook)
    vendor.peer.writes("x")
    first = vendor.peer.hooks[-1]
    again = first.replace(b'"isRedelivery": false', b'"isRedelivery": true')
    assert first != again
    keys = {inbound.dedupe_key(ACCOUNT, RawItem(dedupe_key="", body=b)) for b in (first, again)}
    assert len(keys) == 1


async def test_a_quote_and_a_read_mark_use_the_tokens_that_came(vendor: LineVendor) -> None:
    out = vendor.connector.outbound
    quoting = changed(outbound(vendor), quote_refs={"quote_token": "q3"})
    sent = await out.send(quoting, attempt())
    (body,) = vendor.peer.pushed.values()
    assert body["messages"][0]["quoteToken"] == "q3"
    assert sent.refs == {"quote_token": "qs0"}
    await out.mark_read(ACCOUNT, "U1", "m1", {"mark_as_read_token": "r1"})
    await out.typing(ACCOUNT, "U1", True)
    await out.typing(ACCOUNT, "Cgroup", True)
    assert vendor.peer.asked == [
        ("chat/markAsRead", {"markAsReadToken": "r1"}),
        ("chat/loading/start", {"chatId": "U1", "loadingSeconds": 5}),
    ]


async def test_an_unreadable_answer_is_asked_for_again_under_the_same_key(
    vendor: LineVendor,
) -> None:
    vendor.peer.next = faults.OutcomeUnknown
    with pytest.raises(faults.Retryable):
        await vendor.connector.outbound.send(outbound(vendor), attempt(1))
    again = await vendor.connector.outbound.send(outbound(vendor), attempt(2))
    assert again.external_id == "s0"
    assert len(vendor.peer.pushed) == 1


async def test_files_are_fetched_once_line_has_them_ready(vendor: LineVendor) -> None:
    fetch = vendor.connector.inbound.fetch_media
    assert await fetch(ACCOUNT, "1") == b"the file's bytes"
    with pytest.raises(faults.Retryable):
        await fetch(ACCOUNT, "preparing")
    with pytest.raises(faults.ContentInvalid):
        await fetch(ACCOUNT, "gone")


async def test_the_guided_check_knows_where_webhooks_go(vendor: LineVendor) -> None:
    lines = await load_module("line").check(vendor.context, ACCOUNT)
    assert [line.ok for line in lines] == [True, True]


def test_a_used_up_quota_comes_back_with_japans_next_month() -> None:
    at = 1_798_729_199_000  # 2026-12-31 23:59:59 in Tokyo
    assert next_month_utc_ms(at) == 1_798_729_200_000
