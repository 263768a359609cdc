"""A held message waits for a supervisor, who is never its author, and for today's policy.

It never fakes a part: it drives the real application over the real encrypted database.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
from sqlalchemy import insert

from backend.archive.entries import entries_of_message
from backend.directory.people import read_me
from backend.directory.walls import set_wall
from backend.governance.approvals import expire_approvals
from backend.inbox.erasing import erase_messages
from backend.inbox.events import read_events
from backend.inbox.uploads import readable_attachment
from backend.refusals import Refused
from backend.storage.tables import attachments
from contract.events import ApprovalsChanged, EventBody, MessageUpserted
from contract.states import DeliveryState
from contract.supervision import Approval, ApprovalPage, ApprovalState
from contract.wire import Message, Submitted
from tests.backend.policies import audited, give_role, small_policy, under
from tests.backend.workspace import (
    ELENA,
    FIRM,
    KENTA,
    Workspace,
    client_of,
    draft,
    open_workspace,
    submit,
)

TEXT = "Attached is the allocation for the fund."
HOURS_25_MS = 25 * 3_600_000


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Yield an open workspace in which Kenta is a supervisor."""
    async with open_workspace(tmp_path) as opened:
        await give_role(opened, KENTA, "supervisor")
        yield under(opened, small_policy())


@pytest.fixture
async def chat(workspace: Workspace) -> str:
    """Return the conversation with a client who has just written."""
    return await workspace.conversation_of(await workspace.inbound("Good morning"))


async def held(workspace: Workspace, chat: str, text: str = TEXT) -> Message:
    """Submit a message that waits for approval."""
    async with client_of(workspace) as elena:
        answer = await submit(elena, chat, draft(text, clock=workspace.clock))
    assert answer.status_code == 201, answer.text
    message = msgspec.json.decode(answer.content, type=Submitted).message
    assert message.state is DeliveryState.HELD
    return message


async def queue(client: httpx.AsyncClient, state: str = "") -> ApprovalPage:
    """Read a supervisor's queue."""
    answer = await client.get("/v1/approvals", params={"state": state} if state else {})
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=ApprovalPage)


async def decide(
    client: httpx.AsyncClient, message: Message, *, approve: bool, note: str = "", key: str = "k1"
) -> httpx.Response:
    """Decide on a held message."""
    return await client.post(
        f"/v1/approvals/{message.message_id}.{message.revision}/decision",
        json={"approve": approve, "note": note},
        headers={"Idempotency-Key": key},
    )


async def state_of(workspace: Workspace, message: Message) -> Message:
    """Read a message as its author sees it."""
    async with client_of(workspace) as elena:
        answer = await elena.get(f"/v1/messages/{message.message_id}")
    return msgspec.json.decode(answer.content, type=Message)


async def bodies(workspace: Workspace, employee_id: str) -> list[EventBody]:
    """Return an employee's events."""
    events = await workspace.services.database.read(
        lambda connection: read_events(connection, employee_id, 0, 500)
    )
    return [msgspec.json.decode(event.body, type=EventBody) for event in events]


async def test_approval_queues_the_message_and_is_archived(workspace: Workspace, chat: str) -> None:
    message = await held(workspace, chat)
    assert await workspace.scalar("SELECT count(*) FROM jobs") == 0
    async with client_of(workspace, KENTA) as kenta:
        page = await queue(kenta)
        (approval,) = page.approvals
        assert (page.pending, approval.text, approval.author_name) == (1, TEXT, "Elena Marchetti")
        assert [finding.rule_id for finding in approval.findings] == ["test.approve"]
        answer = await decide(kenta, message, approve=True)
        assert answer.status_code == 200, answer.text
        again = await decide(kenta, message, approve=True)
        assert again.content == answer.content
        decided = msgspec.json.decode(answer.content, type=Approval)
        assert (decided.state, decided.decided_by) == (ApprovalState.APPROVED, KENTA)
        assert not (await queue(kenta)).approvals
        assert (await queue(kenta, "approved")).approvals == (decided,)
    assert (await state_of(workspace, message)).state is DeliveryState.ARCHIVED
    entries = await workspace.services.database.read(
        lambda connection: entries_of_message(connection, message.message_id)
    )
    assert [entry.kind for entry in entries] == ["message_out", "approval"]
    body = msgspec.json.decode(entries[1].body or b"")
    assert body["decision"] == "approved"
    later = "SELECT decision_hash FROM later_decisions WHERE cause = 'approval'"
    assert body["evaluation"] == await workspace.scalar(later)
    # What lets the message go is the approval: its entry has to be sealed first.
    assert await workspace.scalar("SELECT lane_order FROM jobs") == entries[1].sequence
    await audited(workspace)


async def test_both_are_told_by_events(workspace: Workspace, chat: str) -> None:
    message = await held(workspace, chat)
    async with client_of(workspace, KENTA) as kenta:
        await decide(kenta, message, approve=False, note="use the template")
    pending = [
        body.pending
        for body in await bodies(workspace, KENTA)
        if isinstance(body, ApprovalsChanged)
    ]
    assert pending == [1, 0]
    states = [
        body.message.state
        for body in await bodies(workspace, ELENA)
        if isinstance(body, MessageUpserted) and body.message.message_id == message.message_id
    ]
    assert states[0] is DeliveryState.HELD
    assert states[-1] is DeliveryState.BLOCKED


async def test_rejection_shows_its_note_to_the_author(workspace: Workspace, chat: str) -> None:
    message = await held(workspace, chat)
    async with client_of(workspace, KENTA) as kenta:
        assert (await decide(kenta, message, approve=False)).status_code == 400
        answer = await decide(kenta, message, approve=False, note="use the template", key="k2")
        assert answer.json()["state"] == "rejected"
        late = await decide(kenta, message, approve=True, key="k3")
        assert (late.status_code, late.json()["code"]) == (409, "conflict")
    shown = await state_of(workspace, message)
    assert (shown.state, shown.state_detail) == (
        DeliveryState.BLOCKED,
        "K. Tan: “use the template”",
    )
    assert await workspace.scalar("SELECT count(*) FROM jobs") == 0


async def test_wall_of_today_wins_over_the_approval(workspace: Workspace, chat: str) -> None:
    message = await held(workspace, chat)
    contact_id = str(await workspace.scalar("SELECT contact_id FROM conversation_contacts"))
    await workspace.services.database.write(
        lambda connection: set_wall(
            connection,
            employee_id=ELENA,
            contact_id=contact_id,
            up=True,
            actor_id="compliance",
            now_utc_ms=workspace.clock(),
        )
    )
    async with client_of(workspace, KENTA) as kenta:
        answer = await decide(kenta, message, approve=True)
    assert answer.json()["state"] == "rejected"
    shown = await state_of(workspace, message)
    assert (shown.state, shown.state_detail) == (
        DeliveryState.BLOCKED,
        "Not allowed with this client",
    )
    assert await workspace.scalar("SELECT count(*) FROM jobs") == 0
    await audited(workspace)


async def test_nobody_else_decides(workspace: Workspace, chat: str) -> None:
    message = await held(workspace, chat)
    async with client_of(workspace) as elena:
        assert (await elena.get("/v1/approvals")).status_code == 403
        assert (await decide(elena, message, approve=True)).status_code == 403
    await give_role(workspace, ELENA, "employee", "supervisor")
    async with client_of(workspace) as elena:
        assert not (await queue(elena)).approvals
        own = await decide(elena, message, approve=True, key="k2")
        assert (own.status_code, "Another supervisor" in own.json()["detail"]) == (403, True)
    contact_id = str(await workspace.scalar("SELECT contact_id FROM conversation_contacts"))
    await workspace.services.database.write(
        lambda connection: set_wall(
            connection,
            employee_id=KENTA,
            contact_id=contact_id,
            up=True,
            actor_id="compliance",
            now_utc_ms=workspace.clock(),
        )
    )
    async with client_of(workspace, KENTA) as kenta:
        assert await queue(kenta) == ApprovalPage(approvals=())
        assert (await decide(kenta, message, approve=True)).status_code == 404
    assert (await state_of(workspace, message)).state is DeliveryState.HELD


async def test_undecided_message_expires(workspace: Workspace, chat: str) -> None:
    message = await held(workspace, chat)
    workspace.clock.at_utc_ms += HOURS_25_MS
    now = workspace.clock()
    expired = await workspace.services.database.write(lambda c: expire_approvals(c, now))
    assert expired == 1
    shown = await state_of(workspace, message)
    assert shown.state is DeliveryState.EXPIRED
    assert "No supervisor decided in time" in shown.state_detail
    entries = await workspace.services.database.read(
        lambda connection: entries_of_message(connection, message.message_id)
    )
    assert [entry.kind for entry in entries] == ["message_out", "approval"]
    await audited(workspace)


async def test_late_approval_finds_it_expired(workspace: Workspace, chat: str) -> None:
    message = await held(workspace, chat)
    workspace.clock.at_utc_ms += HOURS_25_MS
    async with client_of(workspace, KENTA) as kenta:
        answer = await decide(kenta, message, approve=True)
    assert answer.json()["state"] == "expired"
    assert (await state_of(workspace, message)).state is DeliveryState.EXPIRED


async def test_held_message_ends_no_waiting(workspace: Workspace, chat: str) -> None:
    message = await held(workspace, chat)
    awaiting = f"SELECT awaiting FROM conversations WHERE conversation_id = '{chat}'"
    assert await workspace.scalar(awaiting) == 1
    async with client_of(workspace, KENTA) as kenta:
        await decide(kenta, message, approve=True)
    assert await workspace.scalar(awaiting) == 0


async def test_erased_message_can_not_be_approved(workspace: Workspace, chat: str) -> None:
    message = await held(workspace, chat)
    now = workspace.clock()
    await workspace.services.database.write(lambda c: erase_messages(c, [message.message_id], now))
    async with client_of(workspace, KENTA) as kenta:
        assert (await decide(kenta, message, approve=True)).status_code == 409
    assert await workspace.scalar("SELECT findings FROM approvals") == b"[]"


async def test_supervisor_reads_the_files_of_a_held_message(
    workspace: Workspace, chat: str
) -> None:
    message = await held(workspace, chat)
    row = {
        "attachment_id": "01a0c450-6c1c-7c2e-b4db-c552920003e5",
        "firm_id": FIRM,
        "owner_id": ELENA,
        "message_id": message.message_id,
        "name": "allocation.pdf",
        "media_type": "application/pdf",
        "size_bytes": 0,
        "sha256": "0" * 64,
        "complete": True,
        "created_at_utc_ms": 1,
    }
    database = workspace.services.database
    await database.write(lambda c: c.execute(insert(attachments).values(**row)))
    kenta = await database.read(lambda c: read_me(c, KENTA))
    assert kenta is not None
    found = await database.read(lambda c: readable_attachment(c, kenta, str(row["attachment_id"])))
    assert found.name == "allocation.pdf"
    await give_role(workspace, KENTA, "employee")
    employee = await database.read(lambda c: read_me(c, KENTA))
    assert employee is not None
    with pytest.raises(Refused):
        await database.read(lambda c: readable_attachment(c, employee, str(row["attachment_id"])))


async def test_stored_reply_holds_no_words(workspace: Workspace, chat: str) -> None:
    message = await held(workspace, chat)
    async with client_of(workspace, KENTA) as kenta:
        answer = await decide(kenta, message, approve=False, note="use the template")
    assert answer.json()["text"] == TEXT
    stored = "SELECT CAST(body AS TEXT) FROM idempotency WHERE key = 'k1'"
    assert await workspace.scalar(stored) == "{}"
