"""Tests of Matrix events of strange forms, or nested too deeply: seen, and in nobody's way.

They never reach a homeserver beyond loopback.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from backend.channels.contract import Account, Inbound
from backend.channels.events import MessageIn, Typing, Unknown
from backend.channels.matrix import wire
from backend.channels.matrix.module import MODULE
from backend.channels.matrix.nesting import MOST_DEEP, without_depths
from backend.channels.modules import ChannelContext
from backend.channels.vendor_http import VendorHttp
from contract.ids import AccountId
from contract.wire import Channel, IdempotencyClass
from tests.backend_client.loopback_server import LoopbackServer

ACCOUNT = Account(
    account_id=AccountId("matrix-1"),
    channel=Channel.MATRIX,
    connector="matrix",
    idempotency=IdempotencyClass.SERVER_KEY,
)
ADA = "@ada:example.org"


def nested(depth: int) -> str:
    """Return JSON of lists within lists, brackets and escapes in strings among them."""
    return "[" * depth + r'"\"}]{["' + "]" * depth


def event(event_id: str, content: str, kind: str = "m.room.message") -> str:
    """Return one event of Ada's as JSON."""
    head = {"type": kind, "event_id": event_id, "room_id": "!room:example.org", "sender": ADA}
    return json.dumps(head)[:-1] + f', "origin_server_ts": 1754000000000, "content": {content}}}'


def said(text: str, deep: str = '"no"') -> str:
    """Return the content of a message with something that nobody asked for."""
    return json.dumps({"msgtype": "m.text", "body": text})[:-1] + f', "org.example.deep": {deep}}}'


def transaction(*events: str, ephemeral: str = "") -> bytes:
    """Return what a homeserver pushes at once."""
    return f'{{"events": [{",".join(events)}], "ephemeral": [{ephemeral}]}}'.encode()


@pytest.fixture
async def inbound() -> AsyncIterator[Inbound]:
    """Yield the way in, which knows its rooms from a homeserver on loopback."""

    async def synced(request: Request) -> JSONResponse:
        return JSONResponse({"next_batch": "s1"} if request.method == "GET" else {})

    routes = [Route("/{path:path}", synced, methods=["GET", "POST"])]
    with LoopbackServer(Starlette(routes=routes)) as server:
        settings = {
            "homeserver_url": server.url,
            "user_id": "@firm:example.org",
            "as_token": "as",
            "hs_token": "hs",
        }
        async with VendorHttp() as http:
            found = MODULE.connect(ChannelContext(lambda _: settings, http, lambda: 0)).inbound
            await found.poll(ACCOUNT, "")
            yield found


@pytest.mark.parametrize("depth", [sys.getrecursionlimit(), 30_000])
async def test_a_deep_event_is_unsupported_and_its_neighbours_are_heard(
    inbound: Inbound, depth: int
) -> None:
    typing = event("", '{"user_ids": ["' + ADA + '"]}', "m.typing")
    raw = transaction(
        event("$1", said("before")),
        event("$2", said("too deep", nested(depth))),
        event("$3", said("after", nested(5))),
        ephemeral=typing,
    )
    with pytest.raises(RecursionError):
        msgspec.json.decode(raw, type=wire.Transaction)
    before, deep, after, types = inbound.parse(ACCOUNT, raw)
    assert isinstance(before, MessageIn) and before.text == "before"
    assert isinstance(deep, Unknown)
    assert (deep.type_name, deep.external_id, deep.sender.address) == ("m.room.message", "$2", ADA)
    assert deep.at_utc_ms == 1_754_000_000_000
    assert isinstance(after, MessageIn) and after.text == "after"
    assert isinstance(types, Typing)


@pytest.mark.parametrize("field", ['"redacts": {"a": 1}', '"state_key": 5', '"event_id": "$2"'])
async def test_a_field_of_a_strange_form_hides_no_event(inbound: Inbound, field: str) -> None:
    strange = event("$2", said("in between"))[:-1] + f", {field}}}"
    raw = transaction(event("$1", said("before")), strange, "7", event("$3", said("after")))
    found = inbound.parse(ACCOUNT, raw)
    assert [each.text for each in found if isinstance(each, MessageIn)] == [
        "before", "in between", "after",
    ]  # fmt: skip


async def test_every_depth_up_to_the_limit_and_beyond_is_read_somehow(inbound: Inbound) -> None:
    limit = sys.getrecursionlimit()
    for depth in range(limit - 120, limit + 20):
        (found,) = inbound.parse(ACCOUNT, transaction(event("$1", said("deep", nested(depth)))))
        assert isinstance(found, MessageIn | Unknown)


async def test_depths_that_are_no_event_make_a_transaction_unreadable(inbound: Inbound) -> None:
    for raw in (nested(30_000).encode(), b'{"events": ' + b"[" * 30_000, b'[{"\\' * 30_000):
        (found,) = inbound.parse(ACCOUNT, raw)
        assert isinstance(found, Unknown) and found.type_name == "unreadable"


def test_what_is_no_deeper_than_allowed_stays_as_it_is() -> None:
    kept = transaction(event("$1", said("a", nested(MOST_DEEP - 4))), event("$2", said("b")))
    assert without_depths(kept) == kept
    deep = transaction(event("$1", said("a", nested(MOST_DEEP))), event("$2", said("b")))
    assert json.loads(without_depths(deep))["events"][0]["content"] == {}
    assert json.loads(without_depths(deep))["events"][1] == json.loads(kept)["events"][1]
