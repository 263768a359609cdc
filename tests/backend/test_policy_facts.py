"""The facts only the backend knows: reach, gifts, accounts; and those of the own book alone.

It never fakes a part: it drives the real application over the real encrypted database.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import httpx
import msgspec
import pytest
from sqlalchemy import Connection

from backend.delivery.claims import claim_heads
from backend.delivery.loading import load
from backend.directory.client_accounts import set_accounts
from backend.directory.gifts import gifts_of_year, record_gift
from backend.directory.people import read_me
from backend.directory.points import PointAddress
from backend.directory.templates import set_template
from backend.directory.wall_groups import set_group, set_group_wall, set_membership
from backend.governance.facts import Content, Ground, ground_of
from backend.inbox.rendering import read_conversation
from contract.ids import AttachmentId
from contract.policy.evaluate import evaluate
from contract.policy.facts import account_hash
from contract.policy.model import Action
from contract.supervision import AccountKeys, Template, TemplateList
from contract.wire import Channel
from tests.backend.policies import small_policy, under
from tests.backend.test_uploads import send, state_of
from tests.backend.workspace import (
    ELENA,
    FIRM,
    KENTA,
    SOFIA,
    Workspace,
    client_of,
    draft,
    open_workspace,
    submit,
)

OFFER = "Dear {}, our new fund of funds opens on Monday and pays a fair coupon each year."
THIRTY_ONE_DAYS_MS = 31 * 86_400_000


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Yield an open workspace under a small policy."""
    async with open_workspace(tmp_path) as opened:
        yield under(opened, small_policy())


async def chats(workspace: Workspace, count: int) -> list[str]:
    """Return conversations with as many retail clients, all on Signal."""
    made = []
    for number in range(count):
        point = PointAddress(Channel.SIGNAL, "uuid", f"7b0f6c1e-0000-4000-8000-{number:012}")
        message = await workspace.inbound(f"Hello {number}", account="acc-signal", point=point)
        made.append(await workspace.conversation_of(message))
    await workspace.services.database.write(
        lambda c: c.exec_driver_sql("UPDATE contacts SET retail = 1, version = version + 1")
    )
    return [str(each) for each in made]


async def contact_of(workspace: Workspace, chat: str) -> str:
    """Return the client of a conversation."""
    query = f"SELECT contact_id FROM conversation_contacts WHERE conversation_id = '{chat}'"
    return str(await workspace.scalar(query))


async def ground(
    workspace: Workspace, chat: str, content: Content | None = None, *, in_ms: int = 0
) -> Ground:
    """Return what a decision on a text by Elena would rest on now, or later."""
    now, said = workspace.clock() + in_ms, content or Content(text="Hello")

    def look(connection: Connection) -> Ground:
        me = read_me(connection, ELENA)
        assert me is not None
        conversation = read_conversation(connection, ELENA, chat)
        assert conversation is not None
        return ground_of(connection, me, conversation, said, now)

    return await workspace.services.database.read(look)


async def test_one_text_to_many_retail_clients_needs_approval(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    rooms = await chats(workspace, 4)
    states = []
    for number, room in enumerate(rooms[:3]):
        text = OFFER.format(f"Client{number}")
        answer = await submit(client, room, draft(text, clock=workspace.clock))
        states.append(answer.json()["message"]["state"])
    assert states == ["archived", "archived", "held"]
    # The same person again is nobody new; another text counts for itself.
    again = await submit(client, rooms[0], draft(OFFER.format("again"), clock=workspace.clock))
    assert again.json()["message"]["state"] == "archived"
    other = "A quite different note about the papers that you asked me for last week."
    answer = await submit(client, rooms[3], draft(other, clock=workspace.clock))
    assert answer.json()["message"]["state"] == "archived"
    workspace.clock.at_utc_ms += THIRTY_ONE_DAYS_MS
    answer = await submit(client, rooms[3], draft(OFFER.format("X"), clock=workspace.clock))
    assert answer.json()["message"]["state"] == "archived"


async def brochure(client: httpx.AsyncClient, key: str) -> AttachmentId:
    """Upload a file that is the same each time."""
    content = b"Our new fund of funds opens on Monday."
    command = {
        "name": "fund.txt",
        "media_type": "text/plain",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    headers = {"Idempotency-Key": key}
    made = state_of(await client.post("/v1/attachments", json=command, headers=headers))
    assert state_of(await send(client, made.attachment_id, 0, content)).complete
    return made.attachment_id


async def test_one_file_to_many_retail_clients_needs_approval_however_short_its_words(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    states = []
    for number, room in enumerate(await chats(workspace, 3)):
        file = await brochure(client, f"up-{number}")
        words = ("Hello!", "Look at this.", "")[number]
        command = draft(words, clock=workspace.clock, attachment_ids=(file,))
        states.append((await submit(client, room, command)).json()["message"]["state"])
    assert states == ["archived", "archived", "held"]


async def test_a_text_said_to_go_to_many_needs_approval_for_the_first_of_them_too(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    (room,) = await chats(workspace, 1)
    states = []
    for several in (2, 3):  # the limit is 2
        command = draft(OFFER.format(several), clock=workspace.clock, several=several)
        states.append((await submit(client, room, command)).json()["message"]["state"])
    assert states == ["archived", "held"]


async def test_accounts_reach_their_own_book_alone(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    hana = str(await workspace.conversation_of(await workspace.inbound("Good morning")))
    sofia = str(
        await workspace.conversation_of(
            await workspace.inbound("Hello", account="acc-signal", point=SOFIA)
        )
    )
    numbers = {hana: "CH93 0076 2011 6238 5295 7", sofia: "12-345-678"}
    for chat, number in numbers.items():
        contact_id, now = await contact_of(workspace, chat), workspace.clock()
        await workspace.services.database.write(
            partial(
                set_accounts,
                contact_id=contact_id,
                numbers=[number],
                actor_id="compliance",
                now_utc_ms=now,
            )
        )
    answer = await client.get("/v1/policy/accounts")
    keys = msgspec.json.decode(answer.content, type=AccountKeys)
    expected = {chat: (account_hash(keys.key, number),) for chat, number in numbers.items()}
    assert (keys.version, keys.hashes) == (2, expected)
    async with client_of(workspace, KENTA) as kenta:
        theirs = msgspec.json.decode(
            (await kenta.get("/v1/policy/accounts")).content, type=AccountKeys
        )
    assert theirs.hashes == {}
    facts = (await ground(workspace, hana)).facts
    assert facts.accounts.client_hashes == frozenset(expected[hana])
    assert facts.accounts.book == ((expected[sofia][0], sofia),)
    assert facts.accounts.firm_hashes == {expected[hana][0], expected[sofia][0]}
    ours = msgspec.structs.replace(facts.accounts, firm_hashes=frozenset())
    assert facts.for_client().accounts == ours
    stored = str(await workspace.scalar("SELECT group_concat(account_hash) FROM client_accounts"))
    assert "12345678" not in stored


async def test_gifts_of_this_year_count(workspace: Workspace) -> None:
    chat = str(await workspace.conversation_of(await workspace.inbound("Good morning")))
    contact_id, now = await contact_of(workspace, chat), workspace.clock()
    for given_at_utc_ms in (now, now - 366 * 86_400_000):
        await workspace.services.database.write(
            partial(
                record_gift,
                contact_id=contact_id,
                employee_id=ELENA,
                amount_minor=12_500,
                currency="usd",
                given_at_utc_ms=given_at_utc_ms,
                now_utc_ms=now,
            )
        )
    given = await workspace.services.database.read(lambda c: gifts_of_year(c, [contact_id], now))
    assert given == ((contact_id, 12_500, "USD"),)
    facts = (await ground(workspace, chat)).facts
    assert facts.gifts.given == given
    assert facts.for_client().gifts.given == ()


async def test_book_holds_names_and_is_kept_until_it_changes(workspace: Workspace) -> None:
    chat = str(await workspace.conversation_of(await workspace.inbound("Good morning")))
    first = (await ground(workspace, chat)).facts.book
    assert [(one.name, one.conversation_id) for one in first.names] == [("Hana Watanabe", chat)]
    assert (await ground(workspace, chat)).facts.book is first
    await workspace.inbound("Hello", account="acc-signal", point=SOFIA)
    assert len((await ground(workspace, chat)).facts.book.names) == 2


async def test_template_goes_through_a_closed_window_only_when_filled_in(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    chat = str(await workspace.conversation_of(await workspace.inbound("Good morning")))
    template = Template(
        template_id="t1",
        channel=Channel.WHATSAPP,
        language="en",
        name="callback",
        body="Hello {{1}}, may I call you at {{2}}?",
        parameters=2,
    )
    await workspace.services.database.write(lambda c: set_template(c, FIRM, template))
    answer = await client.get("/v1/templates", params={"channel": "whatsapp"})
    assert msgspec.json.decode(answer.content, type=TemplateList).templates == (template,)
    assert (await client.get("/v1/templates", params={"channel": "sms"})).json() == {
        "templates": []
    }
    workspace.clock.at_utc_ms += 2 * 86_400_000
    text = "Hello Hana, may I call you at 3?"
    assert (await submit(client, chat, draft(text, clock=workspace.clock))).status_code == 403
    filled = draft(text, template_id="t1", clock=workspace.clock)
    assert (await submit(client, chat, filled)).status_code == 201
    now = workspace.clock()
    (claim,) = await workspace.services.database.write(
        lambda connection: claim_heads(connection, "worker", frozenset(), 8, now)
    )
    loaded = await workspace.services.database.read(lambda connection: load(connection, claim))
    assert (loaded.template_id, loaded.as_archived) == ("t1", True)
    other = draft("Buy now!", template_id="t1", clock=workspace.clock)
    assert (await submit(client, chat, other)).status_code == 400


async def test_mentions_forwards_and_delegates_meet_the_same_walls(workspace: Workspace) -> None:
    hana_chat = str(await workspace.conversation_of(await workspace.inbound("Good morning")))
    sofia_chat = str(
        await workspace.conversation_of(
            await workspace.inbound("Hello", account="acc-signal", point=SOFIA)
        )
    )
    hana = await contact_of(workspace, hana_chat)
    sofia = await contact_of(workspace, sofia_chat)
    now = workspace.clock()

    def build(connection: Connection) -> None:
        for group_id, kind, member_id in (
            ("deal", "contact", sofia),
            ("deal", "employee", KENTA),
            ("public", "contact", hana),
        ):
            set_group(connection, FIRM, group_id, group_id, "compliance", now)
            set_membership(
                connection,
                FIRM,
                group_id=group_id,
                member_kind=kind,
                member_id=member_id,
                member=True,
                actor_id="compliance",
                now_utc_ms=now,
            )
        set_group_wall(
            connection,
            FIRM,
            from_group_id="deal",
            to_group_id="public",
            both_ways=False,
            up=True,
            actor_id="compliance",
            now_utc_ms=now,
        )

    await workspace.services.database.write(build)
    server = workspace.services.policy.server
    denied = (
        Content(text="As she said", mentions=(sofia,)),
        Content(text="As she said", forwarded_from=(sofia,)),
        Content(text="For Kenta", on_behalf_of=KENTA),
    )
    for content in denied:
        found = evaluate(server, *(await ground(workspace, hana_chat, content)))
        assert found.action is Action.BLOCK, content
    for chat, content in ((hana_chat, Content(text="Hello")), (sofia_chat, denied[2])):
        assert evaluate(server, *(await ground(workspace, chat, content))).action is Action.ALLOW
    backwards = Content(text="As she said", forwarded_from=(hana,))
    assert evaluate(server, *(await ground(workspace, sofia_chat, backwards))).findings == ()
    await workspace.services.database.write(
        lambda c: c.exec_driver_sql(
            "INSERT INTO conversation_contacts"
            " (conversation_id, contact_point_id, contact_id, firm_id, position)"
            f" SELECT '{hana_chat}', contact_point_id, contact_id, firm_id, 1"
            f" FROM conversation_contacts WHERE conversation_id = '{sofia_chat}'"
        )
    )
    assert evaluate(server, *(await ground(workspace, hana_chat))).action is Action.BLOCK


async def test_decision_for_a_later_time_sees_the_window_of_then(workspace: Workspace) -> None:
    chat = str(await workspace.conversation_of(await workspace.inbound("Good morning")))
    server = workspace.services.policy.server
    assert evaluate(server, *(await ground(workspace, chat))).action is Action.ALLOW
    later = evaluate(server, *(await ground(workspace, chat, in_ms=2 * 86_400_000)))
    assert [finding.rule_id for finding in later.findings] == ["windows.closed"]
