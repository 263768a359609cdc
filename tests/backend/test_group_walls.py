"""Walls between groups: who is denied, in which direction, and how soon clients hear of it.

It never fakes a part: it drives the real application over the real encrypted database.
"""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import Connection

from backend.directory.denials import denied_contacts, denied_words
from backend.directory.wall_groups import WallError, set_group, set_group_wall, set_membership
from backend.inbox.events import read_events, stream_position
from contract.events import ConversationUpserted, EventBody
from contract.wire import Conversation
from tests.backend.workspace import (
    ELENA,
    FIRM,
    SOFIA,
    Workspace,
    client_of,
    draft,
    submit,
)

COMPLIANCE = "emp-kenta"


def build(connection: Connection, now_utc_ms: int, *, both_ways: bool = False) -> None:
    """Put a wall from the group `research` to the group `deal`, both empty."""
    for group_id in ("research", "deal"):
        set_group(connection, FIRM, group_id, group_id, COMPLIANCE, now_utc_ms)
    set_group_wall(
        connection,
        FIRM,
        from_group_id="research",
        to_group_id="deal",
        both_ways=both_ways,
        up=True,
        actor_id=COMPLIANCE,
        now_utc_ms=now_utc_ms,
    )


async def join(workspace: Workspace, group_id: str, kind: str, member_id: str, on: bool) -> bool:
    """Take someone into a group, or out of it."""
    now = workspace.clock()
    return await workspace.services.database.write(
        lambda connection: set_membership(
            connection,
            FIRM,
            group_id=group_id,
            member_kind=kind,
            member_id=member_id,
            member=on,
            actor_id=COMPLIANCE,
            now_utc_ms=now,
        )
    )


async def contact_of(workspace: Workspace, conversation_id: str) -> str:
    """Return the client of a conversation."""
    return str(
        await workspace.scalar(
            f"SELECT contact_id FROM conversation_contacts "
            f"WHERE conversation_id = '{conversation_id}'"
        )
    )


async def test_membership_walls_a_conversation_at_once_and_lets_it_go_again(
    workspace: Workspace,
) -> None:
    chat = await workspace.conversation_of(await workspace.inbound("Good morning"))
    contact_id = await contact_of(workspace, chat)
    database = workspace.services.database
    await database.write(lambda c: build(c, workspace.clock()))
    assert await join(workspace, "research", "employee", ELENA, True)
    position = await database.read(lambda c: stream_position(c, ELENA))
    assert await join(workspace, "deal", "contact", contact_id, True)
    assert not await join(workspace, "deal", "contact", contact_id, True)
    (event,) = await database.read(lambda c: read_events(c, ELENA, position, 10))
    body = msgspec.json.decode(event.body, type=EventBody)
    assert isinstance(body, ConversationUpserted)
    assert body.conversation.walled
    version = body.conversation.facts_version
    async with client_of(workspace) as client:
        answer = await submit(client, chat, draft("Shall we speak at three?"))
        assert answer.status_code == 403
        assert answer.json()["findings"][0]["rule_id"] == "walls.recipient"
        assert await join(workspace, "research", "employee", ELENA, False)
        shown = msgspec.json.decode(
            (await client.get(f"/v1/conversations/{chat}")).content, type=Conversation
        )
        assert not shown.walled
        assert shown.facts_version > version
        assert (await submit(client, chat, draft("Shall we speak at three?"))).status_code == 201
    walls = "SELECT count(*) FROM archive_entries WHERE kind = 'wall'"
    assert await workspace.scalar(walls) == 6


@pytest.mark.parametrize("both_ways", [False, True])
async def test_direction_of_a_wall_counts(workspace: Workspace, both_ways: bool) -> None:
    chat = await workspace.conversation_of(await workspace.inbound("Good morning"))
    other = await workspace.conversation_of(
        await workspace.inbound("Hello", account="acc-signal", point=SOFIA)
    )
    hana, sofia = await contact_of(workspace, chat), await contact_of(workspace, other)
    database = workspace.services.database
    await database.write(lambda c: build(c, workspace.clock(), both_ways=both_ways))
    await join(workspace, "deal", "employee", ELENA, True)
    await join(workspace, "research", "contact", hana, True)
    await join(workspace, "deal", "contact", sofia, True)
    denied = await database.read(lambda c: denied_contacts(c, ELENA, [hana, sofia]))
    assert denied == (frozenset({hana}) if both_ways else frozenset())
    words = await database.read(lambda c: denied_words(c, [hana, sofia], [hana, sofia]))
    expected = {(hana, sofia), (sofia, hana)} if both_ways else {(hana, sofia)}
    assert words == expected


async def test_unknown_people_and_groups_are_refused(workspace: Workspace) -> None:
    await workspace.services.database.write(lambda c: build(c, workspace.clock()))
    for group_id, kind, member_id in (
        ("nowhere", "employee", ELENA),
        ("deal", "employee", "emp-nobody"),
        ("deal", "robot", ELENA),
    ):
        with pytest.raises(WallError):
            await join(workspace, group_id, kind, member_id, True)
