"""What clients do is archived first, recorded once, and told to every member.

It never fakes a part: it drives the room's functions over the real encrypted database.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection

from backend.archive.entries import entries_of_message
from backend.archive.projection_audit import audit_messages
from backend.archive.verify import read_envelope, verify_archive
from backend.directory.consents import record_consent
from backend.inbox.events import read_events
from backend.inbox.inbound import record_delete, record_edit, record_reaction
from backend.inbox.messages import set_delivery_state
from backend.inbox.receipts import record_receipt
from backend.inbox.rendering import read_conversation, read_messages
from contract.events import EVENT_DECODER
from contract.ids import MessageId
from contract.states import DeliveryState, IllegalTransition
from contract.wire import Channel, ConsentKind, ConsentStatus, Conversation, Message
from tests.backend.workspace import (
    AUDITOR,
    ELENA,
    KENTA,
    SOFIA,
    Workspace,
    client_of,
    draft,
    submit,
)


async def message_of(workspace: Workspace, message_id: str) -> Message:
    """Return a message as Elena sees it."""
    (message,) = await workspace.services.database.read(
        lambda connection: read_messages(connection, ELENA, [message_id])
    )
    return message


async def chat_of(workspace: Workspace, message_id: MessageId) -> Conversation:
    """Return a message's conversation as Elena sees it."""
    conversation_id = await workspace.conversation_of(message_id)
    found = await workspace.services.database.read(
        lambda connection: read_conversation(connection, ELENA, conversation_id)
    )
    assert found is not None
    return found


async def event_kinds(workspace: Workspace, employee_id: str) -> list[str]:
    """Return the kinds of all events of an employee's stream, oldest first."""
    stored = await workspace.services.database.read(
        lambda connection: read_events(connection, employee_id, 0, 1_000)
    )
    assert [event.seq for event in stored] == list(range(1, len(stored) + 1))
    events = [EVENT_DECODER.decode(event.to_json()) for event in stored]
    return [type(event.body).__name__ for event in events]


async def sent_message(workspace: Workspace, text: str = "Hello") -> str:
    """Submit a message in a fresh chat and return its id."""
    chat = await workspace.conversation_of(await workspace.inbound("Hi"))
    command = draft(text)
    async with client_of(workspace) as client:
        assert (await submit(client, chat, command)).status_code == 201
    return command.message_id


async def set_state(workspace: Workspace, message_id: str, *states: DeliveryState) -> None:
    """Walk a message through states."""
    for state in states:
        await workspace.services.database.write(
            partial(
                set_delivery_state,
                message_id=message_id,
                state=state,
                at_utc_ms=workspace.clock(),
                external_id="ext-out",
            )
        )


async def test_unknown_client_becomes_a_contact_with_a_conversation(workspace: Workspace) -> None:
    message_id = await workspace.inbound("Good morning")
    chat = await chat_of(workspace, message_id)
    assert (chat.title, chat.unread_count, chat.awaiting) == ("Hana Watanabe", 1, True)
    assert (chat.message_count, chat.archived_count) == (1, 1)
    assert chat.preview is not None
    assert chat.preview.text == "Good morning"
    message = await message_of(workspace, message_id)
    assert message.archive is not None
    assert chat.window_closes_at_utc_ms == message.place_at_utc_ms + 86_400_000
    kinds = await event_kinds(workspace, ELENA)
    expected = ["PolicyChanged", "ContactUpserted", "ConversationUpserted"]
    expected += ["MessageUpserted"] * 2  # shown at once, then with its place in the log
    assert kinds == expected
    assert await event_kinds(workspace, AUDITOR) == expected
    assert await event_kinds(workspace, KENTA) == ["PolicyChanged"]


async def test_message_told_twice_is_recorded_once(workspace: Workspace) -> None:
    first = await workspace.inbound("Once", external="wamid.1")
    assert await workspace.inbound("Once", external="wamid.1") == first
    assert await workspace.scalar("SELECT count(*) FROM messages") == 1
    assert (await chat_of(workspace, first)).unread_count == 1


async def test_lone_surrogates_do_not_stop_a_message(workspace: Workspace) -> None:
    message = await message_of(workspace, await workspace.inbound("odd \ud800 text"))
    assert message.text == "odd ? text"
    entries = await workspace.services.database.read(
        lambda connection: entries_of_message(connection, message.message_id)
    )
    body = msgspec.json.decode(entries[0].body or b"")
    assert (body["author"], body["text"]) == ("Hana Watanabe", "odd ? text")


async def test_first_version_is_rebuilt_after_edit_and_deletion(workspace: Workspace) -> None:
    message_id = await workspace.inbound("Buy 100", external="wamid.7")
    now = workspace.clock()
    keys: dict[str, Any] = {
        "account_id": "acc-wa",
        "external_message_id": "wamid.7",
        "occurred_at_utc_ms": now,
        "received_at_utc_ms": now,
    }
    write = workspace.services.database.write
    await write(lambda connection: record_edit(connection, text="Buy 1000", **keys))
    await write(lambda connection: record_edit(connection, text="Buy 1000", **keys))
    await write(lambda connection: record_delete(connection, **keys))
    message = await message_of(workspace, message_id)
    assert (message.deleted, message.versions_archived, message.text) == (True, 3, "Buy 1000")
    entries = await workspace.services.database.read(
        lambda connection: entries_of_message(connection, message_id)
    )
    assert [entry.kind for entry in entries] == ["message_in", "edited", "deleted"]
    assert msgspec.json.decode(entries[0].body or b"")["text"] == "Buy 100"
    previous = [read_envelope(entry.leaf).previous for entry in entries]
    assert previous == ["", entries[0].leaf_hash.hex(), entries[1].leaf_hash.hex()]


async def test_edits_out_of_order_show_the_newest_and_archive_them_all(
    workspace: Workspace,
) -> None:
    message_id = await workspace.inbound("Buy 100", external="wamid.8")
    now = workspace.clock()
    database = workspace.services.database

    def told(connection: Connection, text: str, after_ms: int) -> None:
        record_edit(
            connection,
            account_id="acc-wa",
            external_message_id="wamid.8",
            text=text,
            occurred_at_utc_ms=now + after_ms,
            received_at_utc_ms=now + 5_000,
        )

    for text, after_ms in (("Buy 3", 3_000), ("Buy 2", 2_000), ("Buy 2", 2_000), ("Buy 3", 3_000)):
        await database.write(partial(told, text=text, after_ms=after_ms))
    shown = await message_of(workspace, message_id)
    assert (shown.text, shown.versions_archived) == ("Buy 3", 2)
    await database.write(
        lambda c: record_delete(
            c,
            account_id="acc-wa",
            external_message_id="wamid.8",
            occurred_at_utc_ms=now + 6_000,
            received_at_utc_ms=now + 6_000,
        )
    )
    await database.write(partial(told, text="Buy 4", after_ms=4_000))
    assert (await message_of(workspace, message_id)).deleted
    entries = await database.read(lambda c: entries_of_message(c, message_id))
    words = [(e.kind, msgspec.json.decode(e.body or b"").get("text")) for e in entries]
    assert words == [
        ("message_in", "Buy 100"),
        ("edited", "Buy 3"),
        ("edited_late", "Buy 2"),
        ("deleted", None),
        ("edited_late", "Buy 4"),
    ]
    assert await database.read(audit_messages) == 1


async def test_reaction_replaces_the_clients_earlier_one(workspace: Workspace) -> None:
    message_id = await workspace.inbound("Deal", external="wamid.9")

    async def react(emoji: str) -> Message:
        now = workspace.clock()
        await workspace.services.database.write(
            lambda connection: record_reaction(
                connection,
                account_id="acc-wa",
                external_message_id="wamid.9",
                actor_id="contact",
                emoji=emoji,
                occurred_at_utc_ms=now,
                received_at_utc_ms=now,
            )
        )
        return await message_of(workspace, message_id)

    assert [one.emoji for one in (await react("👍")).reactions] == ["👍"]
    assert [one.emoji for one in (await react("🎉")).reactions] == ["🎉"]
    version = (await react("🎉")).version
    assert (await react("")).reactions == ()
    assert (await message_of(workspace, message_id)).version == version + 1


async def test_late_receipt_is_archived_and_lowers_nothing(workspace: Workspace) -> None:
    message_id = await sent_message(workspace)
    await set_state(
        workspace,
        message_id,
        DeliveryState.QUEUED,
        DeliveryState.SENDING,
        DeliveryState.ACCEPTED,
    )
    assert await workspace.scalar("SELECT state FROM jobs") == "done"
    for reported in (DeliveryState.READ, DeliveryState.DELIVERED):
        now = workspace.clock()
        await workspace.services.database.write(
            partial(
                record_receipt,
                account_id="acc-wa",
                reported=reported,
                at_utc_ms=now,
                now_utc_ms=now,
                external_id="ext-out",
            )
        )
    assert (await message_of(workspace, message_id)).state is DeliveryState.READ
    assert (
        await workspace.scalar("SELECT count(*) FROM archive_entries WHERE kind = 'receipt'") == 2
    )


async def test_receipt_of_an_unknown_message_is_nobodys(workspace: Workspace) -> None:
    found = await workspace.services.database.write(
        lambda connection: record_receipt(
            connection,
            account_id="acc-wa",
            reported=DeliveryState.READ,
            at_utc_ms=1,
            now_utc_ms=1,
            external_id="never heard",
        )
    )
    assert found is None


async def test_state_outside_the_table_is_refused_and_unknown_waits(workspace: Workspace) -> None:
    message_id = await sent_message(workspace)
    with pytest.raises(IllegalTransition):
        await set_state(workspace, message_id, DeliveryState.READ)
    await set_state(
        workspace, message_id, DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNKNOWN
    )
    assert await workspace.scalar("SELECT state FROM jobs") == "waiting"


async def test_consent_change_is_archived_and_told(workspace: Workspace) -> None:
    await workspace.inbound("STOP", account="acc-signal", point=SOFIA)
    contact = str(await workspace.scalar("SELECT contact_id FROM contacts"))
    for _ in range(2):
        await workspace.services.database.write(
            lambda connection: record_consent(
                connection,
                contact_id=contact,
                kind=ConsentKind.MARKETING,
                status=ConsentStatus.OPTED_OUT,
                channel=Channel.SIGNAL,
                actor_id=contact,
                at_utc_ms=5,
                now_utc_ms=workspace.clock(),
            )
        )
    kinds = await event_kinds(workspace, ELENA)
    assert kinds.count("ContactUpserted") == 2
    audit = await workspace.services.database.read(verify_archive)
    assert (audit.ok, audit.entries) == (True, 3)
