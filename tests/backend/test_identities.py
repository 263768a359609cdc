"""Identities on a channel: a second address is kept with the first, a group that moves goes on.

It never fakes a part: events are applied to the real database.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.channels import events
from backend.channels.contract import Account
from backend.delivery.applying import apply_event
from contract.ids import AccountId
from contract.wire import Channel, ConsentKind, ConsentStatus, IdempotencyClass
from tests.backend.workspace import HANA, Workspace, open_workspace

ACCOUNT = Account(
    account_id=AccountId("acc-wa"),
    channel=Channel.WHATSAPP,
    connector="sandbox",
    idempotency=IdempotencyClass.CLIENT_ECHO,
)
USER = ("user_id", "US.1349")
_POINTS = "SELECT count(DISTINCT contact_id) FROM contact_points WHERE address IN "


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Yield a workspace."""
    async with open_workspace(tmp_path) as opened:
        yield opened


async def happens(workspace: Workspace, event: events.InboundEvent) -> None:
    """Have the channel tell something."""
    now = workspace.clock()
    await workspace.services.database.write(
        lambda c: apply_event(c, ACCOUNT, event, (), now, now, lambda *_: None)
    )


def said(
    workspace: Workspace, number: str, sender: events.Sender, chat: str = ""
) -> events.MessageIn:
    """Return a client's message."""
    return events.MessageIn(
        dedupe_key=number,
        at_utc_ms=workspace.clock(),
        sender=sender,
        external_id=number,
        text=f"text of {number}",
        chat=chat,
    )


async def test_a_hidden_number_is_still_the_same_client(workspace: Workspace) -> None:
    both = events.Sender(id_type=HANA.id_type, address=HANA.address, also=USER)
    await happens(workspace, said(workspace, "w1", both))
    await happens(workspace, said(workspace, "w2", both))
    hidden = events.Sender(id_type=USER[0], address=USER[1])
    await happens(workspace, said(workspace, "w3", hidden))
    query = f"{_POINTS} ('{HANA.address}', '{USER[1]}')"
    assert await workspace.scalar(query) == 1
    authors = "SELECT count(DISTINCT author_id) FROM messages WHERE external_id IN ('w1', 'w3')"
    assert await workspace.scalar(authors) == 1


async def test_an_id_that_stands_with_another_contact_is_left_there(workspace: Workspace) -> None:
    hidden = events.Sender(id_type=USER[0], address=USER[1])
    await happens(workspace, said(workspace, "w1", hidden))
    both = events.Sender(id_type=HANA.id_type, address=HANA.address, also=USER)
    await happens(workspace, said(workspace, "w2", both))
    query = f"{_POINTS} ('{HANA.address}', '{USER[1]}')"
    assert await workspace.scalar(query) == 2, "people decide who is who, not a message"


async def test_a_group_that_moved_keeps_its_conversation(workspace: Workspace) -> None:
    ada = events.Sender(id_type="phone", address="+41790000001", name="Ada")
    await happens(workspace, said(workspace, "g1", ada, "-9"))
    for after in ("-1009", "-1009"):
        await happens(
            workspace,
            events.IdentityChange(
                dedupe_key=f"moved{after}",
                at_utc_ms=workspace.clock(),
                sender=events.Sender(id_type="chat", address="-9"),
                new_address=after,
            ),
        )
    await happens(workspace, said(workspace, "g2", ada, "-1009"))
    homes = "SELECT count(DISTINCT conversation_id) FROM messages WHERE external_id IN ('g1', 'g2')"
    assert await workspace.scalar(homes) == 1
    systems = "SELECT count(*) FROM messages WHERE kind = 'system' AND text LIKE '%identity%'"
    assert await workspace.scalar(systems) == 0


async def test_a_group_is_called_by_its_own_name_never_a_members(workspace: Workspace) -> None:
    ada = events.Sender(id_type="phone", address="+41790000001", name="Ada")
    await happens(workspace, said(workspace, "g1", ada, "-9"))
    title = "SELECT title FROM conversations WHERE is_group AND title LIKE "
    assert await workspace.scalar(title + "'Group %'") == "Group -9"
    named = events.ChatNamed(
        dedupe_key="n1",
        at_utc_ms=workspace.clock(),
        sender=events.Sender(id_type="chat", address="-9"),
        name="Family",
    )
    await happens(workspace, named)
    assert await workspace.scalar(title + "'Fam%'") == "Family"
    other = events.MessageIn(
        dedupe_key="g2",
        at_utc_ms=workspace.clock(),
        sender=ada,
        external_id="g2",
        text="hello",
        chat="-10",
        chat_name="Trustees",
    )
    await happens(workspace, other)
    assert await workspace.scalar(title + "'Tru%'") == "Trustees"
    authors = "SELECT count(*) FROM messages WHERE external_id IN ('g1', 'g2') AND author_name = "
    assert await workspace.scalar(authors + "'Ada'") == 2


async def test_a_persons_new_identity_is_said_in_the_conversation(workspace: Workspace) -> None:
    hana = events.Sender(id_type=HANA.id_type, address=HANA.address)
    await happens(
        workspace,
        events.IdentityChange(
            dedupe_key="i1", at_utc_ms=workspace.clock(), sender=hana, new_address="+41790000009"
        ),
    )
    query = "SELECT count(*) FROM messages WHERE kind = 'system' AND text LIKE '%identity%'"
    assert await workspace.scalar(query) == 1


async def test_no_advertising_is_not_no_messages(workspace: Workspace) -> None:
    hana = events.Sender(id_type=HANA.id_type, address=HANA.address)
    await happens(
        workspace,
        events.ConsentChange(
            dedupe_key="c1",
            at_utc_ms=workspace.clock(),
            sender=hana,
            consent=ConsentKind.MARKETING,
            status=ConsentStatus.OPTED_OUT,
        ),
    )
    kinds = "SELECT count(*) FROM consents WHERE status = 'opted_out' AND kind = "
    assert await workspace.scalar(kinds + "'marketing'") == 1
    assert await workspace.scalar(kinds + "'recording'") == 0
