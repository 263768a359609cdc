"""Owns what is kept of a decision: its row, a hint that differed, and what Compliance looks at.

It never decides, and it never keeps a hint's words beyond what the client reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, insert

from backend.archive.entries import append_entry, new_salt
from backend.governance.answers import Answers, overridden, reported
from backend.governance.review_items import NewReview, add_review
from backend.governance.sampling import draw_samples
from backend.storage.bulk import Value, insert_rows
from backend.storage.supervision_tables import hint_differences
from backend.storage.tables import decisions
from contract.ids import ConversationId, MessageId, idempotency_key
from contract.policy.model import Decision
from contract.receipts.canonical import canonical_json
from contract.states import DeliveryState
from contract.supervision import ReviewKind
from contract.wire import HintReport

KIND_INCIDENT = "incident"
DRIFT_NONE = ""
DRIFT_STALE = "stale"
DRIFT_INCIDENT = "incident"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Whose submission was decided, and when; with the hash of the hint, where one came along."""

    firm_id: str
    employee_id: str
    conversation_id: ConversationId
    message_id: MessageId
    revision: int
    at_utc_ms: int
    hint_decision_hash: str | None = None

    @property
    def decision_id(self) -> str:
        """Return the id of the decision, which is the submission's key."""
        return idempotency_key(self.message_id, self.revision)


class HintDifference(NamedTuple):
    """A hint beside our decision on the client's own ground; an incident on equal ground."""

    hint: HintReport
    ours: Decision
    incident: bool

    @property
    def kind(self) -> str:
        """Return how the row of the decision names it."""
        return DRIFT_INCIDENT if self.incident else DRIFT_STALE


def record_decision(
    connection: Connection,
    occasion: Occasion,
    decision: Decision,
    state: DeliveryState,
    answers: Answers,
    difference: HintDifference | None,
) -> None:
    """Write the decision's row and everything that follows from it."""
    row: dict[str, Value] = {
        "decision_id": occasion.decision_id,
        "firm_id": occasion.firm_id,
        "message_id": occasion.message_id,
        "revision": occasion.revision,
        "employee_id": occasion.employee_id,
        "action": decision.action.value,
        "decision_hash": decision.decision_hash(),
        "decision": msgspec.json.encode(decision),
        "justification": answers.justification,
        "hint_decision_hash": occasion.hint_decision_hash,
        "drift": difference.kind if difference else DRIFT_NONE,
        "decided_at_utc_ms": occasion.at_utc_ms,
    }
    insert_rows(connection, decisions, tuple(row), [tuple(row.values())])
    if difference is not None:
        _keep_difference(connection, occasion, difference)
    if state is not DeliveryState.BLOCKED and (rules := overridden(decision, answers)):
        _review(connection, occasion, ReviewKind.OVERRIDE, rules)
    if rules := reported(decision, answers):
        _review(connection, occasion, ReviewKind.FALSE_POSITIVE, rules)
    for kind, rules in draw_samples(connection, occasion.firm_id, decision):
        _review(connection, occasion, kind, rules)


def _keep_difference(
    connection: Connection, occasion: Occasion, difference: HintDifference
) -> None:
    ours = difference.ours.canonical_bytes()
    entry_id = ""
    if difference.incident:
        hint = msgspec.to_builtins(difference.hint)
        entry_id = append_entry(
            connection,
            kind=KIND_INCIDENT,
            actor_id=occasion.employee_id,
            conversation_id=occasion.conversation_id,
            message_id=occasion.message_id,
            revision=occasion.revision,
            occurred_at_utc_ms=occasion.at_utc_ms,
            salt=new_salt(),
            body=canonical_json({"hint": hint, "ours": ours.decode()}),
            firm_id=occasion.firm_id,
            now_utc_ms=occasion.at_utc_ms,
        ).entry_id
        told = f"hint: {difference.hint.action}, enforced: {difference.ours.action.value}"
        rules = tuple(dict.fromkeys(finding.rule_id for finding in difference.ours.findings))
        _review(connection, occasion, ReviewKind.INCIDENT, rules, told)
    connection.execute(
        insert(hint_differences).values(
            decision_id=occasion.decision_id,
            firm_id=occasion.firm_id,
            kind=difference.kind,
            hint=msgspec.json.encode(difference.hint),
            ours=ours,
            entry_id=entry_id,
            at_utc_ms=occasion.at_utc_ms,
        )
    )


def _review(
    connection: Connection,
    occasion: Occasion,
    kind: ReviewKind,
    rule_ids: tuple[str, ...],
    detail: str = "",
) -> None:
    add_review(
        connection,
        NewReview(
            firm_id=occasion.firm_id,
            kind=kind,
            subject=occasion.decision_id,
            message_id=occasion.message_id,
            conversation_id=occasion.conversation_id,
            employee_id=occasion.employee_id,
            decision_id=occasion.decision_id,
            rule_ids=rule_ids,
            detail=detail,
        ),
        occasion.at_utc_ms,
    )
