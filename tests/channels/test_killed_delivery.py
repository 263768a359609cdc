"""A firm's backend killed while a vendor has its message: nothing is lost, nothing doubled unasked.

It never reaches beyond loopback; the vendor is one that takes a message and keeps its answer back.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contract.ids import MessageId
from tests.backend_client.loopback_server import LoopbackServer
from tests.channels.peers import free_port
from tests.support.firm_backend import FirmBackend
from tests.support.served_backend import archive_is_sound
from tests.support.submissions import chat_on, submit_on
from tests.support.waiting import until

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not os.environ.get("PARLEY_PEERS"), reason="whole processes run in `make test-channels`"
    ),
]
ANNA = "emp-anna"
SECRET = "an app's secret"
PHONE = "16505551234"
LINE_ID, CHAT_ID = "U" + "a" * 32, "42"
NOTICE = "Bank of Tests:"  # how the firm's notice of recording begins: none of what is counted
ON_ITS_WAY = ("sending", "queued", "archived")
ARRIVED = ("accepted", "sent", "delivered", "read")


class Vendor:
    """LINE, WhatsApp and Telegram as far as a send goes; while `holds` they take and don't answer.

    `taken` are the texts by channel in the order they came; LINE takes each key once.
    """

    def __init__(self) -> None:
        self.taken: dict[str, list[str]] = {"line": [], "whatsapp": [], "telegram": []}
        self.opaque: list[str] = []
        self.holds: set[str] = set()
        self.refuses: set[str] = set()
        self._keys: set[str] = set()
        self._lock = threading.Lock()
        self.server = LoopbackServer(
            Starlette(
                routes=[
                    Route("/v2/bot/message/push", self.line, methods=["POST"]),
                    Route("/1/messages", self.whatsapp, methods=["POST"]),
                    Route("/bot{token}/{method}", self.telegram, methods=["POST"]),
                ]
            )
        )

    async def line(self, request: Request) -> Response:
        """Push: the retry key makes it once (409 afterwards, no sooner than anything else)."""
        key, body = request.headers["x-line-retry-key"], await request.json()
        with self._lock:
            known = key in self._keys
            self._keys.add(key)
        sent = {"sentMessages": [{"id": "461230966842064897", "quoteToken": "q"}]}
        if known:
            await self._hold("line")
            return JSONResponse({"message": "accepted already", **sent}, 409)
        return await self._take("line", body["messages"][0]["text"], sent)

    async def whatsapp(self, request: Request) -> Response:
        """A message; what it carries of ours comes back in its statuses."""
        body = await request.json()
        if not body["text"]["body"].startswith(NOTICE):
            self.opaque.append(body.get("biz_opaque_callback_data", ""))
        sent = {"messages": [{"id": f"wamid.{len(self.opaque)}"}]}
        return await self._take("whatsapp", body["text"]["body"], sent)

    async def telegram(self, request: Request) -> Response:
        """One method of the Bot API."""
        method = request.path_params["method"]
        body = json.loads(await request.body() or b"{}")
        if method != "sendMessage":
            return JSONResponse({"ok": True, "result": []})
        if "telegram" in self.refuses:
            refusal = {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked"}
            return JSONResponse(refusal, 403)
        result = {"message_id": 7, "date": 1, "chat": {"id": 42, "type": "private"}}
        return await self._take("telegram", body["text"], {"ok": True, "result": result})

    async def _take(self, channel: str, text: str, answer: dict[str, Any]) -> Response:
        if text.startswith(NOTICE):
            return JSONResponse(answer)
        self.taken[channel].append(text)
        await self._hold(channel)
        return JSONResponse(answer)

    async def _hold(self, channel: str) -> None:
        while channel in self.holds:
            await anyio.sleep(0.05)


class House:
    """A running firm with one employee who writes on three channels."""

    def __init__(self, firm: FirmBackend, vendor: Vendor, token: str) -> None:
        self.firm = firm
        self.vendor = vendor
        self.token = token

    def client(self) -> httpx.Client:
        """Return Anna's client."""
        return self.firm.client(self.token)

    def chat(self, channel: str) -> str:
        """Return the conversation on a channel."""
        with self.client() as anna:
            return chat_on(anna, channel)

    def submit(self, channel: str, text: str) -> MessageId:
        """Submit a message as the app would."""
        with self.client() as anna:
            return submit_on(anna, channel, text)

    def state(self, message_id: str) -> str:
        """Return a message's delivery state."""
        with self.client() as anna:
            return str(anna.get(f"/v1/messages/{message_id}").json()["state"])

    def until_state(self, message_id: str, *states: str) -> None:
        """Wait until a message is in one of the states."""
        until(lambda: self.state(message_id) in states, f"one of {states}", timeout_s=120.0)

    def die_while_the_vendor_holds(self, channel: str) -> tuple[MessageId, MessageId]:
        """Kill the backend once the vendor took a message; returns it and the one behind it."""
        self.vendor.holds.add(channel)
        first, behind = self.submit(channel, "first"), self.submit(channel, "behind")
        until(lambda: self.vendor.taken[channel], "the vendor's taking it", timeout_s=120.0)
        self.firm.kill()
        self.vendor.holds.clear()
        self.firm.start()
        return first, behind

    def meta_says(self, value: dict[str, Any]) -> None:
        """Call the webhook as Meta does."""
        head = {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "41790000000", "phone_number_id": "1"},
        }
        change = {"field": "messages", "value": head | value}
        document = {"object": "whatsapp_business_account", "entry": [{"changes": [change]}]}
        body = json.dumps(document).encode()
        digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature-256": f"sha256={digest}"}
        with self.firm.client() as meta:
            answer = meta.post("/hooks/whatsapp/acc-wa", content=body, headers=headers)
        assert answer.status_code == 200


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Run a firm with a LINE account, a WhatsApp number and a bot, and one client on each."""
    vendor = Vendor()
    with vendor.server as server, FirmBackend(tmp_path / "firm", port=free_port()) as firm:
        token = firm.add_employee(ANNA, "Anna Keller")
        accounts: dict[str, dict[str, str]] = {
            "line": {
                "channel_access_token": "t",
                "channel_secret": "s",
                "api_url": server.url,
                "data_url": server.url,
            },
            "whatsapp": {
                "phone_number_id": "1",
                "access_token": "t",
                "app_secret": SECRET,
                "verify_token": "v",
                "graph_url": server.url,
            },
            "telegram": {"bot_token": "123:secret", "api_url": server.url},
        }
        for module, name in (("line", "acc-line"), ("whatsapp", "acc-wa"), ("telegram", "acc-tg")):
            firm.add_channel(module, name, accounts[module], "--no-check", "--member", ANNA)
        firm.admin(
            "contact", "add", "--name", "Ada Client", "--employee", ANNA,
            "--point", f"line:{LINE_ID}", "--point", f"telegram:{CHAT_ID}",
            "--chat", "acc-line", "--chat", "acc-tg",
        )  # fmt: skip
        firm.start()
        found = House(firm, vendor, token)
        text = {"from": PHONE, "id": "wamid.in", "timestamp": str(int(time.time()))}
        text |= {"type": "text", "text": {"body": "Hello"}}  # type: ignore[dict-item]  # nested
        found.meta_says(
            {"contacts": [{"profile": {"name": "Ada"}, "wa_id": PHONE}], "messages": [text]}
        )
        until(lambda: found.chat("whatsapp"), "the client's chat")
        yield found
        vendor.holds.clear()
        firm.kill()


def test_channel_with_a_key_gets_each_message_once_over_a_crash(house: House) -> None:
    first, behind = house.die_while_the_vendor_holds("line")
    for message_id in (first, behind):
        house.until_state(message_id, *ARRIVED)
    assert house.vendor.taken["line"] == ["first", "behind"]
    house.firm.stop()
    assert archive_is_sound(house.firm.data_dir)


def test_channel_with_an_echo_waits_for_the_vendors_word_after_a_crash(house: House) -> None:
    first, behind = house.die_while_the_vendor_holds("whatsapp")
    house.until_state(first, "unknown")
    assert house.state(behind) == "archived"
    status = {"id": "wamid.1", "status": "delivered", "timestamp": str(int(time.time()))}
    status |= {"recipient_id": PHONE, "biz_opaque_callback_data": house.vendor.opaque[0]}
    house.meta_says({"statuses": [status]})
    house.until_state(first, "delivered")
    house.until_state(behind, *ARRIVED)
    assert house.vendor.taken["whatsapp"] == ["first", "behind"]


def test_channel_without_a_key_waits_for_the_employee_after_a_crash(house: House) -> None:
    first, behind = house.die_while_the_vendor_holds("telegram")
    house.until_state(first, "unknown")
    refused = house.firm.admin_process(
        "admin", "dead-letters", "retry", first, "--by", "ada", "--why", "It hangs.", stdin={}
    )
    assert refused.returncode == 2
    assert "Only the employee can decide" in refused.stderr
    assert house.vendor.taken["telegram"] == ["first"]
    assert house.state(behind) == "archived"
    with house.client() as anna:
        anna.post(
            f"/v1/messages/{first}/resolve",
            json={"action": "send_again"},
            headers={"Idempotency-Key": "decided"},
        ).raise_for_status()
    house.until_state(behind, *ARRIVED)
    assert house.vendor.taken["telegram"] == ["first", "first", "behind"]


def test_slow_vendor_is_told_and_holds_up_nobody_else(house: House) -> None:
    house.vendor.holds.add("line")
    slow = house.submit("line", "slow")
    until(lambda: house.vendor.taken["line"], "the vendor's taking it", timeout_s=120.0)
    quick = house.submit("telegram", "quick")
    house.until_state(quick, *ARRIVED)
    with house.client() as anna:
        (trouble,) = until(
            lambda: anna.get("/v1/me").json().get("troubles"), "the trouble", timeout_s=120.0
        )
        assert (trouble["channel"], trouble["kind"], trouble["waiting"]) == ("line", "slow", 1)
        told = "account acc-line is slow; its messages wait in order"
        until(lambda: told in anna.get("/v1/health").json()["problems"], "the health's word of it")
        assert house.state(slow) in ON_ITS_WAY
        house.vendor.holds.clear()
        house.until_state(slow, *ARRIVED)
        until(lambda: not anna.get("/v1/me").json().get("troubles"), "its end", timeout_s=120.0)
    assert house.vendor.taken["line"] == ["slow"]


def test_failed_letter_is_tried_again_beside_the_running_backend(house: House) -> None:
    house.vendor.refuses.add("telegram")
    failed = house.submit("telegram", "refused at first")
    house.until_state(failed, "failed")
    house.vendor.refuses.clear()
    said = ("--by", "ada", "--why", "The client let us in again.")
    done = house.firm.admin_process("admin", "dead-letters", "retry", failed, *said, stdin={})
    assert (done.returncode, json.loads(done.stdout)) == (0, {"queued": failed}), done.stderr
    house.until_state(failed, *ARRIVED)
    assert house.vendor.taken["telegram"] == ["refused at first"]
    house.firm.stop()
    assert archive_is_sound(house.firm.data_dir)
