"""A receipt tells the decision its entry names, unless that names what only the backend knows.

It never asks the service: rows are written by its own code and read back.
"""

from __future__ import annotations

import hashlib

import msgspec
from sqlalchemy import insert

from backend.archive.decision_hashes import disclosed_decision
from backend.storage.tables import decisions
from contract.policy.model import Action, Decision, Finding, OverrideKind, Scope
from contract.wire import ReceiptDocument
from tests.backend.workspace import (
    ELENA,
    FIRM,
    START_UTC_MS,
    Workspace,
    client_of,
    draft,
    submit,
)


def decision(scope: Scope) -> Decision:
    """Return a decision with one finding of this scope."""
    finding = Finding(
        rule_id="r", action=Action.HINT, confidence=90, message_key="k", message="m", scope=scope
    )
    return Decision(
        evaluator_version="2",
        bundle_version="2026.11.3",
        bundle_hash="aa" * 32,
        facts_hash="bb" * 32,
        draft_hash="cc" * 32,
        findings=(finding,),
        action=Action.HINT,
        override_kind=OverrideKind.NOT_ALLOWED,
    )


async def told(workspace: Workspace, made: Decision, decision_hash: str) -> str:
    """Keep a decision, and return what a receipt would tell of it."""

    def row() -> dict[str, object]:
        return {
            "decision_id": "d",
            "firm_id": FIRM,
            "message_id": "m",
            "revision": 0,
            "employee_id": ELENA,
            "action": made.action.value,
            "decision_hash": decision_hash,
            "decision": msgspec.json.encode(made),
            "decided_at_utc_ms": START_UTC_MS,
        }

    await workspace.services.database.write(lambda c: c.execute(insert(decisions).values(row())))
    return await workspace.services.database.read(
        lambda c: disclosed_decision(c, "d", decision_hash)
    )


async def test_receipt_tells_the_text_its_entry_names(workspace: Workspace) -> None:
    home = await workspace.conversation_of(await workspace.inbound("Hello"))
    command = draft("Thank you.", clock=workspace.clock)
    async with client_of(workspace) as client:
        assert (await submit(client, home, command)).status_code == 201
        answer = await client.get(f"/v1/messages/{command.message_id}/receipt")
    document = msgspec.json.decode(answer.content, type=ReceiptDocument)
    assert hashlib.sha256(document.decision.encode()).hexdigest() == document.decision_hash


async def test_rule_known_to_both_sides_is_told(workspace: Workspace) -> None:
    made = decision(Scope.BOTH)
    assert await told(workspace, made, made.decision_hash()) == made.canonical_bytes().decode()


async def test_rule_of_the_backend_alone_is_not_told(workspace: Workspace) -> None:
    made = decision(Scope.SERVER)
    assert await told(workspace, made, made.decision_hash()) == ""


def sealed_decision(*findings: Finding, action: Action, salt: str = "ab" * 32) -> Decision:
    """Return a decision as the backend archives it."""
    return msgspec.structs.replace(
        decision(Scope.BOTH), findings=findings, action=action, salt=salt
    )


async def test_what_a_silent_rule_found_changes_nothing_that_can_be_read(
    workspace: Workspace,
) -> None:
    (shown,) = decision(Scope.BOTH).findings
    silent = msgspec.structs.replace(
        shown, rule_id="watch.falcon", action=Action.LOG, scope=Scope.SERVER
    )
    flagged = sealed_decision(silent, action=Action.LOG)
    text = await told(workspace, flagged, flagged.decision_hash())
    clean = sealed_decision(action=Action.ALLOW)
    clean = msgspec.structs.replace(clean, override_kind=OverrideKind.WITHOUT_JUSTIFICATION)
    ours, theirs = (
        msgspec.json.decode(each.partition("\n")[2], type=list[object])
        for each in (text, clean.canonical_bytes().decode())
    )
    assert "falcon" not in text
    assert ours[:-1] == theirs[:-1]
    assert ours[-1] != theirs[-1]


def test_without_its_salt_nobody_can_tell_what_a_sealed_decision_withholds() -> None:
    clean = sealed_decision(action=Action.ALLOW)
    again = sealed_decision(action=Action.ALLOW, salt="cd" * 32)
    assert clean.decision_hash() != again.decision_hash()
    (shown,) = decision(Scope.SERVER).findings
    changed = msgspec.structs.replace(clean, findings=(shown,))
    assert changed.decision_hash() != clean.decision_hash()


async def test_every_submission_is_archived_sealed(workspace: Workspace) -> None:
    home = await workspace.conversation_of(await workspace.inbound("Hello"))
    texts = ("Thank you.", "Please call me at +41 44 555 01 99 tomorrow.")
    forms = []
    for text in texts:  # the second is noted silently, for Compliance alone
        command = draft(text, clock=workspace.clock)
        async with client_of(workspace) as client:
            assert (await submit(client, home, command)).status_code == 201
            answer = await client.get(f"/v1/messages/{command.message_id}/receipt")
        document = msgspec.json.decode(answer.content, type=ReceiptDocument)
        assert hashlib.sha256(document.decision.encode()).hexdigest() == document.decision_hash
        form = msgspec.json.decode(document.decision.partition("\n")[2], type=list[object])
        forms.append((form[:4], form[5:-1]))
    assert forms[0] == forms[1]
    noted = "SELECT count(*) FROM decisions WHERE instr(CAST(decision AS TEXT), 'identified.') > 0"
    assert await workspace.scalar(noted) == 1


async def test_decision_changed_since_is_not_told(workspace: Workspace) -> None:
    assert await told(workspace, decision(Scope.BOTH), "ab" * 32) == ""
