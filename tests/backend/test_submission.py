"""A submission is decided, archived and queued in one transaction, once per key.

It never fakes a part: it drives the real application over the real encrypted database.
"""

from __future__ import annotations

import asyncio

import httpx
import msgspec
import pytest

from backend.archive.entries import entries_of_message
from backend.archive.verify import read_envelope, verify_archive
from backend.delivery.claims import next_work
from contract.policy.evaluate import evaluate
from contract.policy.facts import conversation_draft, conversation_facts
from contract.policy.own_book import BookChat, BookPerson, book_facts
from contract.problems import Problem
from contract.receipts.bodies import submission_body, submission_envelope
from contract.receipts.leaf import leaf_bytes
from contract.states import DeliveryState
from contract.wire import ContactPage, Conversation, SubmitMessage, Submitted
from tests.backend.workspace import (
    AUDITOR,
    ELENA,
    FIRM,
    KENTA,
    NATIVE_PRIYA,
    POLICY,
    SOFIA,
    Workspace,
    client_of,
    draft,
    submit,
)

CARD = "Please charge my credit card 4111 1111 1111 1111, thank you."


@pytest.fixture
async def chat(workspace: Workspace) -> str:
    """Return the conversation with a client who has just written."""
    return await workspace.conversation_of(await workspace.inbound("Good morning"))


def submitted(answer: httpx.Response) -> Submitted:
    """Read a 201."""
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.content, type=Submitted)


def refused(answer: httpx.Response, status: int, code: str) -> Problem:
    """Read a problem and check its code."""
    problem = msgspec.json.decode(answer.content, type=Problem)
    assert (answer.status_code, problem.status, problem.code) == (status, status, code)
    assert answer.headers["content-type"].startswith("application/problem+json")
    return problem


async def test_message_is_archived_and_queued_with_the_leaf_its_sender_can_build(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    command = draft("Thank you, I will come back to you today.", clock=workspace.clock)
    message = submitted(await submit(client, chat, command)).message
    assert message.state is DeliveryState.ARCHIVED
    entries = await workspace.services.database.read(
        lambda connection: entries_of_message(connection, command.message_id)
    )
    (entry,) = entries
    expected = submission_envelope(
        command,
        message.conversation_id,
        firm_id=FIRM,
        employee_id=ELENA,
        decision_hash=read_envelope(entry.leaf).decision_hash,
    )
    assert entry.leaf == leaf_bytes(expected)
    assert entry.body == submission_body(command, ())
    assert message.archive == entry.ref
    assert message.place_index == entry.leaf_index
    job = await workspace.services.database.read(
        lambda connection: connection.exec_driver_sql("SELECT * FROM jobs").mappings().one()
    )
    assert (job["job_id"], job["state"]) == (f"{command.message_id}.0", "ready")
    assert job["lane_order"] == entry.leaf_index


async def test_same_key_and_bytes_get_the_same_reply_and_one_entry(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    command = draft("Once only.")
    first = await submit(client, chat, command)
    again = await submit(client, chat, command)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert await workspace.scalar("SELECT count(*) FROM jobs") == 1


async def test_same_key_with_other_bytes_is_refused(client: httpx.AsyncClient, chat: str) -> None:
    command = draft("First words.")
    submitted(await submit(client, chat, command))
    other = msgspec.structs.replace(command, text="Other words.")
    refused(await submit(client, chat, other), 422, "idempotency_key_reused")


async def test_blocked_message_is_archived_and_never_queued(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    command = draft(CARD)
    answer = await submit(client, chat, command)
    problem = refused(answer, 403, "policy_denied")
    assert problem.message is not None
    assert problem.message.state is DeliveryState.BLOCKED
    assert "identifiers.payment-card" in {finding.rule_id for finding in problem.findings}
    assert "4111" not in problem.detail
    assert await workspace.scalar("SELECT count(*) FROM jobs") == 0
    again = await submit(client, chat, command)
    assert again.content == answer.content
    read = await client.get(f"/v1/messages/{command.message_id}")
    assert read.json()["state"] == "blocked"


async def test_rule_that_asks_for_a_reason_lets_go_with_one(
    client: httpx.AsyncClient, chat: str
) -> None:
    text = "The return is guaranteed."
    problem = refused(await submit(client, chat, draft(text)), 403, "policy_denied")
    assert problem.findings[0].action == "justify"
    command = draft(text, justification="Quoting the term sheet of a deposit.")
    assert submitted(await submit(client, chat, command)).findings


async def test_closed_window_refuses(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    workspace.clock.at_utc_ms += 25 * 3_600_000
    problem = refused(await submit(client, chat, draft("Hello again")), 403, "policy_denied")
    assert {finding.rule_id for finding in problem.findings} >= {"windows.closed"}


async def test_walled_conversation_refuses(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    contact = await workspace.scalar("SELECT contact_id FROM contacts")
    await workspace.services.database.write(
        lambda connection: connection.exec_driver_sql(
            "INSERT INTO walls (employee_id, contact_id, firm_id) VALUES (?, ?, ?)",
            (ELENA, str(contact), FIRM),
        )
    )
    assert (await client.get(f"/v1/conversations/{chat}")).json()["walled"] is True
    refused(await submit(client, chat, draft("Hello")), 403, "policy_denied")


async def test_native_conversation_is_read_only(
    workspace: Workspace, client: httpx.AsyncClient
) -> None:
    native = await workspace.conversation_of(
        await workspace.inbound("Imported", account="acc-imessage", point=NATIVE_PRIYA)
    )
    refused(await submit(client, native, draft("Hello")), 409, "read_only")


async def test_others_and_auditors_can_not_write(workspace: Workspace, chat: str) -> None:
    async with client_of(workspace, KENTA) as stranger:
        refused(await submit(stranger, chat, draft("Hello")), 404, "not_found")
    async with client_of(workspace, AUDITOR) as auditor:
        assert (await auditor.get(f"/v1/conversations/{chat}")).status_code == 200
        refused(await submit(auditor, chat, draft("Hello")), 403, "forbidden")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"text": "  "}, 400, "bad_request"),
        ({"text": "x" * 4_097}, 413, "too_large"),
        ({"salt": "00"}, 400, "bad_request"),
        ({"message_id": "not-a-uuid"}, 400, "bad_request"),
        ({"composed_at_utc_ms": -1}, 400, "bad_request"),
        ({"quote_message_id": "unknown"}, 404, "not_found"),
        ({"attachment_ids": ["unknown"]}, 404, "not_found"),
    ],
)
async def test_faulty_submission_keeps_nothing(
    workspace: Workspace,
    client: httpx.AsyncClient,
    chat: str,
    change: dict[str, object],
    status: int,
    code: str,
) -> None:
    await client.get("/v1/me")  # the first call of a token is an entry of its own: the sign-in
    size = await workspace.scalar("SELECT count(*) FROM archive_entries")
    command = msgspec.convert(msgspec.to_builtins(draft("Hello")) | change, SubmitMessage)
    refused(await submit(client, chat, command), status, code)
    assert await workspace.scalar("SELECT count(*) FROM archive_entries") == size
    assert await workspace.scalar("SELECT count(*) FROM idempotency") == 0
    assert await workspace.scalar("SELECT count(*) FROM decisions") == 0


async def test_key_must_name_message_and_revision(client: httpx.AsyncClient, chat: str) -> None:
    answer = await client.post(
        f"/v1/conversations/{chat}/messages",
        content=msgspec.json.encode(draft("Hello")),
        headers={"Idempotency-Key": "another"},
    )
    refused(answer, 400, "bad_request")
    answer = await client.post(
        f"/v1/conversations/{chat}/messages", content=msgspec.json.encode(draft("Hello"))
    )
    refused(answer, 400, "idempotency_key_missing")


async def test_quote_comes_back_with_the_message(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    asked = await workspace.inbound("What is the fee?")
    command = draft("As agreed in May.", quote_message_id=asked)
    quote = submitted(await submit(client, chat, command)).message.quote
    assert quote is not None
    assert (quote.message_id, quote.text) == (asked, "What is the fee?")


async def test_answer_ends_the_waiting_but_a_blocked_one_does_not(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    await submit(client, chat, draft(CARD))
    assert (await client.get(f"/v1/conversations/{chat}")).json()["awaiting"] is True
    submitted(await submit(client, chat, draft("Hello")))
    assert "awaiting" not in (await client.get(f"/v1/conversations/{chat}")).json()


@pytest.mark.parametrize(
    ("change", "drift"),
    [
        ({}, ""),
        ({"decision_hash": "f" * 64}, "incident"),
        ({"decision_hash": "f" * 64, "facts_hash": "0" * 64}, "stale"),
        ({"decision_hash": "f" * 64, "bundle_version": "0"}, "stale"),
    ],
)
async def test_client_decides_alike_and_a_difference_is_kept(
    workspace: Workspace,
    client: httpx.AsyncClient,
    chat: str,
    change: dict[str, str],
    drift: str,
) -> None:
    conversation = msgspec.json.decode(
        (await client.get(f"/v1/conversations/{chat}")).content, type=Conversation
    )
    contacts = msgspec.json.decode(
        (await client.get("/v1/contacts")).content, type=ContactPage
    ).contacts
    command = draft("The return is guaranteed.", justification="It is a deposit.")
    people = [BookPerson(one.contact_id, one.display_name, one.organisation) for one in contacts]
    chats = [BookChat(contact_id, chat) for contact_id in conversation.contact_ids]
    facts = conversation_facts(
        conversation, contacts, workspace.clock(), book=book_facts(people, chats)
    )
    decision = evaluate(
        POLICY.client, facts, conversation_draft(conversation, contacts, command.text)
    )
    hint = {
        "evaluator_version": decision.evaluator_version,
        "bundle_version": decision.bundle_version,
        "facts_hash": decision.facts_hash,
        "decision_hash": decision.decision_hash(),
        "action": decision.action.value,
    }
    fields = msgspec.to_builtins(command) | {"hint": hint | change}
    submitted(await submit(client, chat, msgspec.convert(fields, SubmitMessage)))
    assert await workspace.scalar("SELECT drift FROM decisions") == drift


async def test_two_at_once_with_one_key_are_one(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    command = draft("Double click")
    answers = await asyncio.gather(*(submit(client, chat, command) for _ in range(4)))
    assert len({answer.content for answer in answers}) == 1
    assert await workspace.scalar("SELECT count(*) FROM jobs") == 1


async def test_archive_is_sound_afterwards(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    await workspace.inbound("From Signal", account="acc-signal", point=SOFIA)
    for text in ("One", CARD, "Two"):
        await submit(client, chat, draft(text))
    audit = await workspace.services.database.read(verify_archive)
    assert audit.ok, audit.fault
    assert audit.entries == await workspace.scalar("SELECT count(*) FROM archive_entries")


async def test_clock_that_was_set_back_holds_no_submission(
    workspace: Workspace, client: httpx.AsyncClient, chat: str
) -> None:
    submitted(await submit(client, chat, draft("Good morning")))
    yesterday_utc_ms = workspace.clock() - 86_400_000
    work = await workspace.services.database.read(
        lambda connection: next_work(connection, frozenset(), yesterday_utc_ms)
    )
    assert work.ready
