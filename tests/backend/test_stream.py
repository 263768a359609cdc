"""The event stream resumes without loss, beats while nothing happens, and says when it can't go on.

It never fakes a part: it drives a real server over loopback.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from backend.inbox.events import trim_events
from contract.events import EVENT_DECODER, ClientTyping, Event, EventPage, MessageUpserted
from contract.ids import ConversationId, EmployeeId
from tests.backend.workspace import ELENA, TOKENS, Workspace, served


@pytest.fixture
async def client(workspace: Workspace) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of a real server, signed in as Elena."""
    async with served(workspace) as url:
        headers = {"Authorization": f"Bearer {TOKENS[ELENA]}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as opened:
            yield opened


class Frames:
    """Reads a stream frame by frame."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()

    async def next_frame(self) -> dict[str, str]:
        """Return the fields of the next frame; a comment has the empty name."""
        fields: dict[str, str] = {}
        async for line in self._lines:
            if not line:
                return fields
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        raise AssertionError("the stream ended")

    async def next_event(self) -> Event:
        """Return the next event, skipping comments."""
        async with asyncio.timeout(60):
            while True:
                frame = await self.next_frame()
                if "data" in frame:
                    event = EVENT_DECODER.decode(frame["data"])
                    assert frame.get("id", "0") == str(event.seq)
                    return event


async def page(client: httpx.AsyncClient, after: int, wait_s: float = 0) -> EventPage:
    """Ask for events by long polling."""
    answer = await client.get("/v1/events/poll", params={"after": after, "wait_s": wait_s})
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=EventPage)


async def test_stream_resumes_after_the_last_event_without_loss(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    await workspace.inbound("One")
    seen: list[Event] = []
    async with client.stream("GET", "/v1/events", headers={"Last-Event-ID": "0"}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        frames = Frames(answer)
        seen += [await frames.next_event() for _ in range(5)]
        await workspace.inbound("Two")
        seen += [await frames.next_event() for _ in range(3)]
    await workspace.inbound("Three")
    last = {"Last-Event-ID": str(seen[-1].seq)}
    async with client.stream("GET", "/v1/events", headers=last) as answer:
        frames = Frames(answer)
        seen += [await frames.next_event() for _ in range(3)]
    assert [event.seq for event in seen] == list(range(1, 12))
    told = [event.body.message for event in seen if isinstance(event.body, MessageUpserted)]
    for sealed in (False, True):
        texts = [message.text for message in told if (message.archive is not None) is sealed]
        assert texts == ["One", "Two", "Three"]


async def test_position_of_another_history_is_gone(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    await workspace.inbound("One")
    told = (await client.get("/v1/capabilities")).json()["history_id"]
    assert len(told) == 32
    asked = {"after": 0, "wait_s": 0}
    for path in ("/v1/events/poll", "/v1/sync/positions", "/v1/events"):
        gone = await client.get(path, params={**asked, "history": "f" * 32})
        assert (gone.status_code, gone.json()["code"]) == (410, "cursor_gone")
        async with client.stream("GET", path, params={**asked, "history": told}) as answer:
            assert answer.status_code == 200


async def test_quiet_stream_beats(client: httpx.AsyncClient) -> None:
    async with client.stream("GET", "/v1/events") as answer:
        frames = Frames(answer)
        async with asyncio.timeout(60):
            comments = [(await frames.next_frame())[""] for _ in range(3)]
    assert comments == ["open", "heartbeat", "heartbeat"]


async def test_typing_passes_without_a_number(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    body = ClientTyping(conversation_id=ConversationId("c"), typing=True)
    async with client.stream("GET", "/v1/events") as answer:
        frames = Frames(answer)
        await frames.next_frame()
        await frames.next_frame()  # a heartbeat: the stream listens by now
        workspace.services.notifier.publish_passing(EmployeeId(ELENA), body)
        event = await frames.next_event()
    assert (event.seq, event.body) == (0, body)


@pytest.mark.parametrize("path", ["/v1/events", "/v1/events/poll"])
async def test_cursor_too_old_or_never_reached_is_gone(
    workspace: Workspace, client: httpx.AsyncClient, path: str
) -> None:
    for text in ("One", "Two"):
        await workspace.inbound(text)
    await workspace.services.database.write(
        lambda connection: trim_events(connection, ELENA, keep=2)
    )
    for position in (0, 5, 9, 10**18):
        answer = await client.get(path, headers={"Last-Event-ID": str(position)})
        assert answer.status_code == 410, position
        assert answer.json()["code"] == "cursor_gone"
    assert len((await page(client, 6)).events) == 2


async def test_position_that_is_no_number_is_refused(client: httpx.AsyncClient) -> None:
    for position in ("-1", "x", "1.5", "9" * 30):
        answer = await client.get("/v1/events", headers={"Last-Event-ID": position})
        assert answer.status_code == 400


async def test_long_polling_wakes_on_commit(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    nothing = await page(client, 1)
    assert nothing == EventPage(events=(), last_seq=1)
    waiting = asyncio.create_task(page(client, 1, wait_s=30))
    await asyncio.sleep(0)
    await workspace.inbound("Wake up")
    async with asyncio.timeout(60):
        woken = await waiting
    assert [event.seq for event in woken.events][:3] == [2, 3, 4]
    assert woken.last_seq >= 4
