"""Matrix's connector against a real Synapse, with a client person on the other side.

It never federates.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from backend.channels import faults
from backend.channels.contract import Account, Connector, Polled, RawItem
from backend.channels.events import (
    ChatNamed,
    Deleted,
    Edited,
    InboundEvent,
    MessageIn,
    Reaction,
    Receipt,
    Unknown,
)
from backend.channels.modules import ChannelContext, load_module
from backend.channels.vendor_http import VendorHttp
from contract.ids import AccountId
from contract.wire import Channel, IdempotencyClass
from tests.backend.channels.conformance import ConnectorConformance, Vendor, attempt, outbound
from tests.backend.channels.making import changed, outbound_file
from tests.backend_client.loopback_server import LoopbackServer
from tests.channels.synapse import AS_TOKEN, FIRM_USER, HS_TOKEN, Person, synapse

ACCOUNT = Account(
    account_id=AccountId("mx-1"),
    channel=Channel.MATRIX,
    connector="matrix",
    idempotency=IdempotencyClass.SERVER_KEY,
)
_BEARER = {"authorization": f"Bearer {HS_TOKEN}"}
pytestmark = pytest.mark.timeout(600)


class Hook:
    """Where the homeserver pushes transactions."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        path = "/hooks/matrix/mx-1/{rest:path}"
        routes = [Route(path, self.take, methods=["GET", "PUT", "POST"])]
        self.server = LoopbackServer(Starlette(routes=routes))

    async def take(self, request: Request) -> Response:
        if request.method == "PUT":
            assert request.headers["authorization"] == _BEARER["authorization"]
            self.bodies.append(await request.body())
        return JSONResponse({})


@pytest.fixture(scope="module")
def hook() -> Iterator[Hook]:
    """Serve the address."""
    hook = Hook()
    with hook.server:
        yield hook


@pytest.fixture(scope="module")
def homeserver(hook: Hook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run one Synapse for all tests here."""
    folder: Path = tmp_path_factory.mktemp("synapse")
    with synapse(folder, f"{hook.server.url}/hooks/matrix/mx-1") as url:
        yield url


class MatrixVendor:
    """The homeserver with a new person, as the conformance run wants it."""

    def __init__(self, url: str, hook: Hook, http: VendorHttp) -> None:
        self.account, self._hook = ACCOUNT, hook
        self.now_utc_ms = time.time_ns() // 1_000_000
        self.person = Person(url, f"ada{time.time_ns()}")
        self.address = self.person.user
        settings = {
            "homeserver_url": url,
            "user_id": FIRM_USER,
            "as_token": AS_TOKEN,
            "hs_token": HS_TOKEN,
        }
        self.context = ChannelContext(lambda _: settings, http, lambda: self.now_utc_ms)
        self.connector: Connector = load_module("matrix").connect(self.context)
        self.room = ""
        self._first = len(hook.bodies)

    async def open(self) -> None:
        """Have the person open a chat with the firm, which joins it."""
        await self.connector.inbound.poll(self.account, "")
        self.room = await asyncio.to_thread(self.person.meet, FIRM_USER)
        while FIRM_USER not in await asyncio.to_thread(self.person.members, self.room):
            await self.connector.inbound.poll(self.account, "")

    async def received_texts(self) -> list[str]:
        seen = await asyncio.to_thread(self.person.seen, self.room)
        edited = {
            each["content"]["m.relates_to"]["event_id"]: each["content"]["m.new_content"]["body"]
            for each in seen
            if "m.new_content" in each["content"]
        }
        return [
            edited.get(each["event_id"], each["content"]["body"])
            for each in seen
            if "m.new_content" not in each["content"] and "body" in each["content"]
        ]

    async def client_writes(self, text: str) -> str:
        return await asyncio.to_thread(self.person.say, self.room, text)

    async def events(self, wanted: type[InboundEvent]) -> list[Any]:
        """Wait for events of a class by this person and return them."""
        deadline_s = time.monotonic() + 120
        while True:
            found = [
                event
                for body in self._hook.bodies[self._first :]
                for event in self.connector.inbound.parse(self.account, body)
                if isinstance(event, wanted) and event.sender.address == self.person.user
            ]
            if found:
                return found
            assert time.monotonic() < deadline_s, f"no {wanted.__name__} came"
            await asyncio.sleep(0.05)

    async def named(self, room: str) -> list[ChatNamed]:
        """Wait for a room's names and return them."""
        async with asyncio.timeout(60):
            while True:
                found = [
                    event
                    for body in self._hook.bodies[self._first :]
                    for event in self.connector.inbound.parse(self.account, body)
                    if isinstance(event, ChatNamed) and event.sender.address == room
                ]
                if found:
                    return found
                await asyncio.sleep(0.05)

    async def incoming(self, cursor: str) -> Polled:
        await self.events(MessageIn)
        items = []
        for n, body in enumerate(self._hook.bodies[self._first :]):
            events = self.connector.inbound.parse(self.account, body)
            if any(isinstance(e, MessageIn) and e.sender.address == self.address for e in events):
                items.append(RawItem(dedupe_key=str(n), body=body, headers=_BEARER))
        return Polled(items=tuple(items), cursor=str(len(items)))

    async def next_send(self, fault: type[faults.ChannelFault], *, lost: bool = False) -> bool:
        return False


@pytest.fixture
async def vendor(homeserver: str, hook: Hook) -> AsyncIterator[MatrixVendor]:
    """Return the connector over the running homeserver, in a chat of two."""
    async with VendorHttp() as http:
        vendor = MatrixVendor(homeserver, hook, http)
        with contextlib.closing(vendor.person):
            await vendor.open()
            yield vendor


class TestMatrixConformance(ConnectorConformance):
    """The suite that every connector passes."""

    async def test_forged_bytes_are_refused(self, vendor: Vendor) -> None:
        item = RawItem(dedupe_key="1", body=b"{}", headers={"authorization": "Bearer guessed"})
        assert not vendor.connector.inbound.verify(ACCOUNT, item)
        genuine = RawItem(dedupe_key="1", body=b"{}", headers=_BEARER)
        assert vendor.connector.inbound.verify(ACCOUNT, genuine)

    async def test_receipts_are_those_the_channel_gives(self, vendor: Vendor) -> None:
        assert isinstance(vendor, MatrixVendor)
        sent = await vendor.connector.outbound.send(outbound(vendor), attempt())
        await asyncio.to_thread(vendor.person.read_up_to, vendor.room, sent.external_id)
        (receipt, *_) = await vendor.events(Receipt)
        assert (receipt.external_id, receipt.state.value) == (sent.external_id, "read")


async def test_a_person_is_met_in_a_room_made_for_the_two(vendor: MatrixVendor) -> None:
    settings = vendor.context.settings_of(ACCOUNT.account_id)
    fresh = Person(settings["homeserver_url"], f"ben{time.time_ns()}")
    with contextlib.closing(fresh):
        send = vendor.connector.outbound.send
        for n in range(2):
            await send(changed(outbound(vendor, f"{n}"), address=fresh.user), attempt(key=f"b{n}"))
        (room,) = await asyncio.to_thread(fresh.join_invited)
        seen = await asyncio.to_thread(fresh.seen, room)
        assert [each["content"]["body"] for each in seen] == ["0", "1"]


async def test_what_people_do_is_read(vendor: MatrixVendor) -> None:
    person, room = vendor.person, vendor.room
    first = await asyncio.to_thread(person.say, room, "Guten Tag")
    relation = {"rel_type": "m.replace", "event_id": first}
    newer = {"msgtype": "m.text", "body": "Gruezi"}
    edit = {
        "msgtype": "m.text",
        "body": "* Gruezi",
        "m.new_content": newer,
        "m.relates_to": relation,
    }
    await asyncio.to_thread(person.say, room, edit)
    like = {"m.relates_to": {"rel_type": "m.annotation", "event_id": first, "key": "👍"}}
    await asyncio.to_thread(person.say, room, like, "m.reaction")
    await asyncio.to_thread(person.say, room, {"question": "?"}, "org.example.poll")
    uri = await asyncio.to_thread(person.upload, "a.pdf", b"%PDF", "application/pdf")
    info = {"mimetype": "application/pdf", "size": 4}
    paper = {"msgtype": "m.file", "body": "a.pdf", "url": uri, "info": info}
    await asyncio.to_thread(person.say, room, paper)
    await asyncio.to_thread(person.take_back, room, first)
    (edited,) = await vendor.events(Edited)
    assert (edited.text, edited.external_id) == ("Gruezi", first)
    (liked,) = await vendor.events(Reaction)
    assert (liked.emoji, liked.external_id) == ("👍", first)
    (gone,) = await vendor.events(Deleted)
    assert gone.external_id == first
    assert [each.type_name for each in await vendor.events(Unknown)] == ["org.example.poll"]
    messages = await vendor.events(MessageIn)
    (file,) = messages[-1].attachments
    assert await vendor.connector.inbound.fetch_media(ACCOUNT, file.ref) == b"%PDF"


async def test_files_replies_and_reactions_reach_the_person(vendor: MatrixVendor) -> None:
    out, base = vendor.connector.outbound, outbound(vendor, "see this")
    asked = await vendor.client_writes("what?")
    photo = outbound_file("a.png", "image/png", b"\x89PNG")
    sent = await out.send(
        changed(base, attachments=(photo,), quote_external_id=asked), attempt(key="f1")
    )
    await out.react(ACCOUNT, vendor.address, asked, "👍")
    await out.typing(ACCOUNT, vendor.address, True)
    await out.mark_read(ACCOUNT, vendor.address, asked, {})
    (seen,) = await asyncio.to_thread(vendor.person.seen, vendor.room)
    assert seen["content"]["filename"] == "a.png"
    assert seen["content"]["m.relates_to"]["m.in_reply_to"]["event_id"] == asked
    (liked,) = await asyncio.to_thread(vendor.person.seen, vendor.room, "m.reaction")
    assert liked["content"]["m.relates_to"]["key"] == "👍"
    await out.delete(base, sent.external_id, attempt(key="f2"))
    (redacted,) = await asyncio.to_thread(vendor.person.seen, vendor.room)
    assert redacted["content"] == {}


async def test_reactions_are_taken_back_on_either_side(vendor: MatrixVendor) -> None:
    person, out = vendor.person, vendor.connector.outbound
    asked = await vendor.client_writes("what?")
    for emoji in ("👍", "👍", "", "🎉"):  # twice the same is as good as once
        await out.react(ACCOUNT, vendor.address, asked, emoji)
    seen = await asyncio.to_thread(person.seen, vendor.room, "m.reaction")
    standing = [each["content"]["m.relates_to"]["key"] for each in seen if each["content"]]
    assert standing == ["🎉"]
    sent = await out.send(outbound(vendor), attempt(key="r1"))
    like = {"rel_type": "m.annotation", "event_id": sent.external_id, "key": "👍"}
    reaction = await asyncio.to_thread(
        person.say, vendor.room, {"m.relates_to": like}, "m.reaction"
    )
    (liked,) = await vendor.events(Reaction)
    assert (liked.external_id, liked.emoji) == (sent.external_id, "👍")
    await asyncio.to_thread(person.take_back, vendor.room, reaction)
    async with asyncio.timeout(60):
        while (last := (await vendor.events(Reaction))[-1]).emoji:
            await asyncio.sleep(0.05)
    assert last.external_id == sent.external_id


async def test_a_room_of_three_is_one_conversation_and_no_chat_of_two(
    vendor: MatrixVendor,
) -> None:
    settings = vendor.context.settings_of(ACCOUNT.account_id)
    third = Person(settings["homeserver_url"], f"cem{time.time_ns()}")
    with contextlib.closing(third):
        room = await asyncio.to_thread(vendor.person.meet, FIRM_USER, third.user)
        await asyncio.to_thread(third.join_invited)
        async with asyncio.timeout(60):
            while not {FIRM_USER, third.user} <= set(
                await asyncio.to_thread(vendor.person.members, room)
            ):
                await vendor.connector.inbound.poll(ACCOUNT, "")
        await vendor.connector.inbound.poll(ACCOUNT, "")
        await asyncio.to_thread(vendor.person.name_room, room, "Family")
        (named,) = await vendor.named(room)
        assert named.name == "Family"
        await asyncio.to_thread(vendor.person.say, room, "to you all")
        message = (await vendor.events(MessageIn))[-1]
        assert (message.text, message.chat) == ("to you all", room)
        answer = changed(outbound(vendor, "to you both"), id_type="chat", address=room)
        await vendor.connector.outbound.send(answer, attempt(key="g1"))
        seen = await asyncio.to_thread(third.seen, room)
        assert [each["content"]["body"] for each in seen][-1] == "to you both"
        assert await vendor.received_texts() == [], "the chat of two heard nothing of it"


async def test_too_large_a_text_is_the_messages_own_fault(vendor: MatrixVendor) -> None:
    with pytest.raises(faults.ContentInvalid):
        await vendor.connector.outbound.send(outbound(vendor, "x" * 70_000), attempt())


async def test_a_wrong_token_pauses_the_account(homeserver: str, hook: Hook) -> None:
    async with VendorHttp() as http:
        settings = {"homeserver_url": homeserver, "user_id": FIRM_USER}
        settings |= {"as_token": "x", "hs_token": "y"}
        context = ChannelContext(lambda _: settings, http, lambda: 1)
        (line,) = await load_module("matrix").check(context, ACCOUNT)
        assert not line.ok
        assert "paused" in line.words
