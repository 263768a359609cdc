"""A pooled number finds the employee by (number, contact); strangers wait in an owned queue.

It never fakes a part: it drives the real application over the real encrypted database.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
from sqlalchemy import Connection, insert, update

from backend.directory.account_changes import set_member, set_owner
from backend.directory.points import PointAddress
from backend.directory.walls import set_wall
from backend.inbox.conversations import add_to_book
from backend.inbox.events import read_events
from backend.storage import tables
from contract.events import (
    AccessRevoked,
    ConversationUpserted,
    EventBody,
    MessageUpserted,
    TriageChanged,
)
from contract.triage import TriageItem, TriagePage, TriageState
from contract.wire import Channel, Me, MessagePage
from tests.backend.workspace import (
    AUDITOR,
    ELENA,
    FIRM,
    HANA,
    KENTA,
    Workspace,
    client_of,
    open_workspace,
)

STRANGER = PointAddress(Channel.WHATSAPP, "phone", "+819000000555")


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Yield a workspace whose WhatsApp number is pooled; Kenta owns its unknown senders."""
    async with open_workspace(tmp_path) as opened:
        await opened.services.database.write(_pool)
        yield opened


def _pool(connection: Connection) -> None:
    accounts = tables.channel_accounts
    connection.execute(
        update(accounts).where(accounts.c.account_id == "acc-wa").values(pooled=True)
    )
    set_member(connection, "acc-wa", KENTA, True, "admin", 1)
    set_owner(connection, "acc-wa", KENTA, True, "admin", 1)


async def queue(client: httpx.AsyncClient, state: str = "") -> TriagePage:
    """Read the asker's queue."""
    answer = await client.get("/v1/triage", params={"state": state} if state else {})
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=TriagePage)


async def act(
    client: httpx.AsyncClient, item: TriageItem, action: str, key: str = "k", **fields: str
) -> httpx.Response:
    """Decide on an unknown sender."""
    return await client.post(
        f"/v1/triage/{item.conversation_id}/actions",
        json={"action": action, **fields},
        headers={"Idempotency-Key": key},
    )


async def bodies(workspace: Workspace, employee_id: str) -> list[EventBody]:
    """Return an employee's events."""
    events = await workspace.services.database.read(
        lambda connection: read_events(connection, employee_id, 0, 500)
    )
    return [msgspec.json.decode(event.body, type=EventBody) for event in events]


async def members(workspace: Workspace, conversation_id: str) -> list[str]:
    """Return who takes part in a conversation."""
    sql = "SELECT employee_id FROM conversation_members WHERE conversation_id = ? ORDER BY 1"
    return await workspace.services.database.read(
        lambda c: [row[0] for row in c.exec_driver_sql(sql, (conversation_id,))]
    )


async def test_pooled_number_gives_a_contact_to_whoever_has_them_in_the_book(
    workspace: Workspace,
) -> None:
    def known(connection: Connection) -> None:
        connection.execute(
            insert(tables.contacts).values(contact_id="hana", firm_id=FIRM, display_name="Hana")
        )
        connection.execute(
            insert(tables.contact_points).values(
                contact_point_id="hana-wa",
                firm_id=FIRM,
                contact_id="hana",
                channel=HANA.channel,
                id_type=HANA.id_type,
                address=HANA.address,
                label="…",
            )
        )
        add_to_book(connection, FIRM, ELENA, "hana")

    await workspace.services.database.write(known)
    home = await workspace.conversation_of(await workspace.inbound("Good morning"))
    assert await members(workspace, home) == [ELENA]
    async with client_of(workspace, KENTA) as kenta:
        assert not (await queue(kenta)).items


async def test_unknown_sender_waits_for_the_owner_and_is_nobody_elses(workspace: Workspace) -> None:
    home = await workspace.conversation_of(await workspace.inbound("Who are you?", point=STRANGER))
    await workspace.inbound("Hello?", point=STRANGER)
    assert await members(workspace, home) == []
    async with client_of(workspace) as elena, client_of(workspace, KENTA) as kenta:
        page = await queue(kenta)
        (item,) = page.items
        assert (page.pending, page.owner, item.label) == (1, True, "…0555")
        assert [message.text for message in item.messages] == ["Who are you?", "Hello?"]
        assert {one.employee_id for one in item.candidates} == {ELENA, KENTA}
        assert not (await queue(elena)).owner
        assert (await act(elena, item, "claim")).status_code == 404
        assert (await elena.get(f"/v1/conversations/{home}/messages")).status_code == 404
    told = [b.pending for b in await bodies(workspace, KENTA) if isinstance(b, TriageChanged)]
    assert told[-2:] == [1, 1]
    elenas = await bodies(workspace, ELENA)
    assert not [b for b in elenas if isinstance(b, TriageChanged) and b.pending]


async def test_assigned_sender_arrives_with_all_messages_and_comes_back_to_the_same_person(
    workspace: Workspace,
) -> None:
    home = await workspace.conversation_of(await workspace.inbound("Who are you?", point=STRANGER))
    async with client_of(workspace) as elena, client_of(workspace, KENTA) as kenta:
        (item,) = (await queue(kenta)).items
        answer = await act(kenta, item, "assign", employee_id=ELENA)
        assert answer.status_code == 200, answer.text
        decided = msgspec.json.decode(answer.content, type=TriageItem)
        assert (decided.state, decided.assigned_to) == (TriageState.ASSIGNED, ELENA)
        assert (await act(kenta, item, "claim", key="other")).status_code == 409
        read = await elena.get(f"/v1/conversations/{home}/messages")
        page = msgspec.json.decode(read.content, type=MessagePage)
        assert [message.text for message in page.messages] == ["Who are you?"]
    await workspace.inbound("Thank you", point=STRANGER)
    seen = await bodies(workspace, ELENA)
    homes = [b.conversation.conversation_id for b in seen if isinstance(b, ConversationUpserted)]
    assert set(homes) == {home}
    texts = [b.message.text for b in seen if isinstance(b, MessageUpserted)]
    assert (texts[0], "Thank you" in texts) == ("Who are you?", True)
    assert await members(workspace, home) == [ELENA]
    entry = "SELECT count(*) FROM archive_entries WHERE kind = 'triage'"
    assert await workspace.scalar(entry) == 1


async def test_dismissed_sender_stays_in_the_archive_and_is_back_when_writing_again(
    workspace: Workspace,
) -> None:
    await workspace.inbound("Buy now", point=STRANGER)
    async with client_of(workspace, KENTA) as kenta:
        (item,) = (await queue(kenta)).items
        assert (await act(kenta, item, "dismiss")).status_code == 400
        answer = await act(kenta, item, "dismiss", note="advertising")
        assert answer.status_code == 200, answer.text
        assert (await queue(kenta)).pending == 0
        (gone,) = (await queue(kenta, "dismissed")).items
        assert (gone.note, gone.messages[0].text) == ("advertising", "Buy now")
        await workspace.inbound("It is really Hana", point=STRANGER)
        (back,) = (await queue(kenta)).items
        assert [message.text for message in back.messages] == ["Buy now", "It is really Hana"]
    count = "SELECT count(*) FROM archive_entries WHERE kind = 'message_in'"
    assert await workspace.scalar(count) == 2


async def test_nobody_behind_a_wall_is_given_a_sender(workspace: Workspace) -> None:
    await workspace.inbound("Hello", point=STRANGER)
    contact = str(await workspace.scalar("SELECT contact_id FROM contacts"))
    await workspace.services.database.write(
        lambda c: set_wall(
            c, employee_id=ELENA, contact_id=contact, up=True, actor_id="x", now_utc_ms=1
        )
    )
    async with client_of(workspace, KENTA) as kenta:
        (item,) = (await queue(kenta)).items
        assert [one.employee_id for one in item.candidates] == [KENTA]
        assert (await act(kenta, item, "assign", employee_id=ELENA)).status_code == 400
        assert (await act(kenta, item, "assign", employee_id=AUDITOR)).status_code == 400
        await workspace.services.database.write(
            lambda c: set_wall(
                c, employee_id=KENTA, contact_id=contact, up=True, actor_id="x", now_utc_ms=2
            )
        )
        assert (await queue(kenta)).pending == len((await queue(kenta)).items) == 0
        assert (await act(kenta, item, "claim", key="k2")).status_code == 404


async def test_leaving_an_account_hands_its_conversations_to_triage(workspace: Workspace) -> None:
    home = await workspace.conversation_of(await workspace.inbound("Hello", account="acc-signal"))

    def leave(connection: Connection) -> None:
        for employee_id in (ELENA, AUDITOR):
            set_member(connection, "acc-signal", employee_id, False, "admin", 9)

    await workspace.services.database.write(leave)
    assert await members(workspace, home) == []
    assert any(isinstance(b, AccessRevoked) for b in await bodies(workspace, ELENA))
    state = f"SELECT state FROM triage_items WHERE conversation_id = '{home}'"
    assert await workspace.scalar(state) == "open"
    async with client_of(workspace) as elena:
        me = msgspec.json.decode((await elena.get("/v1/me")).content, type=Me)
    assert "acc-signal" not in [account.account_id for account in me.accounts]
