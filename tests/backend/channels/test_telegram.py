"""Telegram's connector against the published Bot API, served on loopback.

It never starts the independent peer, which the channels' own suite does: here every request is
checked field by field against the API's machine-readable description.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from backend.channels import faults
from backend.channels.contract import Account, Connector, Polled, RawItem
from backend.channels.events import (
    ChatNamed,
    ConnectionChange,
    ConsentChange,
    Deleted,
    Edited,
    IdentityChange,
    MessageEcho,
    MessageIn,
    Reaction,
    Receipt,
    Unknown,
)
from backend.channels.modules import ChannelContext, load_module
from backend.channels.vendor_http import VendorHttp
from contract.ids import AccountId
from contract.wire import Channel, IdempotencyClass, MessageKind
from tests.backend.channels.conformance import CONVERSATION, ConnectorConformance, attempt, outbound
from tests.backend.channels.making import changed, outbound_file
from tests.backend.channels.telegram_peer import CLIENT, TOKEN, TelegramPeer

ACCOUNT = Account(
    account_id=AccountId("tg-1"),
    channel=Channel.TELEGRAM,
    connector="telegram",
    idempotency=IdempotencyClass.NONE,
)
ADA = {"id": CLIENT, "is_bot": False, "first_name": "Ada"}
EMPLOYEE = {"id": 7, "is_bot": False, "first_name": "Elena"}
PRIVATE = {"id": CLIENT, "type": "private", "first_name": "Ada"}


class TelegramVendor:
    """The peer as the conformance run wants it."""

    address = str(CLIENT)

    def __init__(self, peer: TelegramPeer, http: VendorHttp, **settings: str) -> None:
        self.peer, self.account = peer, ACCOUNT
        self.now_utc_ms = time.time_ns() // 1_000_000
        given = {"bot_token": TOKEN, "api_url": peer.server.url} | settings
        self.context = ChannelContext(lambda _: given, http, lambda: self.now_utc_ms)
        self.connector: Connector = load_module("telegram").connect(self.context)

    async def received_texts(self) -> list[str]:
        return [values["text"] for values in self.peer.sent.values()]

    async def client_writes(self, text: str) -> str:
        return self.peer.writes(text)

    async def incoming(self, cursor: str) -> Polled:
        return await self.connector.inbound.poll(self.account, cursor)

    async def next_send(self, fault: type[faults.ChannelFault], *, lost: bool = False) -> bool:
        self.peer.next = fault
        return fault in self.peer.knows


@pytest.fixture
def peer() -> Iterator[TelegramPeer]:
    """Run the peer."""
    peer = TelegramPeer()
    with peer.server:
        yield peer


@pytest.fixture
async def vendor(peer: TelegramPeer) -> AsyncIterator[TelegramVendor]:
    """Return the connector over the running peer."""
    async with VendorHttp(verify=False) as http:
        yield TelegramVendor(peer, http)


class TestTelegramConformance(ConnectorConformance):
    """The suite that every connector passes."""


async def test_every_call_keeps_to_the_published_api(vendor: TelegramVendor) -> None:
    out, base = vendor.connector.outbound, outbound(vendor)
    photo, paper = outbound_file("a.jpg", "image/jpeg"), outbound_file("a.pdf", "application/pdf")
    sent = await out.send(changed(base, quote_external_id=f"{CLIENT}/5"), attempt())
    await out.send(changed(base, attachments=(photo,)), attempt())
    await out.send(changed(base, text="", attachments=(paper,)), attempt())
    await out.react(ACCOUNT, str(CLIENT), sent.external_id, "👍")
    await out.react(ACCOUNT, str(CLIENT), sent.external_id, "")
    await out.typing(ACCOUNT, str(CLIENT), True)
    await out.edit(changed(base, text="better"), sent.external_id, attempt())
    await out.delete(base, sent.external_id, attempt())
    names = [name for name, _ in vendor.peer.calls]
    assert names == [
        "sendMessage", "sendPhoto", "sendDocument", "setMessageReaction", "setMessageReaction",
        "sendChatAction", "editMessageText", "deleteMessage",
    ]  # fmt: skip
    assert vendor.peer.calls[1][1]["photo"] == b"bytes"


async def test_a_business_connection_writes_in_the_employees_name(peer: TelegramPeer) -> None:
    async with VendorHttp(verify=False) as http:
        vendor = TelegramVendor(peer, http, business_connection_id="bc-1")
        out = vendor.connector.outbound
        sent = await out.send(outbound(vendor), attempt())
        await out.mark_read(ACCOUNT, str(CLIENT), f"{CLIENT}/5", {})
        await out.delete(outbound(vendor), sent.external_id, attempt())
    assert [name for name, _ in peer.calls] == [
        "sendMessage", "readBusinessMessage", "deleteBusinessMessages",
    ]  # fmt: skip
    assert {values["business_connection_id"] for _, values in peer.calls} == {"bc-1"}


async def test_a_group_that_moved_is_followed(vendor: TelegramVendor) -> None:
    vendor.peer.moved_to = -100
    sent = await vendor.connector.outbound.send(outbound(vendor), attempt())
    assert sent.external_id.startswith("-100/")
    assert len(vendor.peer.sent) == 1


def parsed(vendor: TelegramVendor, **part: Any) -> tuple[Any, ...]:
    """Return the events of one update."""
    return vendor.connector.inbound.parse(ACCOUNT, vendor.peer.update(**part))


def said(**fields: Any) -> dict[str, Any]:
    """Return a message of Ada's."""
    return {"message_id": 5, "date": 1_749_416_383, "chat": PRIVATE, "from": ADA} | fields


def test_every_kind_of_update_is_read(vendor: TelegramVendor) -> None:
    linked = {"type": "text_link", "offset": 7, "length": 4, "url": "https://x.test"}
    (link,) = parsed(vendor, message=said(text="see 🙂 this", entities=[linked]))
    assert isinstance(link, MessageIn)
    assert link.text == "see 🙂 this (https://x.test)"
    sizes = [{"file_id": "s", "file_size": 1}, {"file_id": "l", "file_size": 9}]
    (photo,) = parsed(vendor, message=said(caption="the house", photo=sizes))
    assert isinstance(photo, MessageIn)
    assert (photo.text, photo.attachments[0].ref) == ("the house", "l")
    (edited,) = parsed(vendor, edited_message=said(text="new", edit_date=1_749_416_400))
    assert isinstance(edited, Edited)
    assert (edited.external_id, edited.at_utc_ms) == (f"{CLIENT}/5", 1_749_416_400_000)
    reaction: dict[str, Any] = {
        "chat": PRIVATE,
        "message_id": 5,
        "date": 1,
        "user": ADA,
        "old_reaction": [],
    }
    reaction["new_reaction"] = [{"type": "emoji", "emoji": "👍"}]
    (liked,) = parsed(vendor, message_reaction=reaction)
    assert isinstance(liked, Reaction)
    assert liked.emoji == "👍"
    member = {"chat": PRIVATE, "from": ADA, "date": 1, "new_chat_member": {"status": "kicked"}}
    (blocked,) = parsed(vendor, my_chat_member=member)
    assert isinstance(blocked, ConsentChange)
    (poll,) = parsed(vendor, message=said(poll={"id": "1"}))
    assert isinstance(poll, Unknown)
    assert poll.external_id == f"{CLIENT}/5"
    group = {"id": -9, "type": "group", "title": "Family"}
    (grouped,) = parsed(vendor, message=said(text="hi", chat=group))
    assert isinstance(grouped, MessageIn)
    assert grouped.chat_name == "Family"
    (renamed,) = parsed(vendor, message=said(chat=group, new_chat_title="Household"))
    assert isinstance(renamed, ChatNamed)
    assert (renamed.sender.address, renamed.name) == ("-9", "Household")
    assert (grouped.chat, grouped.sender.address) == ("-9", str(CLIENT))


async def test_numbers_that_begin_anew_are_taken_and_go_on_from_there(
    vendor: TelegramVendor,
) -> None:
    """Bot API, "Update": after a week without one the next number is chosen at random."""
    vendor.peer.from_head = True
    vendor.peer.updates = [{"update_id": n, "message": said(text=f"at {n}")} for n in (40, 41)]
    polled = await vendor.incoming("900000001")
    assert [item.dedupe_key for item in polled.items] == ["40", "41"]
    assert polled.cursor == "42", "asking with it makes Telegram forget these two"


def test_a_message_of_an_unknown_shape_is_shown_in_its_chat(vendor: TelegramVendor) -> None:
    (event,) = parsed(vendor, message=said(text={"new": "form"}))
    assert isinstance(event, Unknown)
    assert (event.sender.address, event.external_id) == (str(CLIENT), f"{CLIENT}/5")
    group = {"id": -9, "type": "group"}
    (event,) = parsed(vendor, message=said(text={"new": "form"}, chat=group))
    assert isinstance(event, Unknown)
    assert (event.chat, event.sender.address) == ("-9", str(CLIENT))
    strange = said(text={"new": "form"}, business_connection_id="bc-9")
    (event,) = parsed(vendor, business_message=strange)
    assert event.sender.address == "", "not of a connection that this account serves"


@pytest.fixture
async def in_business(peer: TelegramPeer) -> AsyncIterator[TelegramVendor]:
    """Return the connector of an employee's own account."""
    async with VendorHttp(verify=False) as http:
        yield TelegramVendor(peer, http, business_connection_id="bc-1")


def test_business_chats_tell_whose_words_they_are(in_business: TelegramVendor) -> None:
    vendor, words = in_business, {"business_connection_id": "bc-1", "text": "hi"}
    (client,) = parsed(vendor, business_message=said(**words))
    assert isinstance(client, MessageIn)
    (own,) = parsed(vendor, business_message=said(**words | {"from": EMPLOYEE}))
    assert isinstance(own, MessageEcho)
    assert own.sender.address == str(CLIENT)
    poll = {"business_connection_id": "bc-1", "poll": {"id": "1"}, "from": EMPLOYEE}
    (asked,) = parsed(vendor, business_message=said(**poll))
    assert isinstance(asked, MessageEcho), "never taken for the client's: it opens no window"
    assert (asked.kind, asked.text) == (MessageKind.UNSUPPORTED, "message")
    bot = {"from": EMPLOYEE, "sender_business_bot": {"id": 1, "is_bot": True}}
    (ours,) = parsed(vendor, business_message=said(**words | bot))
    assert isinstance(ours, Receipt)
    gone = {"business_connection_id": "bc-1", "chat": PRIVATE, "message_ids": [5, 6]}
    deleted = parsed(vendor, deleted_business_messages=gone)
    assert all(isinstance(each, Deleted) for each in deleted)
    assert [each.external_id for each in deleted] == [f"{CLIENT}/5", f"{CLIENT}/6"]


@pytest.mark.parametrize(
    ("enabled", "rights", "connected"),
    [
        (True, {"can_reply": True}, True),
        (True, {"can_read_messages": True}, False),
        (True, None, False),
        (False, {"can_reply": True}, False),
    ],
)
def test_a_connection_without_the_right_to_reply_is_no_connection(
    in_business: TelegramVendor, enabled: bool, rights: dict[str, bool] | None, connected: bool
) -> None:
    told = {"id": "bc-1", "user": EMPLOYEE, "user_chat_id": 7, "date": 1, "is_enabled": enabled}
    told |= {"rights": rights} if rights is not None else {}
    (connection,) = parsed(in_business, business_connection=told)
    assert isinstance(connection, ConnectionChange)
    assert connection.connected is connected
    assert connected or connection.detail.endswith("."), "in words: it is why the account pauses"


def test_nobody_elses_connection_changes_or_fills_an_account(
    vendor: TelegramVendor, in_business: TelegramVendor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    ended = {"id": "bc-9", "user": EMPLOYEE, "user_chat_id": 7, "date": 1, "is_enabled": False}
    strange = said(business_connection_id="bc-9", text="private")
    for account in (vendor, in_business):
        for part in ({"business_connection": ended}, {"business_message": strange}):
            (event,) = parsed(account, **part)
            assert isinstance(event, Unknown)
            assert event.sender.address == "", "kept as bytes, shown to nobody"
    (plain,) = parsed(in_business, message=said(text="to the bot itself"))
    assert isinstance(plain, Unknown)
    offered = [record for record in caplog.records if "business connection" in record.message]
    assert {getattr(record, "connection_id", "") for record in offered} == {"bc-9"}


def test_what_a_connection_can_do_is_not_what_a_bot_can(
    vendor: TelegramVendor, in_business: TelegramVendor
) -> None:
    bot = vendor.connector.outbound.capabilities(ACCOUNT, CONVERSATION)
    business = in_business.connector.outbound.capabilities(ACCOUNT, CONVERSATION)
    assert (bot.mark_read, bot.reactions, bot.groups, bot.window) == (False, True, True, None)
    assert (business.mark_read, business.reactions, business.groups) == (True, False, False)
    assert business.window is not None
    assert business.window.seconds == 86_400


async def test_what_is_off_is_refused_with_the_reason(
    vendor: TelegramVendor, in_business: TelegramVendor
) -> None:
    with pytest.raises(faults.Unsupported, match="can't mark messages as read"):
        await vendor.connector.outbound.mark_read(ACCOUNT, str(CLIENT), f"{CLIENT}/5", {})
    with pytest.raises(faults.Unsupported, match="can't react"):
        await in_business.connector.outbound.react(ACCOUNT, str(CLIENT), f"{CLIENT}/5", "👍")


def test_a_group_that_moved_goes_on_under_its_new_id(vendor: TelegramVendor) -> None:
    group = {"id": -9, "type": "group", "title": "Family"}
    for message in (
        said(chat=group, migrate_to_chat_id=-1009),
        said(chat={"id": -1009, "type": "supergroup"}, migrate_from_chat_id=-9),
    ):
        (moved,) = parsed(vendor, message=message)
        assert isinstance(moved, IdentityChange)
        assert (moved.sender.id_type, moved.sender.address) == ("chat", "-9")
        assert moved.new_address == "-1009"


@pytest.mark.parametrize(
    "notice",
    [
        {"new_chat_members": [ADA]},
        {"left_chat_member": ADA},
        {"group_chat_created": True},
        {"pinned_message": {"message_id": 1, "date": 0, "chat": PRIVATE}},
    ],
)
def test_a_chats_own_notices_are_no_messages(
    vendor: TelegramVendor, notice: dict[str, Any]
) -> None:
    (event,) = parsed(vendor, message=said(**notice))
    assert isinstance(event, Unknown)
    assert event.sender.address == ""


async def test_the_words_under_a_file_are_changed_as_a_caption(vendor: TelegramVendor) -> None:
    out, base = vendor.connector.outbound, outbound(vendor, "better")
    photo = outbound_file("a.jpg", "image/jpeg")
    sent = await out.send(changed(base, attachments=(photo,)), attempt())
    await out.edit(changed(base, attachments=(photo,)), sent.external_id, attempt())
    assert vendor.peer.calls[-1][0] == "editMessageCaption"


@pytest.mark.parametrize(("can_reply", "good"), [(True, True), (False, False)])
async def test_the_guided_check_looks_at_the_connections_rights(
    in_business: TelegramVendor, can_reply: bool, good: bool
) -> None:
    in_business.peer.rights = {"can_reply": can_reply}
    lines = await load_module("telegram").check(in_business.context, ACCOUNT)
    assert [line.step for line in lines] == ["credentials", "business connection", "updates"]
    assert lines[1].ok is good


async def test_a_webhook_is_believed_by_its_secret(peer: TelegramPeer) -> None:
    async with VendorHttp(verify=False) as http:
        vendor = TelegramVendor(peer, http, secret_token="a word")
        body = json.dumps({"update_id": 1}).encode()
        header = "x-telegram-bot-api-secret-token"
        verify = vendor.connector.inbound.verify
        assert verify(ACCOUNT, RawItem(dedupe_key="1", body=body, headers={header: "a word"}))
        assert not verify(ACCOUNT, RawItem(dedupe_key="1", body=body, headers={header: "a guess"}))
        assert not verify(ACCOUNT, RawItem(dedupe_key="1", body=body))
        with pytest.raises(TimeoutError):  # nothing is asked for: updates come by themselves
            async with asyncio.timeout(0.05):
                await vendor.incoming("")
        assert peer.calls == []


async def test_files_are_fetched_and_those_too_large_are_told(vendor: TelegramVendor) -> None:
    assert await vendor.connector.inbound.fetch_media(ACCOUNT, "f") == b"the file's bytes"
    with pytest.raises(faults.ContentInvalid):
        await vendor.connector.inbound.fetch_media(ACCOUNT, "gone")


async def test_the_guided_check_names_the_bot(vendor: TelegramVendor) -> None:
    lines = await load_module("telegram").check(vendor.context, ACCOUNT)
    assert [line.ok for line in lines] == [True, True]
    assert "@bank_bot" in lines[0].words
