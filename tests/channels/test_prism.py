"""LINE's and the SMS service's connectors against prism, which holds the vendors' own documents.

Prism keeps nothing: it refuses what the document does not allow and answers from its examples.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from backend.channels.contract import Account, Connector, Naming
from backend.channels.modules import ChannelContext, load_module
from backend.channels.vendor_http import VendorHttp
from contract.ids import AccountId
from contract.wire import Channel, IdempotencyClass
from tests.backend.channels.conformance import attempt, outbound
from tests.backend.channels.making import changed
from tests.channels.peers import answers, free_port, require_peer, running
from tests.support.vectors import require_vectors

pytestmark = pytest.mark.timeout(600)


@contextlib.contextmanager
def prism(document: str, folder: Path) -> Iterator[str]:
    """Run prism on a vendor's document; yields its address."""
    path = require_vectors("channels") / document
    peer, port = require_peer("prism"), free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(peer / "node_modules/.bin/prism"), "mock", "-h", "127.0.0.1"]
    with running([*command, "-p", str(port), "--errors", str(path)], folder, answers(url)):
        yield url


class Vendor:
    """A connector with one account over a running prism."""

    def __init__(
        self, name: str, channel: Channel, settings: Mapping[str, str], http: VendorHttp
    ) -> None:
        self.account = Account(
            account_id=AccountId("a-1"),
            channel=channel,
            connector=name,
            idempotency=IdempotencyClass.NONE,
        )
        context = ChannelContext(lambda _: settings, http, lambda: 1, "https://bank.test")
        self.connector: Connector = load_module(name).connect(context)


@pytest.fixture(scope="module")
def line_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve LINE's document."""
    with prism("line/line-oneof.yml", tmp_path_factory.mktemp("line")) as url:
        yield url


@pytest.fixture(scope="module")
def sms_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve Twilio's document."""
    with prism("twilio/twilio_api_v2010.yaml", tmp_path_factory.mktemp("twilio")) as url:
        yield url


@pytest.fixture
async def line(line_url: str) -> AsyncIterator[Vendor]:
    """Return LINE's connector over prism."""
    settings = {"channel_access_token": "t", "channel_secret": "s"}
    async with VendorHttp() as http:
        yield Vendor("line", Channel.LINE, settings | {"api_url": line_url}, http)


@pytest.fixture
async def sms(sms_url: str) -> AsyncIterator[Vendor]:
    """Return the SMS connector over prism."""
    settings = {"account_sid": f"AC{'0' * 32}", "auth_token": "t", "from_number": "+15550001111"}
    async with VendorHttp() as http:
        yield Vendor("sms_http", Channel.SMS, settings | {"api_url": sms_url}, http)


async def test_line_takes_our_pushes_quotes_read_marks_and_loading(line: Vendor) -> None:
    out = line.connector.outbound
    to_user = changed(outbound(line), address=f"U{'a' * 32}")
    assert (await out.send(to_user, attempt())).external_id
    quoting = changed(to_user, quote_refs={"quote_token": "q3Plxr4AgKd"})
    assert (await out.send(quoting, attempt(key="m-2.0"))).external_id
    await out.mark_read(line.account, "U1", "1", {"mark_as_read_token": "30yhdy232"})
    await out.typing(line.account, f"U{'a' * 32}", True)


async def test_line_tells_the_names_we_ask_for(line: Vendor) -> None:
    inbound = line.connector.inbound
    assert isinstance(inbound, Naming)
    assert (await inbound.names_of(line.account, f"U{'a' * 32}", "")).sender
    assert (await inbound.names_of(line.account, f"U{'a' * 32}", f"C{'b' * 32}")).chat


async def test_prism_would_refuse_a_push_that_line_does_not_allow(line_url: str) -> None:
    """So that the test above means something."""
    document = {"to": "U1", "messages": [{"type": "text"}]}
    async with httpx.AsyncClient(timeout=60) as client:
        headers = {"Authorization": "Bearer t"}
        reply = await client.post(f"{line_url}/v2/bot/message/push", json=document, headers=headers)
    assert reply.status_code in {400, 422}


async def test_the_sms_service_takes_our_messages(sms: Vendor) -> None:
    sent = await sms.connector.outbound.send(outbound(sms), attempt())
    assert sent.external_id
