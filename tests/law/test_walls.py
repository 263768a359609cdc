"""Rule 14: walls go by group pair and direction, and are judged anew whenever people or words move.

It does not test how walls are administered; tests/backend/test_group_walls.py does.
"""

from __future__ import annotations

from functools import partial

import httpx
from sqlalchemy import Connection

from backend.directory.people import read_me
from backend.directory.wall_groups import set_group, set_group_wall, set_membership
from backend.governance.facts import Content, ground_of
from backend.inbox.rendering import read_conversation
from contract.policy.evaluate import evaluate
from contract.policy.model import Action, Decision
from tests.backend.workspace import ELENA, FIRM, KENTA, POLICY, SOFIA, Workspace
from tests.law.conftest import contact_of, rules_of, send

OFFICER = "emp-auditor"
WALL = "walls.recipient"


def build(connection: Connection, now_utc_ms: int) -> None:
    """Let no words go from the group `private` to the group `public`."""
    for group_id in ("private", "public"):
        set_group(connection, FIRM, group_id, group_id, OFFICER, now_utc_ms)
    set_group_wall(
        connection,
        FIRM,
        from_group_id="private",
        to_group_id="public",
        both_ways=False,
        up=True,
        actor_id=OFFICER,
        now_utc_ms=now_utc_ms,
    )


async def join(
    workspace: Workspace, group_id: str, kind: str, member_id: str, *, member: bool = True
) -> None:
    """Take an employee or a contact into a group, or out of it."""
    await workspace.services.database.write(
        lambda connection: set_membership(
            connection,
            FIRM,
            group_id=group_id,
            member_kind=kind,
            member_id=member_id,
            member=member,
            actor_id=OFFICER,
            now_utc_ms=workspace.clock(),
        )
    )


async def judged(workspace: Workspace, chat: str, content: Content) -> Decision:
    """Decide as the backend does on content with mentions, forwarded words or a delegator."""

    def work(connection: Connection) -> Decision:
        me = read_me(connection, ELENA)
        conversation = read_conversation(connection, ELENA, chat)
        assert me is not None
        assert conversation is not None
        ground = ground_of(connection, me, conversation, content, workspace.clock())
        return evaluate(POLICY.server, *ground)

    return await workspace.services.database.read(work)


def walled(decision: Decision) -> bool:
    """Tell whether the wall decides, and that its words name nobody."""
    found = [finding for finding in decision.findings if finding.rule_id == WALL]
    assert all("Sofia" not in one.message + one.detail for one in found)
    return bool(found) and decision.action is Action.BLOCK


async def test_rule_14_a_wall_follows_group_pair_direction_and_membership(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    """Exchange Act 15(g), MAR 9, MiFID II 23: denied at once, in its direction alone."""
    contact_id = await contact_of(workspace, chat)
    await workspace.services.database.write(partial(build, now_utc_ms=workspace.clock()))
    await join(workspace, "public", "employee", ELENA)
    await join(workspace, "private", "contact", contact_id)
    assert (await send(workspace, client, chat, "Good morning")).status_code == 201
    await join(workspace, "public", "employee", ELENA, member=False)
    await join(workspace, "private", "employee", ELENA)
    await join(workspace, "private", "contact", contact_id, member=False)
    await join(workspace, "public", "contact", contact_id)
    denied = await send(workspace, client, chat, "Good morning")
    assert (denied.status_code, rules_of(denied)[0]) == (403, WALL)
    await join(workspace, "private", "employee", ELENA, member=False)
    assert (await send(workspace, client, chat, "Good morning")).status_code == 201


async def test_rule_14_mentions_and_forwarded_words_are_judged_in_their_direction(
    workspace: Workspace, chat: str
) -> None:
    other = await workspace.conversation_of(
        await workspace.inbound("Hello", account="acc-signal", point=SOFIA)
    )
    hana, sofia = await contact_of(workspace, chat), await contact_of(workspace, other)
    await workspace.services.database.write(partial(build, now_utc_ms=workspace.clock()))
    await join(workspace, "private", "contact", sofia)
    await join(workspace, "public", "contact", hana)
    plain = Content(text="As discussed")
    assert not walled(await judged(workspace, chat, plain))
    for field in ("mentions", "forwarded_from"):
        toward = Content(**{"text": "As discussed", field: (sofia,)})  # type: ignore[arg-type] # by name
        back = Content(**{"text": "As discussed", field: (hana,)})  # type: ignore[arg-type] # by name
        assert walled(await judged(workspace, chat, toward))
        assert not walled(await judged(workspace, other, back))


async def test_rule_14_a_delegate_is_bound_by_the_walls_of_the_absent_colleague(
    workspace: Workspace, chat: str
) -> None:
    contact_id = await contact_of(workspace, chat)
    await workspace.services.database.write(partial(build, now_utc_ms=workspace.clock()))
    await join(workspace, "private", "employee", KENTA)
    await join(workspace, "public", "contact", contact_id)
    own = Content(text="Good morning")
    for_kenta = Content(text="Good morning", on_behalf_of=KENTA)
    assert not walled(await judged(workspace, chat, own))
    assert walled(await judged(workspace, chat, for_kenta))
