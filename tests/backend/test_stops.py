"""Queued messages meet today's walls and consents before they leave; opt-outs stop them at once.

It never fakes a part: it drives the real application over the real encrypted database.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import httpx
import msgspec
import pytest

from backend.archive.entries import entries_of_message
from backend.delivery.claims import claim_heads, next_work
from backend.delivery.loading import load
from backend.delivery.opting_out import OptOut, opt_out
from backend.delivery.optout import LAW, opt_out_source
from backend.directory.walls import set_wall
from backend.governance.stops import OPTED_OUT, stop_if_forbidden
from contract.events import EVENT_DECODER, ConversationUpserted, MessageUpserted
from contract.states import DeliveryState
from contract.wire import Channel, ConsentStatus, Message, Submitted
from tests.backend.policies import audited, small_policy, under
from tests.backend.workspace import (
    ELENA,
    TOKENS,
    Workspace,
    client_of,
    draft,
    open_workspace,
    served,
    submit,
)

SIX_MINUTES_MS = 6 * 60_000
Body = TypeVar("Body", ConversationUpserted, MessageUpserted)


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Yield an open workspace under a small policy."""
    async with open_workspace(tmp_path) as opened:
        yield under(opened, small_policy())


@pytest.fixture
async def chat(workspace: Workspace) -> str:
    """Return the conversation with a client who has just written."""
    return await workspace.conversation_of(await workspace.inbound("Good morning"))


async def queued(workspace: Workspace, chat: str, text: str = "One moment, please.") -> str:
    """Submit a message that waits for a worker."""
    async with client_of(workspace) as elena:
        answer = await submit(elena, chat, draft(text, clock=workspace.clock))
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.content, type=Submitted).message.message_id


async def client_id(workspace: Workspace) -> str:
    """Return the client of the only conversation."""
    return str(await workspace.scalar("SELECT contact_id FROM conversation_contacts"))


async def wall(workspace: Workspace, contact_id: str) -> None:
    """Put a wall between Elena and a client."""
    await workspace.services.database.write(
        lambda connection: set_wall(
            connection,
            employee_id=ELENA,
            contact_id=contact_id,
            up=True,
            actor_id="compliance",
            now_utc_ms=workspace.clock(),
        )
    )


async def recheck(workspace: Workspace, message_id: str) -> bool:
    """Do what a worker does before it claims."""
    database, policy, now = (
        workspace.services.database,
        workspace.services.policy,
        workspace.clock(),
    )
    due = await database.read(lambda c: next_work(c, frozenset(), now, limit=8))
    assert message_id in [head.message_id for head in due.heads]
    return await database.write(lambda c: stop_if_forbidden(c, policy, message_id, now))


async def shown(workspace: Workspace, message_id: str) -> Message:
    """Read a message as Elena sees it."""
    async with client_of(workspace) as elena:
        answer = await elena.get(f"/v1/messages/{message_id}")
    return msgspec.json.decode(answer.content, type=Message)


async def leave(workspace: Workspace, chat: str, *, confirm: bool = True) -> bool:
    """Have the client opt out of the channel."""
    now, contact_id = workspace.clock(), await client_id(workspace)
    left = OptOut(
        contact_id=contact_id,
        conversation_id=chat,
        channel=Channel.WHATSAPP,
        source=LAW,
        at_utc_ms=now,
    )
    return await workspace.services.database.write(
        lambda connection: opt_out(connection, left, now, confirm=confirm)
    )


async def test_message_without_objection_is_left_alone(workspace: Workspace, chat: str) -> None:
    message_id = await queued(workspace, chat)
    assert not await recheck(workspace, message_id)
    assert (await shown(workspace, message_id)).state is DeliveryState.ARCHIVED


@pytest.mark.parametrize("reason", ["wall", "opt-out"])
async def test_typing_is_not_told_to_whom_nothing_may_be_written(
    workspace: Workspace, chat: str, reason: str
) -> None:
    async with client_of(workspace) as client:
        path, headers = f"/v1/conversations/{chat}/typing", {"Idempotency-Key": "t"}
        for at_last in (False, True):
            answer = await client.post(path, json={"typing": True}, headers=headers)
            assert answer.status_code == 200
            if at_last:
                break
            if reason == "wall":
                await wall(workspace, await client_id(workspace))
            else:
                await leave(workspace, chat)
    assert len(workspace.typing) == 1


async def test_wall_of_today_stops_a_queued_message(workspace: Workspace, chat: str) -> None:
    message_id = await queued(workspace, chat)
    await wall(workspace, await client_id(workspace))
    assert await recheck(workspace, message_id)
    message = await shown(workspace, message_id)
    assert (message.state, message.state_detail) == (
        DeliveryState.FAILED,
        "Not allowed with this client",
    )
    entries = await workspace.services.database.read(
        lambda connection: entries_of_message(connection, message_id)
    )
    assert [entry.kind for entry in entries] == ["message_out", "stopped"]
    assert await workspace.scalar("SELECT state FROM jobs") == "done"
    await audited(workspace)


async def test_window_counts_as_before_the_message_used_it_up(
    workspace: Workspace, chat: str
) -> None:
    await workspace.services.database.write(
        lambda c: c.exec_driver_sql("UPDATE conversations SET window_messages_left = 1")
    )
    message_id = await queued(workspace, chat)
    assert await workspace.scalar("SELECT window_messages_left FROM conversations") == 0
    assert not await recheck(workspace, message_id)
    async with client_of(workspace) as elena:
        answer = await submit(elena, chat, draft("One more", clock=workspace.clock))
    assert answer.json()["findings"][0]["rule_id"] == "windows.closed"


async def test_opt_out_stops_the_queue_and_is_confirmed_once(
    workspace: Workspace, chat: str
) -> None:
    message_id = await queued(workspace, chat)
    assert await leave(workspace, chat)
    assert not await leave(workspace, chat)
    stopped = await shown(workspace, message_id)
    assert (stopped.state, stopped.state_detail) == (DeliveryState.FAILED, OPTED_OUT)
    kinds = "SELECT count(*) FROM archive_entries WHERE kind = 'consent'"
    assert await workspace.scalar(kinds) == 2
    confirmation = str(await workspace.scalar("SELECT message_id FROM optout_confirmations"))
    assert "unsubscribed" in (await shown(workspace, confirmation)).text
    await workspace.sealing.sealed()
    assert not await recheck(workspace, confirmation)
    now = workspace.clock()
    (claim,) = await workspace.services.database.write(
        lambda connection: claim_heads(connection, "worker", frozenset(), 8, now)
    )
    loaded = await workspace.services.database.read(lambda connection: load(connection, claim))
    assert (loaded.consented, loaded.as_archived) == (True, True)
    async with client_of(workspace) as elena:
        answer = await submit(elena, chat, draft("Are you sure?", clock=workspace.clock))
    assert answer.json()["findings"][0]["rule_id"] == "consent.opted-out"
    await audited(workspace)


async def test_late_confirmation_is_not_sent(workspace: Workspace, chat: str) -> None:
    await leave(workspace, chat)
    await workspace.sealing.sealed()
    workspace.clock.at_utc_ms += SIX_MINUTES_MS
    confirmation = str(await workspace.scalar("SELECT message_id FROM optout_confirmations"))
    assert await recheck(workspace, confirmation)
    assert (await shown(workspace, confirmation)).state is DeliveryState.EXPIRED


def test_words_of_the_law_count_without_a_bundle_and_only_for_texts() -> None:
    bundle = small_policy().server
    assert opt_out_source(bundle, "STOP", Channel.SMS) == LAW
    assert opt_out_source(bundle, "STOP", Channel.WHATSAPP) is None


async def test_wall_and_consent_reach_a_client_over_http_unasked(
    workspace: Workspace, chat: str
) -> None:
    contact_id = await client_id(workspace)
    async with served(workspace) as url:
        headers = {"Authorization": f"Bearer {TOKENS[ELENA]}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
            answer = await submit(client, chat, draft("One moment.", clock=workspace.clock))
        message_id = msgspec.json.decode(answer.content, type=Submitted).message.message_id
        async with (
            httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client,
            client.stream("GET", "/v1/events") as stream,
        ):
            lines = stream.aiter_lines()
            assert await anext(lines) == ": open"
            await wall(workspace, contact_id)
            async with asyncio.timeout(60):
                walled = await _until(lines, ConversationUpserted)
            assert walled.conversation.walled
            assert walled.conversation.facts_version > 0
            await leave(workspace, chat, confirm=False)
            async with asyncio.timeout(60):
                stopped = await _until(lines, MessageUpserted)
            assert (stopped.message.message_id, stopped.message.state) == (
                message_id,
                DeliveryState.FAILED,
            )
            contact = (await client.get(f"/v1/contacts/{contact_id}")).json()
            states = {consent["status"] for consent in contact["consents"]}
            assert states == {ConsentStatus.OPTED_OUT.value}


async def _until(lines: AsyncIterator[str], kind: type[Body]) -> Body:
    async for line in lines:
        if line.startswith("data:"):
            body = EVENT_DECODER.decode(line.removeprefix("data:").strip()).body
            if isinstance(body, kind):
                return body
    raise AssertionError("the stream ended")
