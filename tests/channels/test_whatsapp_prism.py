"""WhatsApp's connector against prism with Meta's description, mended where it contradicts itself.

Prism keeps nothing: it refuses what the description does not allow and answers from its examples.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from backend.channels import faults
from backend.channels.contract import OutboundTemplate
from backend.channels.vendor_http import USER_AGENT, VendorHttp, VendorReply
from backend.channels.whatsapp.errors import fault_of_reply
from contract.wire import Channel
from tests.backend.channels.conformance import attempt, outbound
from tests.backend.channels.making import changed, outbound_file
from tests.channels.test_prism import Vendor, prism
from tests.support.vectors import require_vectors

pytestmark = pytest.mark.timeout(600)
WEBHOOKS = "whatsapp/wa_webhooks.json"
NUMBER = "106540352242922"
_HEADERS = {"Authorization": "Bearer t", "User-Agent": USER_AGENT}
GROUP = "Y2FwaV9ncm91cDoxODA1NTU1MDE3MjoxMjAzNjMyMjI3NzE5NjMwNjcZD"


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve Meta's document."""
    with prism("whatsapp/wa_fixed.yaml", tmp_path_factory.mktemp("whatsapp")) as url:
        yield f"{url}/v23.0"


@pytest.fixture
async def whatsapp(graph: str) -> AsyncIterator[Vendor]:
    """Return the connector over prism."""
    settings = {"phone_number_id": NUMBER, "access_token": "t", "app_secret": "s"}
    async with VendorHttp() as http:
        yield Vendor("whatsapp", Channel.WHATSAPP, settings | {"graph_url": graph}, http)


async def test_metas_description_takes_what_we_send(whatsapp: Vendor) -> None:
    out, base = whatsapp.connector.outbound, outbound(whatsapp)
    words = OutboundTemplate(name="offer", language="en_US", values=("Ada", "noon"))
    paper, photo = outbound_file("a.pdf", "application/pdf"), outbound_file("a.jpg", "image/jpeg")
    for message in (
        base,
        changed(base, quote_external_id="wamid.x"),
        changed(base, id_type="chat", address=GROUP),
        changed(base, attachments=(paper,)),
        changed(base, attachments=(photo,)),
        changed(base, template_id="t", template=words),
    ):
        assert (await out.send(message, attempt())).external_id.startswith("wamid.")
    await out.react(whatsapp.account, "+16505551234", "wamid.x", "👍")
    await out.mark_read(whatsapp.account, "+16505551234", "wamid.x", {})
    (heard, *_) = json.loads((require_vectors("channels") / WEBHOOKS).read_bytes()).values()
    whatsapp.connector.inbound.parse(whatsapp.account, json.dumps(heard).encode())
    await out.typing(whatsapp.account, "+16505551234", True)


async def test_prism_would_refuse_a_message_that_meta_does_not_allow(graph: str) -> None:
    """So that the test above means something."""
    document: dict[str, Any] = {"messaging_product": "whatsapp", "to": "1", "type": "text"}
    async with httpx.AsyncClient(timeout=60) as client:
        url = f"{graph}/{NUMBER}/messages"
        for wrong in (document, {"type": "text", "text": {"body": "no recipient"}}):
            reply = await client.post(url, json=wrong, headers=_HEADERS)
            assert reply.status_code in {400, 422}, reply.text
        whole = document | {"recipient_type": "individual", "text": {"body": "hi"}}
        assert (await client.post(url, json=whole, headers=_HEADERS)).status_code == 200


@pytest.mark.parametrize(
    ("code", "fault"),
    [("131047", faults.WindowExpired), ("131026", faults.RecipientInvalid)],
)
async def test_metas_own_error_answers_are_understood(
    graph: str, code: str, fault: type[faults.ChannelFault]
) -> None:
    async with httpx.AsyncClient(timeout=60) as client:
        headers = _HEADERS | {"Prefer": f"code=400, example={code}"}
        text = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": "1"}
        text_of: dict[str, Any] = text | {"type": "text", "text": {"body": "hi"}}
        reply = await client.post(f"{graph}/{NUMBER}/messages", json=text_of, headers=headers)
    ours = fault_of_reply(VendorReply(reply.status_code, reply.content, reply.headers), 1)
    assert isinstance(ours, fault)
