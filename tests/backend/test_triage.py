"""A pooled number finds the employee by (number, contact); strangers wait in an owned queue.

It never fakes a part: it drives the real application over the real encrypted database.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
from sqlalchemy import Connection, insert, select, update

from backend.directory.account_changes import set_member, set_owner
from backend.directory.client_book import NewClient, add_client
from backend.directory.consents import record_consent
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
from contract.wire import Channel, ConsentKind, ConsentStatus, ContactPage, Me, MessagePage
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


@pytest.fixture
async def hana(workspace: Workspace) -> str:
    """Return the id of a client in Kenta's book alone, who is reached on Signal so far."""

    def add(connection: Connection) -> str:
        new = NewClient(
            display_name="Hana Watanabe",
            points=(PointAddress(Channel.SIGNAL, "uuid", "hana-signal"),),
            employees=(KENTA,),
        )
        return add_client(connection, FIRM, new, "admin", 1)

    return await workspace.services.database.write(add)


async def consents_of(workspace: Workspace, contact_id: str) -> dict[tuple[str, str], str]:
    """Return how a client's consents stand, by kind and channel."""
    sql = "SELECT kind, channel, status FROM consents WHERE contact_id = ?"
    return await workspace.services.database.read(
        lambda c: {(r[0], r[1]): r[2] for r in c.exec_driver_sql(sql, (contact_id,))}
    )


async def answers(workspace: Workspace, contact_id: str, status: ConsentStatus) -> None:
    """Note what somebody answered about recording on WhatsApp."""
    await workspace.services.database.write(
        lambda c: record_consent(
            c,
            contact_id=contact_id,
            kind=ConsentKind.RECORDING,
            status=status,
            channel=Channel.WHATSAPP,
            actor_id=contact_id,
            at_utc_ms=5,
            now_utc_ms=5,
        )
    )


async def stranger_of(workspace: Workspace, home: str) -> str:
    """Return the contact that a conversation is with."""
    sql = f"SELECT contact_id FROM conversation_contacts WHERE conversation_id = '{home}'"
    return str(await workspace.scalar(sql))


async def test_a_sender_who_is_a_client_becomes_that_client(
    workspace: Workspace, hana: str
) -> None:
    home = await workspace.conversation_of(await workspace.inbound("New number!", point=STRANGER))
    was = await stranger_of(workspace, home)
    await answers(workspace, was, ConsentStatus.ACCEPTED)
    async with client_of(workspace, KENTA) as kenta:
        (item,) = (await queue(kenta)).items
        answer = await act(kenta, item, "claim", contact_id=hana)
        assert answer.status_code == 200, answer.text
        assert msgspec.json.decode(answer.content, type=TriageItem).title == "Hana Watanabe"
        again = await act(kenta, item, "claim", contact_id=hana)
        assert again.content == answer.content, "the same key decides once"
        book = msgspec.json.decode((await kenta.get("/v1/contacts")).content, type=ContactPage)
        (client,) = book.contacts
        assert (client.contact_id, len(client.points)) == (hana, 2)
    assert await members(workspace, home) == [KENTA]
    assert await stranger_of(workspace, home) == hana
    assert await consents_of(workspace, hana) == {("recording", "whatsapp"): "accepted"}
    assert await workspace.scalar(f"SELECT count(*) FROM contacts WHERE contact_id = '{was}'") == 0
    told = await bodies(workspace, KENTA)
    titles = [b.conversation.title for b in told if isinstance(b, ConversationUpserted)]
    assert titles[-1] == "Hana Watanabe"
    entries = select(tables.archive_bodies.c.body).join(
        tables.archive_entries,
        tables.archive_entries.c.entry_id == tables.archive_bodies.c.entry_id,
    )
    this = entries.where(tables.archive_entries.c.kind == "triage")
    body = await workspace.services.database.read(lambda c: c.execute(this).scalar_one())
    assert json.loads(body) == {
        "account": "acc-wa",
        "action": "claim",
        "client": hana,
        "note": "",
        "to": KENTA,
        "was": was,
    }
    await workspace.inbound("It is me", point=STRANGER)
    assert await stranger_of(workspace, home) == hana
    async with client_of(workspace, KENTA) as kenta:
        assert (await queue(kenta)).pending == 0


async def test_of_two_answers_about_consent_the_stricter_one_stays(
    workspace: Workspace, hana: str
) -> None:
    home = await workspace.conversation_of(await workspace.inbound("STOP it", point=STRANGER))
    await answers(workspace, await stranger_of(workspace, home), ConsentStatus.REFUSED)
    await answers(workspace, hana, ConsentStatus.ACCEPTED)
    async with client_of(workspace, KENTA) as kenta:
        (item,) = (await queue(kenta)).items
        assert (await act(kenta, item, "claim", contact_id=hana)).status_code == 200
    assert await consents_of(workspace, hana) == {("recording", "whatsapp"): "refused"}

    other = PointAddress(Channel.WHATSAPP, "phone", "+819000000556")
    home = await workspace.conversation_of(await workspace.inbound("Hi", point=other))
    await answers(workspace, await stranger_of(workspace, home), ConsentStatus.ACCEPTED)
    async with client_of(workspace, KENTA) as kenta:
        (item,) = (await queue(kenta)).items
        assert (await act(kenta, item, "claim", "k2", contact_id=hana)).status_code == 200
    assert await consents_of(workspace, hana) == {("recording", "whatsapp"): "refused"}


async def test_a_sender_is_linked_to_a_client_of_the_own_book_alone(
    workspace: Workspace, hana: str
) -> None:
    home = await workspace.conversation_of(await workspace.inbound("Hello", point=STRANGER))
    was = await stranger_of(workspace, home)
    write = workspace.services.database.write

    def wall(connection: Connection, employee_id: str, up: bool) -> None:
        set_wall(
            connection, employee_id=employee_id, contact_id=hana, up=up, actor_id="x", now_utc_ms=1
        )

    async with client_of(workspace, KENTA) as kenta:
        (item,) = (await queue(kenta)).items

        async def status(key: str, action: str = "claim", **fields: str) -> int:
            return (await act(kenta, item, action, key, **fields)).status_code

        assert await status("k1", contact_id="nobody") == 404
        assert await status("k2", "dismiss", contact_id=hana, note="spam") == 400
        await write(lambda c: wall(c, KENTA, True))
        assert await status("k3", contact_id=hana) == 404
        await write(lambda c: wall(c, KENTA, False))
        # A colleague whom a wall parts from the client does not get the conversation either.
        await write(lambda c: wall(c, ELENA, True))
        assert await status("k4", "assign", employee_id=ELENA, contact_id=hana) == 400
        assert await stranger_of(workspace, home) == was, "what is refused changes nothing"
        # Somebody's client is no stranger: the two are not joined by an owner's word.
        await write(lambda c: add_to_book(c, FIRM, ELENA, was))
        assert await status("k5", contact_id=hana) == 409
        assert (await queue(kenta)).pending == 1
