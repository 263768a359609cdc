"""Vendors' webhooks: believed by signature, committed before the answer, counted when refused.

It never opens a port: the application is called in this process.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update
from starlette.applications import Starlette
from starlette.types import Message

from backend.api.hooks import MOST_BODY_BYTES, HookDesk, Hooks
from backend.channels.contract import Account, RawItem
from backend.channels.modules import ChannelContext, load_module
from backend.channels.vendor_http import VendorHttp
from backend.channels.webhooks import SharedAddress
from backend.directory.account_settings import keep_settings, read_settings, shown_settings
from backend.inbox.events import open_database
from backend.storage.tables import channel_accounts
from contract.ids import AccountId
from contract.wire import Channel, IdempotencyClass
from tests.backend.workspace import FIRM, Workspace, open_workspace
from tests.support.log_guard import LogGuard

KEY = bytes(range(32))
SECRET = "an app's secret"
PATH = "/hooks/whatsapp/acc-wa"
BODY = json.dumps({"object": "whatsapp_business_account", "entry": []}).encode()


@dataclass
class Address:
    """The served addresses with what was told of them."""

    workspace: Workspace
    hooks: Hooks
    desk: HookDesk
    client: httpx.AsyncClient
    told: list[str]

    async def post(self, body: bytes, secret: str = SECRET) -> int:
        """Call as Meta would; returns the status."""
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature-256": f"sha256={digest}"}
        return (await self.client.post(PATH, content=body, headers=headers)).status_code

    async def kept(self) -> int:
        """Return how many raw bodies are committed."""
        return int(str(await self.workspace.scalar("SELECT count(*) FROM inbound_raw")))


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[Address]:
    """Serve the addresses of a workspace with one WhatsApp account."""
    told: list[str] = []
    values = {
        "phone_number_id": "1",
        "access_token": "t",
        "app_secret": SECRET,
        "verify_token": "a word",
    }
    secrets = frozenset({"access_token", "app_secret", "verify_token"})
    async with open_workspace(tmp_path, KEY) as workspace, VendorHttp() as http:
        database = workspace.services.database
        await database.write(
            lambda c: keep_settings(c, FIRM, "acc-wa", values, secrets, workspace.clock())
        )
        await database.write(
            lambda c: c.execute(
                update(channel_accounts)
                .where(channel_accounts.c.account_id == "acc-wa")
                .values(connector="whatsapp")
            )
        )
        known = await database.read(read_settings)
        context = ChannelContext(known.__getitem__, http, workspace.clock)
        connector = load_module("whatsapp").connect(context)
        hooks = Hooks(
            database,
            {"whatsapp": connector.inbound},
            lambda: told.append("committed"),
            workspace.clock,
            "https://bank.test",
        )
        desk = HookDesk(hooks)
        transport = httpx.ASGITransport(Starlette(routes=desk.routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield Address(workspace, hooks, desk, client, told)


async def test_a_signed_body_is_committed_before_it_is_answered(address: Address) -> None:
    assert await address.post(BODY) == 200
    assert await address.kept() == 1
    assert address.told == ["committed"]


async def test_a_repeated_delivery_is_answered_and_kept_once(address: Address) -> None:
    assert [await address.post(BODY), await address.post(BODY)] == [200, 200]
    assert await address.kept() == 1
    at_once = await asyncio.gather(*(address.post(BODY + b" ") for _ in range(8)))
    assert set(at_once) == {200}
    assert await address.kept() == 2


async def test_a_wrong_signature_is_refused_and_counted(
    address: Address, expect_log: LogGuard
) -> None:
    expect_log("a vendor's request was refused", logger="backend.api.hooks")
    assert await address.post(BODY, secret="guessed") == 403
    assert (await address.client.post(PATH, content=BODY)).status_code == 403
    assert await address.kept() == 0
    assert address.desk.refused["acc-wa", "signature"] == 2


async def test_a_body_without_end_is_refused_and_counted(
    address: Address, expect_log: LogGuard
) -> None:
    expect_log("a vendor's request was refused", logger="backend.api.hooks")
    assert await address.post(b"x" * (MOST_BODY_BYTES + 1)) == 413
    assert await address.kept() == 0
    assert address.desk.refused["acc-wa", "too large"] == 1


async def test_a_vendor_that_goes_away_in_the_middle_is_no_fault(address: Address) -> None:
    came: list[Message] = [
        {"type": "http.request", "body": BODY[:5], "more_body": True},
        {"type": "http.disconnect"},
    ]
    answered: list[Message] = []

    async def receive() -> Message:
        return came.pop(0)

    async def send(message: Message) -> None:
        answered.append(message)

    scope = {"type": "http", "method": "POST", "path": PATH, "query_string": b"", "headers": []}
    await Starlette(routes=address.desk.routes())(scope, receive, send)
    assert answered[0]["status"] == 400
    assert await address.kept() == 0


async def test_malformed_but_signed_bytes_are_kept_for_a_person_to_see(address: Address) -> None:
    assert await address.post(b"\xff\xfe{") == 200
    assert await address.kept() == 1


async def test_the_handshake_needs_the_word(address: Address, expect_log: LogGuard) -> None:
    expect_log("a vendor's request was refused", logger="backend.api.hooks")
    query = {"hub.mode": "subscribe", "hub.verify_token": "a word", "hub.challenge": "7"}
    good = await address.client.get(PATH, params=query)
    assert (good.status_code, good.text) == (200, "7")
    bad = await address.client.get(PATH, params=query | {"hub.verify_token": "b"})
    assert bad.status_code == 403
    assert address.desk.refused["acc-wa", "handshake"] == 1


@pytest.mark.parametrize("path", ["/hooks/line/acc-wa", "/hooks/whatsapp/none", "/hooks/x/y"])
async def test_an_address_nobody_set_up_does_not_exist(address: Address, path: str) -> None:
    assert (await address.client.post(path, content=BODY)).status_code == 404


async def test_secrets_are_never_shown(address: Address) -> None:
    shown = await address.workspace.services.database.read(lambda c: shown_settings(c, "acc-wa"))
    assert shown["phone_number_id"] == "1"
    assert shown["app_secret"] == "(set)"


async def test_what_meta_says_of_an_apps_other_number_is_kept_for_that_number() -> None:
    def settings(number: str, secret: str) -> dict[str, str]:
        return {"phone_number_id": number, "access_token": "t", "app_secret": secret} | {
            "verify_token": "w"
        }

    known = {"wa-1": settings("1", SECRET), "wa-2": settings("2", SECRET)}
    known |= {"wa-3": settings("3", "another app's")}
    first, second, third = (
        Account(
            account_id=AccountId(name),
            channel=Channel.WHATSAPP,
            connector="whatsapp",
            idempotency=IdempotencyClass.CLIENT_ECHO,
        )
        for name in known
    )
    message = {"from": "41790000000", "id": "wamid.1", "timestamp": "1", "type": "text"}
    message |= {"text": {"body": "Hello"}}  # type: ignore[dict-item]  # as Meta nests it
    changes = [
        {"field": "messages", "value": {"metadata": {"phone_number_id": n}, "messages": [message]}}
        for n in ("2", "3")
    ]
    body = json.dumps({"entry": [{"id": "waba", "changes": changes}]}).encode()
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    item = RawItem(
        dedupe_key="", body=body, headers={"x-hub-signature-256": f"sha256={digest}"}, url=""
    )
    async with VendorHttp() as http:
        told = load_module("whatsapp").connect(
            ChannelContext({AccountId(n): s for n, s in known.items()}.__getitem__, http, lambda: 1)
        )
        assert isinstance(told.inbound, SharedAddress)
        assert told.inbound.also_for(first, item, (second, third)) == (second,)
        assert [type(each).__name__ for each in told.inbound.parse(first, body)] == ["Unknown"]
        assert [type(each).__name__ for each in told.inbound.parse(second, body)] == ["MessageIn"]


async def test_a_delivery_is_kept_for_every_account_it_speaks_of(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = address.workspace.services.database
    await database.write(
        lambda c: c.execute(
            update(channel_accounts)
            .where(channel_accounts.c.mode == "governed")
            .values(connector="whatsapp")
        )
    )
    monkeypatch.setattr(
        "backend.channels.whatsapp.inbound.WhatsAppInbound.also_for",
        lambda _self, _account, _item, others: tuple(others)[:1],
    )
    assert await address.post(BODY) == 200
    owners = await address.workspace.scalar("SELECT count(DISTINCT account_id) FROM inbound_raw")
    assert owners == 2


async def test_two_backends_that_hear_the_same_at_once_keep_it_once(address: Address) -> None:
    other = open_database(address.hooks.database.path, KEY)
    second = HookDesk(address.hooks._replace(database=other))
    transport = httpx.ASGITransport(Starlette(routes=second.routes()))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            twin = replace(address, desk=second, client=client)
            for number in range(20):
                body = BODY + b" " * number
                told = (each.post(body) for each in (address, twin, address, twin))
                assert await asyncio.gather(*told) == [200] * 4
    finally:
        await other.close()
    assert await address.kept() == 20
    arrivals = "SELECT count(DISTINCT arrival) FROM inbound_raw"
    assert await address.workspace.scalar(arrivals) == 20


async def test_signed_bytes_too_deep_to_be_looked_into_are_kept(address: Address) -> None:
    deep = b'{"entry":[],"events":[],"z":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    both = update(channel_accounts).values(connector="whatsapp")
    await address.hooks.database.write(lambda c: c.execute(both))
    assert await address.post(deep) == 200
    line = load_module("line").connect(_line_context())
    desk = HookDesk(address.hooks._replace(connectors={"line": line.inbound}))
    await address.hooks.database.write(lambda c: c.execute(both.values(connector="line")))
    transport = httpx.ASGITransport(Starlette(routes=desk.routes()))
    signed = base64.b64encode(hmac.digest(SECRET.encode(), deep, "sha256")).decode()
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.post(
            "/hooks/line/acc-wa", content=deep, headers={"X-Line-Signature": signed}
        )
    assert answer.status_code == 200
    assert await address.kept() == 1, "the same bytes for the same account"


def _line_context() -> ChannelContext:
    return ChannelContext(lambda _: {"channel_secret": SECRET}, VendorHttp(), lambda: 0)
