"""Shows that a client whose position is no longer kept learns what changed, and only that.

It does not test how the client fetches it.
"""

from __future__ import annotations

import httpx

from backend.inbox.events import stream_position, trim_events
from tests.backend.workspace import (
    ELENA,
    NATIVE_PRIYA,
    SOFIA,
    Workspace,
)


async def _positions(client: httpx.AsyncClient, after: int) -> dict[str, object]:
    answer = await client.get("/v1/sync/positions", params={"after": after})
    assert answer.status_code == 200, answer.text
    told: dict[str, object] = answer.json()
    return told


async def test_only_conversations_with_later_events_have_changed(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    hana = await workspace.conversation_of(await workspace.inbound("one"))
    sofia = await workspace.conversation_of(
        await workspace.inbound("two", account="acc-signal", point=SOFIA)
    )
    database = workspace.services.database
    before = await database.read(lambda c: stream_position(c, ELENA))
    await workspace.inbound("three", account="acc-signal", point=SOFIA)
    newest = await database.read(lambda c: stream_position(c, ELENA))
    await database.write(lambda c: trim_events(c, ELENA, 0))
    gone = await client.get("/v1/events/poll", params={"after": before, "wait_s": 0})
    assert gone.status_code == 410
    told = await _positions(client, before)
    assert told["seq"] == newest
    assert told["changed"] == {sofia: newest}
    assert told["others"] == [hana]


async def test_unreached_position_is_gone(workspace: Workspace, client: httpx.AsyncClient) -> None:
    await workspace.inbound("one", account="acc-imessage", point=NATIVE_PRIYA)
    answer = await client.get("/v1/sync/positions", params={"after": 10**9})
    assert answer.status_code == 410
