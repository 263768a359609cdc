"""SMS over a Twilio-style service against recorded shapes; the channels' suite has prism judge.

It never reaches a service itself.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Iterator
from urllib.parse import parse_qsl, urlencode

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from backend.channels import faults
from backend.channels.contract import Account, Connector, Polled, RawItem
from backend.channels.events import MessageIn, Receipt
from backend.channels.modules import ChannelContext, ModuleMissing, installed_names, load_module
from backend.channels.vendor_http import VendorHttp
from contract.ids import AccountId
from contract.states import DeliveryState
from contract.wire import Channel, IdempotencyClass
from tests.backend.channels.conformance import ConnectorConformance, attempt, outbound
from tests.backend_client.loopback_server import LoopbackServer

ACCOUNT = Account(
    account_id=AccountId("sms-1"),
    channel=Channel.SMS,
    connector="sms_http",
    idempotency=IdempotencyClass.NONE,
)
SID, SECRET = f"AC{'0' * 32}", "an auth token"
HOOK = "https://bank.test/hooks/sms_http/sms-1"
_FAULTS: dict[type[faults.ChannelFault], tuple[int, int]] = {
    faults.Retryable: (503, 20500),
    faults.RateLimited: (429, 20429),
    faults.WindowExpired: (400, 63016),
    faults.ConsentMissing: (400, 21610),
    faults.RecipientInvalid: (400, 21211),
    faults.ContentInvalid: (400, 21617),
    faults.AccountFault: (401, 20003),
}


class SmsPeer:
    """What the service's documents say, on loopback."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []
        self.hooks: list[bytes] = []
        self.next: type[faults.ChannelFault] | None = None
        self.moved: dict[str, str] = {}
        base = "/2010-04-01/Accounts/{sid}"
        routes = [
            Route(f"{base}/Messages.json", self.messages, methods=["POST"]),
            Route(f"{base}.json", self.account),
            Route("/media/{name}", self.media),
        ]
        self.server = LoopbackServer(Starlette(routes=routes))

    async def messages(self, request: Request) -> Response:
        fault, self.next = self.next, None
        if fault in _FAULTS:
            status, code = _FAULTS[fault]
            return JSONResponse({"code": code, "message": "m", "status": status}, status)
        self.sent.append(dict(parse_qsl((await request.body()).decode())))
        if fault is faults.OutcomeUnknown:
            return Response("<html>", media_type="text/html")
        sid = f"SM{len(self.sent)}"
        for told in ("queued", "sent", "delivered"):
            self.hooks.append(urlencode({"MessageSid": sid, "MessageStatus": told}).encode())
        self.writes("Thank you")
        return JSONResponse({"sid": sid, "status": "queued"}, 201)

    async def account(self, request: Request) -> Response:
        return JSONResponse({"sid": SID})

    async def media(self, request: Request) -> Response:
        if place := self.moved.get(request.path_params["name"]):
            assert "authorization" in request.headers, "only who has the account may ask"
            return Response(status_code=307, headers={"location": place})
        if request.path_params["name"] == "short-lived":
            assert "authorization" not in request.headers, "the token never goes elsewhere"
        return Response(b"the file's bytes")

    def writes(self, text: str) -> str:
        sid = f"SMin{len(self.hooks)}"
        form = {"MessageSid": sid, "From": "+10000000001", "To": "+15550001111", "Body": text}
        self.hooks.append(urlencode(form | {"NumMedia": "0"}).encode())
        return sid


def signed(body: bytes) -> dict[str, str]:
    """Return the header the service signs with."""
    told = HOOK + "".join(f"{n}{v}" for n, v in sorted(parse_qsl(body.decode())))
    digest = hmac.digest(SECRET.encode(), told.encode(), hashlib.sha1)
    return {"x-twilio-signature": base64.b64encode(digest).decode()}


class SmsVendor:
    """The peer as the conformance run wants it."""

    def __init__(self, peer: SmsPeer, http: VendorHttp) -> None:
        self.peer, self.account = peer, ACCOUNT
        self.now_utc_ms = time.time_ns() // 1_000_000
        settings = {
            "account_sid": SID,
            "auth_token": SECRET,
            "from_number": "+15550001111",
            "api_url": peer.server.url,
        }
        self.context = ChannelContext(
            lambda _: settings, http, lambda: self.now_utc_ms, "https://bank.test"
        )
        self.connector: Connector = load_module("sms_http").connect(self.context)

    async def received_texts(self) -> list[str]:
        return [form["Body"] for form in self.peer.sent]

    async def client_writes(self, text: str) -> str:
        return self.peer.writes(text)

    async def incoming(self, cursor: str) -> Polled:
        items = [
            RawItem(dedupe_key=str(n), body=body, headers=signed(body), url=HOOK)
            for n, body in enumerate(self.peer.hooks)
        ]
        return Polled(items=tuple(items[int(cursor or 0) :]), cursor=str(len(items)))

    async def next_send(self, fault: type[faults.ChannelFault], *, lost: bool = False) -> bool:
        self.peer.next = fault
        return fault in _FAULTS or fault is faults.OutcomeUnknown


@pytest.fixture
def peer() -> Iterator[SmsPeer]:
    """Run the peer."""
    peer = SmsPeer()
    with peer.server:
        yield peer


@pytest.fixture
async def vendor(peer: SmsPeer) -> AsyncIterator[SmsVendor]:
    """Return the connector over the running peer."""
    async with VendorHttp(verify=False) as http:
        yield SmsVendor(peer, http)


class TestSmsHttpConformance(ConnectorConformance):
    """The suite that every connector passes."""


def test_the_published_signature_is_ours() -> None:
    """Twilio's own example, whose form and token its documentation prints."""
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    settings = {"auth_token": "12345", "account_sid": SID}
    context = ChannelContext(lambda _: settings, VendorHttp(verify=False), lambda: 1)
    inbound = load_module("sms_http").connect(context).inbound
    item = RawItem(
        dedupe_key="",
        body=urlencode(form).encode(),
        headers={"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="},
        url="https://mycompany.com/myapp.php?foo=1&bar=2",
    )
    assert inbound.verify(ACCOUNT, item)


async def test_statuses_come_to_the_accounts_own_address(vendor: SmsVendor) -> None:
    await vendor.connector.outbound.send(outbound(vendor), attempt())
    assert vendor.peer.sent[0]["StatusCallback"] == HOOK
    failed = urlencode({"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003"})
    (event,) = vendor.connector.inbound.parse(ACCOUNT, failed.encode())
    assert isinstance(event, Receipt)
    assert (event.state, event.detail) == (DeliveryState.FAILED, "This number can't get an SMS.")


async def test_pictures_are_fetched_from_the_service_alone(vendor: SmsVendor) -> None:
    url = f"{vendor.peer.server.url}/media/1"
    form = {"MessageSid": "MM1", "From": "+1", "Body": "", "NumMedia": "1", "MediaUrl0": url}
    (event,) = vendor.connector.inbound.parse(ACCOUNT, urlencode(form).encode())
    assert isinstance(event, MessageIn)
    fetch = vendor.connector.inbound.fetch_media
    assert await fetch(ACCOUNT, event.attachments[0].ref) == b"the file's bytes"
    with pytest.raises(faults.ContentInvalid):
        await fetch(ACCOUNT, "https://elsewhere.test/1")


async def test_pictures_that_lie_elsewhere_are_fetched_there_without_the_token(
    vendor: SmsVendor,
) -> None:
    base, fetch = vendor.peer.server.url, vendor.connector.inbound.fetch_media
    vendor.peer.moved = {"1": f"{base}/media/short-lived", "2": "ftp://elsewhere.test/2"}
    assert await fetch(ACCOUNT, f"{base}/media/1") == b"the file's bytes"
    with pytest.raises(faults.ContentInvalid):
        await fetch(ACCOUNT, f"{base}/media/2")


def test_apples_channel_is_present_and_says_why_it_is_off() -> None:
    module = load_module("apple")
    assert "approval" in module.switched_off
    assert "apple" in installed_names()
    with pytest.raises(ModuleMissing, match="Installed are"):
        load_module("carrier_pigeon")
