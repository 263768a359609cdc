"""Identities on a channel: a second address is kept with the first, a group that moves goes on.

It never fakes a part: events are applied to the real database.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from backend.channels import events
from backend.channels.contract import Account
from backend.delivery.applying import NotYet, apply_event, apply_late
from backend.delivery.message_refs import AUTHOR
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


async def test_a_client_whose_number_is_hidden_since_changes_their_own_messages(
    workspace: Workspace,
) -> None:
    both = events.Sender(id_type=HANA.id_type, address=HANA.address, also=USER)
    await happens(workspace, said(workspace, "w1", both))
    strange = events.Sender(id_type=USER[0], address="US.9")
    hidden = events.Sender(id_type=USER[0], address=USER[1])
    for who, text in ((strange, "forged"), (hidden, "mended")):
        edit = events.Edited(
            dedupe_key=text,
            at_utc_ms=workspace.clock(),
            sender=who,
            external_id="w1",
            text=text,
        )
        await happens(workspace, edit)
        shown = await workspace.scalar("SELECT text FROM messages WHERE external_id = 'w1'")
        assert shown == ("mended" if who is hidden else "text of w1")


async def test_an_id_that_stands_with_another_contact_is_left_there(workspace: Workspace) -> None:
    hidden = events.Sender(id_type=USER[0], address=USER[1])
    await happens(workspace, said(workspace, "w1", hidden))
    both = events.Sender(id_type=HANA.id_type, address=HANA.address, also=USER)
    await happens(workspace, said(workspace, "w2", both))
    query = f"{_POINTS} ('{HANA.address}', '{USER[1]}')"
    assert await workspace.scalar(query) == 2, "people decide who is who, not a message"


async def test_a_number_that_was_passed_on_brings_nobody_to_the_old_contact(
    workspace: Workspace,
) -> None:
    for number, user in (("w1", "US.1"), ("w2", "US.2"), ("w3", "US.2")):
        sender = events.Sender(id_type=HANA.id_type, address=HANA.address, also=("user_id", user))
        await happens(workspace, said(workspace, number, sender))
    assert await workspace.scalar("SELECT count(*) FROM contact_points WHERE address = 'US.2'") == 0
    lines = "SELECT count(*) FROM messages WHERE kind = 'system' AND text LIKE '%somebody else%'"
    assert await workspace.scalar(lines) == 1, "said once, not with each message"


async def test_a_new_number_of_a_known_account_is_the_same_client(workspace: Workspace) -> None:
    for key, number in (("s1", "+41790000001"), ("s2", "+41790000002")):
        sender = events.Sender(id_type="uuid", address="u-1", also=("phone", number))
        await happens(workspace, said(workspace, key, sender))
    assert await workspace.scalar(f"{_POINTS} ('+41790000001', '+41790000002')") == 1
    lines = "SELECT count(*) FROM messages WHERE kind = 'system' AND text LIKE '%somebody else%'"
    assert await workspace.scalar(lines) == 0


async def test_a_reaction_in_a_group_opens_no_chat_with_who_reacts(workspace: Workspace) -> None:
    ada = events.Sender(id_type="phone", address="+41790000001", name="Ada")
    await happens(workspace, said(workspace, "g1", ada, "-9"))
    chats = await workspace.scalar("SELECT count(*) FROM conversations")
    for emoji in ("👍", "🎉", ""):
        for bob in ("+41790000002", "+41790000003"):
            await happens(
                workspace,
                events.Reaction(
                    dedupe_key=f"{bob}{emoji}",
                    at_utc_ms=workspace.clock(),
                    sender=events.Sender(id_type="phone", address=bob, name="Bob"),
                    external_id="g1",
                    emoji=emoji,
                ),
            )
        shown = await workspace.scalar("SELECT count(*) FROM reactions")
        assert shown == (2 if emoji else 0), "each member's own"
    assert await workspace.scalar("SELECT count(*) FROM conversations") == chats
    bobs = "SELECT count(*) FROM contacts WHERE display_name = 'Bob'"
    assert await workspace.scalar(bobs) == 0


async def test_only_its_author_changes_a_groups_message_that_names_one(
    workspace: Workspace,
) -> None:
    ada = events.Sender(id_type="phone", address="+41790000001", name="Ada")
    bob = events.Sender(id_type="phone", address="+41790000002", name="Bob")
    named = msgspec.structs.replace(
        said(workspace, "g1", ada, "-9"), refs={AUTHOR: ada.address, "room": "!r"}
    )
    await happens(workspace, named)
    for who, text in ((bob, "forged"), (ada, "mended")):
        edit = events.Edited(
            dedupe_key=text,
            at_utc_ms=workspace.clock(),
            sender=who,
            external_id="g1",
            text=text,
            chat="-9",
        )
        await happens(workspace, edit)
        shown = await workspace.scalar("SELECT text FROM messages WHERE external_id = 'g1'")
        assert shown == ("mended" if who is ada else "text of g1")


async def test_new_words_of_a_message_that_never_came_are_told(workspace: Workspace) -> None:
    hana = events.Sender(id_type=HANA.id_type, address=HANA.address)
    edit = events.Edited(
        dedupe_key="e1",
        at_utc_ms=workspace.clock(),
        sender=hana,
        external_id="before-our-time",
        text="make it 200",
    )
    now = workspace.clock()
    write = workspace.services.database.write
    with pytest.raises(NotYet):
        await happens(workspace, edit)
    await happens(workspace, said(workspace, "w1", hana))
    for _ in range(2):
        await write(lambda c: apply_late(c, ACCOUNT, edit, now))
    told = "SELECT count(*) FROM messages WHERE kind = 'system' AND text LIKE '%make it 200'"
    assert await workspace.scalar(told) == 1


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
