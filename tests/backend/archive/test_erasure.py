"""An erasure takes words, salts and files everywhere, leaves every proof, and is an entry.

It never opens a second way: whatever else tries to delete a body is refused.
"""

from __future__ import annotations

import hashlib
import os

import httpx
import msgspec
import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from backend.archive.entries import read_entry
from backend.archive.erasure import Erased, ErasureOrder, ErasureRefused, erase
from backend.archive.holds import place_hold
from backend.archive.nodes import NodeCache
from backend.archive.proofs import build_receipt, newest_sealed
from backend.archive.retention import RetentionClass, assign_class, set_class
from backend.archive.selection import Record, record_of
from backend.archive.verify import describe_message, verify_archive
from backend.inbox.erasing import sweep_files
from backend.inbox.events import read_events
from backend.inbox.inbound import record_reaction
from contract import events
from contract.ids import MessageId
from contract.receipts.tlog_proof import check_receipt
from tests.backend.workspace import ELENA, FIRM, Workspace, client_of, draft, submit

SECRET = "canary-words"
OFFICER = "officer-1"


async def erased(workspace: Workspace, *message_ids: str, **fields: bool) -> Erased:
    """Erase messages under an order."""
    order = ErasureOrder(
        firm_id=FIRM,
        actor_id=OFFICER,
        basis="request 2026-17",
        message_ids=message_ids,
        **fields,  # type: ignore[arg-type]  # only within_retention is given
    )
    return await workspace.services.database.write(lambda c: erase(c, order, workspace.clock()))


async def entry_of(workspace: Workspace, message_id: str) -> Record:
    """Return the newest entry of a message."""
    entry_id = await workspace.scalar(
        f"SELECT entry_id FROM messages WHERE message_id = '{message_id}'"
    )
    record = await workspace.services.database.read(lambda c: record_of(c, str(entry_id)))
    assert record is not None
    return record


async def tables_with(workspace: Workspace, words: str) -> list[str]:
    """Return the tables in which words stand anywhere, in text or bytes."""
    found = []

    def look(connection: Connection) -> None:
        names = connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).scalars()
        for name in names.all():
            rows = connection.exec_driver_sql(f"SELECT * FROM {name}")
            if any(words.encode() in _bytes(value) for row in rows for value in row):
                found.append(name)

    await workspace.services.database.read(look)
    return found


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


async def upload(client: httpx.AsyncClient, data: bytes) -> str:
    """Upload a file as the signed-in employee and return its id."""
    digest = hashlib.sha256(data).hexdigest()
    told = {"name": f"{SECRET}.txt", "media_type": "text/plain", "size_bytes": len(data)}
    created = await client.post(
        "/v1/attachments",
        json=told | {"sha256": digest},
        headers={"Idempotency-Key": os.urandom(8).hex()},
    )
    attachment_id = created.json()["attachment_id"]
    sent = await client.patch(
        f"/v1/attachments/{attachment_id}/upload", content=data, headers={"Upload-Offset": "0"}
    )
    assert sent.status_code < 300, sent.text
    return str(attachment_id)


async def test_words_are_gone_everywhere_and_the_proof_stays(workspace: Workspace) -> None:
    message_id = await workspace.inbound(SECRET, external="ext-1")
    quoting = await workspace.inbound("I meant that", quote="ext-1")
    before = await entry_of(workspace, message_id)
    assert "archive_bodies" in await tables_with(workspace, SECRET)
    done = await erased(workspace, message_id)
    assert (done.entries, done.messages) == (1, 1)
    assert await tables_with(workspace, SECRET) == []
    assert await tables_with(workspace, before.salt.hex() if before.salt else "") == []
    after = await entry_of(workspace, message_id)
    assert (after.body, after.salt, after.leaf) == (None, None, before.leaf)
    await workspace.sealing.sealed()
    sealing = workspace.sealing

    def prove(connection: Connection) -> bytes:
        checkpoint = newest_sealed(connection)
        assert checkpoint is not None
        return build_receipt(connection, NodeCache(), after.leaf_index, checkpoint)

    receipt = await workspace.services.database.read(prove)
    check_receipt(receipt, after.leaf, sealing.signer.verifier_key, (sealing.witness.key,), 1)
    async with client_of(workspace) as client:
        conversation_id = await workspace.conversation_of(quoting)
        page = (await client.get(f"/v1/conversations/{conversation_id}/messages")).json()
    (kept,) = page["messages"]
    assert kept["message_id"] == quoting
    assert (kept["quote"]["text"], kept["quote"]["author_name"]) == ("", "")


async def test_order_is_an_entry_that_names_ground_and_messages(workspace: Workspace) -> None:
    message_id = await workspace.inbound(SECRET)
    done = await erased(workspace, message_id)
    order = await workspace.services.database.read(lambda c: read_entry(c, done.order_entry_id))
    assert order is not None
    said = msgspec.json.decode(order.body or b"")
    assert order.kind == "erasure"
    assert (said["basis"], said["messages"]) == ("request 2026-17", [message_id])


async def test_members_are_told_and_old_events_hold_no_words(workspace: Workspace) -> None:
    message_id = await workspace.inbound(SECRET)
    conversation_id = await workspace.conversation_of(message_id)
    await erased(workspace, message_id)
    stored = await workspace.services.database.read(lambda c: read_events(c, ELENA, 0, 100))
    assert [event.seq for event in stored] == list(range(1, len(stored) + 1))
    bodies = [msgspec.json.decode(event.body, type=events.EventBody) for event in stored]
    told = [body for body in bodies if isinstance(body, events.Erased)]
    assert told[-1] == events.Erased(conversation_id=conversation_id, message_ids=(message_id,))
    assert isinstance(bodies[-1], events.Erased), "the last word on the message"
    assert not any(
        isinstance(body, events.MessageUpserted) and body.message.message_id == message_id
        for body in bodies
    )


async def test_replayed_submission_tells_no_words(workspace: Workspace) -> None:
    conversation_id = await workspace.conversation_of(await workspace.inbound("Hello"))
    command = draft(SECRET, clock=workspace.clock)
    async with client_of(workspace) as client:
        assert (await submit(client, conversation_id, command)).status_code in (201, 202)
        await settle(workspace, command.message_id)
        await erased(workspace, command.message_id)
        assert SECRET not in (await submit(client, conversation_id, command)).text
        page = await client.get(f"/v1/conversations/{conversation_id}/messages")
        assert command.message_id not in page.text
    assert await tables_with(workspace, SECRET) == []


async def settle(workspace: Workspace, message_id: str) -> None:
    """Mark a message's delivery as done, as a worker would."""
    await workspace.services.database.write(
        lambda c: c.exec_driver_sql(
            "UPDATE jobs SET state = 'done' WHERE message_id = ?", (message_id,)
        )
    )


async def test_message_on_its_way_is_not_erased(workspace: Workspace) -> None:
    conversation_id = await workspace.conversation_of(await workspace.inbound("Hello"))
    command = draft(SECRET, clock=workspace.clock)
    async with client_of(workspace) as client:
        await submit(client, conversation_id, command)
    with pytest.raises(ErasureRefused, match="on its way"):
        await erased(workspace, command.message_id)


async def test_files_go_with_the_last_entry_that_names_them(workspace: Workspace) -> None:
    conversation_id = await workspace.conversation_of(await workspace.inbound("Hello"))
    async with client_of(workspace) as client:
        attachment_id = await upload(client, b"file " + SECRET.encode())
        command = draft("With a file", clock=workspace.clock, attachment_ids=(attachment_id,))
        assert (await submit(client, conversation_id, command)).status_code in (201, 202)
    await settle(workspace, command.message_id)
    services = workspace.services
    blobs = services.blobs
    assert b"".join(blobs.read(attachment_id, 0, 17, 0, 17))
    await erased(workspace, command.message_id)
    assert sweep_files(services.database, blobs) == 1
    assert sweep_files(services.database, blobs) == 0
    assert await tables_with(workspace, SECRET) == []
    assert await workspace.scalar("SELECT count(*) FROM attachment_parts") == 0


async def test_file_stays_while_a_refused_submission_names_it(workspace: Workspace) -> None:
    conversation_id = await workspace.conversation_of(await workspace.inbound("Hello"))
    async with client_of(workspace) as client:
        attachment_id = await upload(client, b"file " + SECRET.encode())
        refused = draft(
            "guaranteed profit 4111 1111 1111 1111",
            clock=workspace.clock,
            attachment_ids=(attachment_id,),
        )
        assert (await submit(client, conversation_id, refused)).status_code == 403
        mended = draft("With a file", clock=workspace.clock, attachment_ids=(attachment_id,))
        assert (await submit(client, conversation_id, mended)).status_code in (201, 202)
    await settle(workspace, mended.message_id)
    services = workspace.services
    await erased(workspace, mended.message_id)
    assert sweep_files(services.database, services.blobs) == 0
    await erased(workspace, refused.message_id)
    assert sweep_files(services.database, services.blobs) == 1


async def test_reactions_go_with_their_message(workspace: Workspace) -> None:
    message_id = await workspace.inbound("Hello", external="ext-1")
    now = workspace.clock()
    await workspace.services.database.write(
        lambda c: record_reaction(
            c,
            account_id="acc-wa",
            external_message_id="ext-1",
            actor_id=ELENA,
            emoji="👍",
            occurred_at_utc_ms=now,
            received_at_utc_ms=now,
        )
    )
    assert (await erased(workspace, message_id)).entries == 2
    assert await workspace.scalar("SELECT count(*) FROM reactions") == 0


async def test_replies_to_commands_about_a_message_keep_no_words(workspace: Workspace) -> None:
    message_id = await workspace.inbound(SECRET, external="ext-1")
    able = (
        "UPDATE channel_accounts SET send_capability = CAST(replace(send_capability, ?, ?) AS BLOB)"
    )
    marks = "{", '{"reactions":true,'
    await workspace.services.database.write(lambda c: c.exec_driver_sql(able, marks))
    async with client_of(workspace) as client:
        answer = await client.post(
            f"/v1/messages/{message_id}/reaction",
            json={"emoji": "👍", "asked_at_utc_ms": 1},
            headers={"Idempotency-Key": "k-1"},
        )
    assert answer.json()["text"] == SECRET, answer.text
    await erased(workspace, message_id)
    assert await tables_with(workspace, SECRET) == []


async def test_second_copy_from_the_channel_is_not_recorded_anew(workspace: Workspace) -> None:
    message_id = await workspace.inbound(SECRET, external="ext-1")
    await erased(workspace, message_id)
    assert await workspace.inbound(SECRET, external="ext-1") == message_id
    assert await tables_with(workspace, SECRET) == []


async def test_hold_and_running_period_refuse(workspace: Workspace) -> None:
    message_id = await workspace.inbound(SECRET)
    database, now = workspace.services.database, workspace.clock()
    year = RetentionClass(class_id="year", title="Year", keep_months=12, source="test")
    await database.write(lambda c: set_class(c, FIRM, year, OFFICER, now))
    await database.write(lambda c: assign_class(c, FIRM, "firm", "", "year", OFFICER, now))
    with pytest.raises(ErasureRefused, match="period still runs"):
        await erased(workspace, message_id)
    await database.write(lambda c: place_hold(c, FIRM, "M", "message", message_id, OFFICER, now))
    with pytest.raises(ErasureRefused, match="legal hold"):
        await erased(workspace, message_id, within_retention=True)
    assert "archive_bodies" in await tables_with(workspace, SECRET)


async def test_erasure_needs_a_ground_and_something_to_take(workspace: Workspace) -> None:
    message_id = await workspace.inbound(SECRET)
    await erased(workspace, message_id)
    with pytest.raises(ErasureRefused, match="nothing to erase"):
        await erased(workspace, message_id)
    with pytest.raises(ErasureRefused, match="nothing to erase"):
        await erased(workspace, MessageId(""))
    order = ErasureOrder(firm_id=FIRM, actor_id=OFFICER, basis=" ", message_ids=(message_id,))
    with pytest.raises(ErasureRefused, match="ground"):
        await workspace.services.database.write(lambda c: erase(c, order, 1))


async def test_the_record_of_an_erasure_can_not_be_erased(workspace: Workspace) -> None:
    done = await erased(workspace, await workspace.inbound(SECRET))
    order = ErasureOrder(
        firm_id=FIRM, actor_id=OFFICER, basis="cover up", entry_ids=(done.order_entry_id,)
    )
    with pytest.raises(ErasureRefused, match="custody"):
        await workspace.services.database.write(lambda c: erase(c, order, 1))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM archive_bodies WHERE entry_id = '{kept}'",
        "INSERT INTO archive_erasures VALUES ('{kept}', '{kept}', 'firm-test', 1)",
        "DELETE FROM archive_erasures",
        "UPDATE archive_erasures SET entry_id = '{kept}'",
        "INSERT INTO archive_bodies VALUES ('{gone}', 'firm-test', x'00', x'00')",
        "UPDATE decisions SET justification = 'better'",
    ],
)
async def test_nothing_else_can_delete_or_bring_back(workspace: Workspace, statement: str) -> None:
    conversation_id = await workspace.conversation_of(await workspace.inbound("Hello"))
    command = draft(SECRET, clock=workspace.clock)
    async with client_of(workspace) as client:
        await submit(client, conversation_id, command)
    await settle(workspace, command.message_id)
    gone = (await entry_of(workspace, command.message_id)).entry_id
    await erased(workspace, command.message_id)
    kept = (await entry_of(workspace, await workspace.inbound("Kept"))).entry_id
    sql = statement.format(kept=kept, gone=gone)
    with pytest.raises(IntegrityError, match="only grow"):
        await workspace.services.database.write(lambda c: c.exec_driver_sql(sql))


async def test_audit_passes_after_an_erasure(workspace: Workspace) -> None:
    message_id = await workspace.inbound(SECRET)
    await erased(workspace, message_id)
    await workspace.sealing.sealed()
    audit = await workspace.services.database.read(verify_archive)
    assert (audit.fault, audit.sealed) == ("", audit.entries)
    told = await workspace.services.database.read(lambda c: describe_message(c, message_id))
    (entry,) = msgspec.json.decode(told)
    assert (entry["body"], entry["fault"]) == (None, "")
    assert entry["erased_by"]


async def test_audit_finds_a_body_taken_under_another_order(workspace: Workspace) -> None:
    victim = (await entry_of(workspace, await workspace.inbound("Victim"))).entry_id
    done = await erased(workspace, await workspace.inbound(SECRET))

    def intrude(connection: Connection) -> None:
        connection.exec_driver_sql(
            "INSERT INTO archive_erasures VALUES (?, ?, 'firm-test', 1)",
            (victim, done.order_entry_id),
        )
        connection.exec_driver_sql("DELETE FROM archive_bodies WHERE entry_id = ?", (victim,))

    await workspace.services.database.write(intrude)
    await workspace.sealing.sealed()
    audit = await workspace.services.database.read(verify_archive)
    assert "without an order that names it" in audit.fault
