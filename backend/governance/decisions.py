"""Owns the backend's own decision on a submission, with the state the message starts in.

It never trusts the client's decision: it compares it and keeps the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection

from backend.governance.answers import Answers, starting_state
from backend.governance.attachments import inspected_attachments
from backend.governance.consent_first import with_consent_first
from backend.governance.facts import Content, Ground, ground_of
from backend.governance.findings import sealed, sender_findings
from backend.governance.policy import RunningPolicy
from backend.governance.records import HintDifference, Occasion, record_decision
from contract.ids import ConversationId
from contract.inspection.facts import uninspected_attachment
from contract.policy.model import Decision
from contract.policy.parity import Parity, compare_hint
from contract.policy.recipient_detectors import timed_rules
from contract.receipts.leaf import body_commitment
from contract.states import DeliveryState
from contract.wire import Attachment, Conversation, HintReport, Me, SubmitMessage, WireFinding


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided: the state the message starts in, and what the sender may read."""

    decision: Decision
    decision_hash: str
    state: DeliveryState
    findings: tuple[WireFinding, ...]
    parity: Parity


def decide(
    connection: Connection,
    policy: RunningPolicy,
    me: Me,
    conversation: Conversation,
    command: SubmitMessage,
    files: Sequence[Attachment],
    now_utc_ms: int,
) -> Verdict:
    """Evaluate a submission with the facts of a time and write all that is kept of it.

    A hint that differs is kept; on equal ground it is an incident and archived, too. Overrides,
    false positives and samples enter Compliance's queue.
    """
    content = Content(
        text=command.text,
        files=inspected_attachments(connection, files),
        quote_message_id=command.quote_message_id,
        template_id=command.template_id,
        several=command.several,
    )
    ground = ground_of(connection, me, conversation, content, now_utc_ms)
    decision = with_consent_first(connection, me, conversation, policy.enforce(*ground))
    decision = sealed(decision)
    if command.justification:
        decision = msgspec.structs.replace(decision, justification=_commitment(command))
    answers = Answers.of(command)
    parity, difference = _compared(policy, ground, files, command.hint)
    verdict = Verdict(
        decision=decision,
        decision_hash=decision.decision_hash(),
        state=starting_state(decision, answers),
        findings=sender_findings(policy, decision, me.language),
        parity=parity,
    )
    occasion = Occasion(
        firm_id=me.firm_id,
        employee_id=me.employee_id,
        conversation_id=ConversationId(conversation.conversation_id),
        message_id=command.message_id,
        revision=command.revision,
        at_utc_ms=now_utc_ms,
        hint_decision_hash=command.hint.decision_hash if command.hint else None,
    )
    record_decision(connection, occasion, decision, verdict.state, answers, difference)
    return verdict


def _commitment(command: SubmitMessage) -> str:
    """Return what the decision holds of a reason: its words can be erased, the hash stays."""
    return body_commitment(bytes.fromhex(command.salt), command.justification.encode())


def _compared(
    policy: RunningPolicy, ground: Ground, files: Sequence[Attachment], hint: HintReport | None
) -> tuple[Parity, HintDifference | None]:
    """Compare a hint with what the client's own bundle says on what the client may know."""
    if hint is None:
        return Parity.NO_HINT, None
    ours = policy.hint(ground.facts, ground.draft)
    parity = compare_hint(hint, ours, timed_rules(policy.client.rules))
    if parity is Parity.AGREES:
        return parity, None
    if parity is Parity.INCIDENT and files and _before_inspection(policy, ground, files, hint):
        parity = Parity.DRIFT
    return parity, HintDifference(hint, ours, incident=parity is Parity.INCIDENT)


def _before_inspection(
    policy: RunningPolicy, ground: Ground, files: Sequence[Attachment], hint: HintReport
) -> bool:
    """Tell whether the hint is the decision on the same draft with its files not inspected yet.

    So it is after a restart without a line, when only the backend still knows what is in them.
    """
    unread = tuple(
        uninspected_attachment(file.name, file.media_type, file.sha256, file.size_bytes)
        for file in files
    )
    draft = msgspec.structs.replace(ground.draft, attachments=unread)
    ours = policy.hint(ground.facts, draft)
    return compare_hint(hint, ours, timed_rules(policy.client.rules)) is not Parity.INCIDENT
