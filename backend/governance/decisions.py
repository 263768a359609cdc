"""Owns the backend's own decision on a submission, with the facts it rests on.

It never trusts the client's decision: it compares it and keeps the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, insert

from backend.directory.people import read_contacts
from backend.governance.policy import RunningPolicy
from backend.storage.tables import decisions
from contract.ids import idempotency_key
from contract.policy.disclosure import findings_for_sender
from contract.policy.evaluate import evaluate
from contract.policy.facts import conversation_draft, conversation_facts
from contract.policy.model import EVALUATOR_VERSION, Action, Decision, facts_hash
from contract.policy.model import Attachment as PolicyAttachment
from contract.states import DeliveryState
from contract.wire import Attachment, Conversation, HintReport, Me, SubmitMessage, WireFinding

DRIFT_NONE = ""
DRIFT_STALE = "stale"
DRIFT_INCIDENT = "incident"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided: the state the message starts in, and what the sender may read."""

    decision: Decision
    decision_hash: str
    state: DeliveryState
    findings: tuple[WireFinding, ...]
    drift: str


def decide(
    connection: Connection,
    policy: RunningPolicy,
    me: Me,
    conversation: Conversation,
    command: SubmitMessage,
    files: Sequence[Attachment],
    now_utc_ms: int,
) -> Verdict:
    """Evaluate a submission with today's facts and write the decision's row.

    A rule that asks for a reason blocks until one is given; one that asks for approval holds.
    """
    contacts = read_contacts(connection, me.employee_id, conversation.contact_ids)
    facts = conversation_facts(conversation, contacts, now_utc_ms)
    draft = conversation_draft(
        conversation,
        contacts,
        command.text,
        [
            PolicyAttachment(
                name=file.name,
                media_type=file.media_type,
                size_bytes=file.size_bytes,
                sha256=file.sha256,
            )
            for file in files
        ],
        me.language,
    )
    decision = evaluate(policy.server, facts, draft)
    drift = DRIFT_NONE
    if command.hint is not None:
        drift = _drift(command.hint, evaluate(policy.client, facts, draft), facts_hash(facts))
    verdict = Verdict(
        decision=decision,
        decision_hash=decision.decision_hash(),
        state=_state(decision.action, command.justification),
        findings=_for_sender(policy, decision, me.language),
        drift=drift,
    )
    _record(connection, me, command, verdict, now_utc_ms)
    return verdict


def _state(action: Action, justification: str) -> DeliveryState:
    if action is Action.BLOCK or (action is Action.JUSTIFY and not justification.strip()):
        return DeliveryState.BLOCKED
    return DeliveryState.HELD if action is Action.APPROVE else DeliveryState.ARCHIVED


def _for_sender(
    policy: RunningPolicy, decision: Decision, language: str
) -> tuple[WireFinding, ...]:
    return tuple(
        WireFinding(
            rule_id=finding.rule_id,
            action=finding.action.value,
            start=finding.start,
            end=finding.end,
            message_key=finding.message_key,
            message=finding.message,
        )
        for finding in findings_for_sender(policy.server, decision, language)
    )


def _drift(hint: HintReport, ours: Decision, our_facts_hash: str) -> str:
    """Tell how the client's decision differs from ours on the rules both know."""
    if hint.decision_hash == ours.decision_hash():
        return DRIFT_NONE
    equal_ground = (
        hint.evaluator_version == EVALUATOR_VERSION
        and hint.bundle_version == ours.bundle_version
        and hint.facts_hash == our_facts_hash
    )
    return DRIFT_INCIDENT if equal_ground else DRIFT_STALE


def _record(
    connection: Connection, me: Me, command: SubmitMessage, verdict: Verdict, now_utc_ms: int
) -> None:
    connection.execute(
        insert(decisions).values(
            decision_id=idempotency_key(command.message_id, command.revision),
            firm_id=me.firm_id,
            message_id=command.message_id,
            revision=command.revision,
            employee_id=me.employee_id,
            action=verdict.decision.action.value,
            decision_hash=verdict.decision_hash,
            decision=msgspec.json.encode(verdict.decision),
            justification=command.justification,
            hint_decision_hash=command.hint.decision_hash if command.hint else None,
            drift=verdict.drift,
            decided_at_utc_ms=now_utc_ms,
        )
    )
