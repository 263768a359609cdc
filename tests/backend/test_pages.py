"""Pages go from key to key: nothing twice, nothing missing, nothing of others.

It never fakes a part: it drives the real application over the real encrypted database.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest

from backend.directory.points import PointAddress
from backend.inbox.history import record_history
from contract.states import DeliveryState
from contract.wire import (
    Channel,
    ContactPage,
    ConversationPage,
    Direction,
    MessagePage,
    Origin,
    SnapshotPage,
)
from tests.backend.workspace import ELENA, KENTA, Workspace, client_of, open_workspace

CLIENTS = 7
MESSAGES_EACH = 5


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Yield a workspace with seven chats of five messages."""
    async with open_workspace(tmp_path) as opened:
        for number in range(CLIENTS * MESSAGES_EACH):
            point = PointAddress(Channel.WHATSAPP, "phone", f"+1555000{number % CLIENTS}")
            await opened.inbound(f"Message {number}", point=point)
        yield opened


async def all_snapshot_pages(client: httpx.AsyncClient, limit: int) -> list[SnapshotPage]:
    """Read a snapshot to its end."""
    pages: list[SnapshotPage] = []
    cursor = ""
    while not pages or cursor:
        asked = {"limit": str(limit), "cursor": cursor}
        answer = await client.get("/v1/sync/snapshot", params=asked)
        assert answer.status_code == 200, answer.text
        pages.append(msgspec.json.decode(answer.content, type=SnapshotPage))
        cursor = pages[-1].next_cursor
        assert len(pages) < 100
    return pages


@pytest.mark.parametrize("limit", [1, 3, 7, 14, 500])
async def test_snapshot_holds_everything_once_in_order(
    client: httpx.AsyncClient, limit: int
) -> None:
    pages = await all_snapshot_pages(client, limit)
    contacts = [one.contact_id for page in pages for one in page.contacts]
    chats = [one for page in pages for one in page.conversations]
    messages = [one for page in pages for one in page.messages]
    assert len(contacts) == len(set(contacts)) == CLIENTS
    assert len({one.conversation_id for one in chats}) == len(chats) == CLIENTS
    assert len({one.message_id for one in messages}) == len(messages) == 35
    places = [(one.place_at_utc_ms, one.place_index) for one in messages]
    assert places == sorted(places, reverse=True)
    activity = [one.last_activity_utc_ms for one in chats]
    assert activity == sorted(activity, reverse=True)
    assert {page.seq for page in pages} == {pages[0].seq}
    assert (pages[0].total_messages, pages[0].total_conversations) == (35, CLIENTS)
    stages = "".join(
        "v" * len(page.conversations) + "c" * len(page.contacts) + "m" * len(page.messages)
        for page in pages
    )
    assert stages == "v" * CLIENTS + "c" * CLIENTS + "m" * 35


async def test_what_changes_during_a_snapshot_comes_by_the_stream(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    first = (await client.get("/v1/sync/snapshot", params={"limit": 20})).json()
    late = await workspace.inbound("While you paged")
    events = (await client.get(f"/v1/events/poll?after={first['seq']}&wait_s=0")).json()
    told = [one["body"]["message"]["message_id"] for one in events["events"][-1:]]
    assert told == [late]


async def test_lists_page_by_key(client: httpx.AsyncClient) -> None:
    async def walk(path: str, kind: type[msgspec.Struct], field: str) -> list[str]:
        found: list[str] = []
        cursor = ""
        while True:
            answer = await client.get(path, params={"limit": "2", "cursor": cursor})
            page = msgspec.json.decode(answer.content, type=kind)
            found += [getattr(one, field) for one in getattr(page, kind.__struct_fields__[0])]
            cursor = getattr(page, "next_cursor", "")
            if not cursor:
                return found

    chats = await walk("/v1/conversations", ConversationPage, "conversation_id")
    assert len(set(chats)) == len(chats) == CLIENTS
    contacts = await walk("/v1/contacts", ContactPage, "contact_id")
    assert len(set(contacts)) == len(contacts) == CLIENTS
    path = f"/v1/conversations/{chats[0]}/messages"
    messages = await walk(path, MessagePage, "message_id")
    assert len(set(messages)) == len(messages) == MESSAGES_EACH


async def test_others_see_nothing(workspace: Workspace, client: httpx.AsyncClient) -> None:
    page = (await all_snapshot_pages(client, 500))[0]
    ids = {
        "conversations": page.conversations[0].conversation_id,
        "messages": page.messages[0].message_id,
        "contacts": page.contacts[0].contact_id,
    }
    async with client_of(workspace, KENTA) as stranger:
        theirs = (await all_snapshot_pages(stranger, 500))[0]
        assert (theirs.contacts, theirs.conversations, theirs.messages) == ((), (), ())
        for kind, one in ids.items():
            assert (await stranger.get(f"/v1/{kind}/{one}")).status_code == 404
        messages = f"/v1/conversations/{ids['conversations']}/messages"
        assert (await stranger.get(messages)).status_code == 404


async def test_history_stands_where_it_happened_and_is_imported_once(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    chat = (await all_snapshot_pages(client, 500))[0].conversations[-1]
    for _ in range(2):
        await workspace.services.database.write(
            lambda connection: record_history(
                connection,
                conversation_id=chat.conversation_id,
                direction=Direction.OUT,
                author_id=ELENA,
                author_name="Elena Marchetti",
                text="Long ago",
                at_utc_ms=1_000,
                now_utc_ms=workspace.clock(),
                external_id="old-1",
                origin=Origin.IMPORTED,
                state=DeliveryState.READ,
            )
        )
    answer = await client.get(f"/v1/conversations/{chat.conversation_id}/messages")
    messages = msgspec.json.decode(answer.content, type=MessagePage).messages
    assert len(messages) == MESSAGES_EACH + 1
    assert messages[-1].text == "Long ago"
    read = await client.get(f"/v1/conversations/{chat.conversation_id}")
    assert read.json()["preview"]["text"] != "Long ago"
    assert read.json()["awaiting"] is True


@pytest.mark.parametrize("cursor", ["x", "AAAA", "W10", "WyJtIiwxXQ", "é", "W" * 5_000])
async def test_cursor_made_elsewhere_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    for path in ("/v1/sync/snapshot", "/v1/conversations", "/v1/contacts"):
        answer = await client.get(path, params={"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


async def test_read_mark_moves_forward_only(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    chat = (await all_snapshot_pages(client, 500))[0].conversations[0]
    assert chat.unread_count == MESSAGES_EACH
    path = f"/v1/conversations/{chat.conversation_id}"

    async def mark(upto: int, key: str) -> int:
        answer = await client.post(
            f"{path}/read", json={"upto_utc_ms": upto}, headers={"Idempotency-Key": key}
        )
        assert answer.status_code == 200, answer.text
        return int(answer.json().get("seq", 0))

    seq = await mark(chat.last_activity_utc_ms, "read-1")
    assert "unread_count" not in (await client.get(path)).json()
    assert await mark(chat.last_activity_utc_ms, "read-1") == seq
    assert await mark(5, "read-2") == seq
    assert await mark(2**53, "read-3") > seq
    await workspace.inbound(
        "New", point=PointAddress(Channel.WHATSAPP, "phone", f"+1555000{CLIENTS - 1}")
    )
    assert (await client.get(path)).json()["unread_count"] == 1
