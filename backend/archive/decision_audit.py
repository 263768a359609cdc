"""Owns the audit of decisions: each one's content against the hash that a leaf commits to.

It never decides anew: it says whether what was decided is still what is written down.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, select

from backend.archive.decision_hashes import stored_decision_hash
from backend.archive.projection_rows import AboutEntry, MessageFacts
from backend.archive.tree_audit import Fault
from backend.storage.supervision_tables import later_decisions
from backend.storage.tables import archive_bodies, archive_entries, decisions, messages
from contract.policy.model import Action, Decision
from contract.receipts.bodies import KIND_MESSAGE_OUT
from contract.states import DeliveryState


class _Named(msgspec.Struct):
    """What the entry of an approval or a stop says of the evaluation it rests on."""

    evaluation: str


_LETS_PASS = frozenset({Action.ALLOW, Action.LOG, Action.HINT})


def decision_fault(facts: MessageFacts) -> str:
    """Return what is wrong with the decisions on one message, or an empty text."""
    committed = {
        entry.envelope.decision_hash for entry in facts.entries if entry.envelope.decision_hash
    }
    by_id = {row.decision_id: row for row in facts.decisions}
    for row in facts.decisions:
        try:
            decision = msgspec.json.decode(row.decision, type=Decision)
        except (msgspec.DecodeError, ValueError):
            return "the decision on it can't be read"
        if (
            stored_decision_hash(decision) != row.decision_hash
            or decision.action.value != row.action
        ):
            return "the decision on it is not the one its hash names"
        if row.decision_hash not in committed:
            return "the decision on it is not one that the archive commits to"
    for entry in facts.entries:
        if entry.kind != KIND_MESSAGE_OUT or not entry.envelope.decision_hash:
            continue
        fault = _fault_at_entry(facts, entry, by_id.get(entry.entry_id))
        if fault:
            return fault
    return ""


def _fault_at_entry(facts: MessageFacts, entry: AboutEntry, row: Row[Any] | None) -> str:
    if row is None or row.decision_hash != entry.envelope.decision_hash:
        return "the decision on it is missing, or another one than archived"
    made = (entry.envelope.actor_id, entry.archived_at_utc_ms)
    if (row.employee_id, row.decided_at_utc_ms) != made:
        return "the decision on it was made by another, or at another time, than archived"
    if row.justification != ("" if entry.body is None else entry.body.justification):
        return "the reason given for it is not the one archived"
    return _against_state(facts, Action(row.action))


def _against_state(facts: MessageFacts, action: Action) -> str:
    blocked = facts.row.state == DeliveryState.BLOCKED.value
    if action is Action.BLOCK and not blocked:
        return f"it was refused, and is shown as {facts.row.state}"
    if blocked and action in _LETS_PASS:
        return "it was allowed, and is shown as refused"
    return ""


def check_no_stray_decision(connection: Connection) -> None:
    """Raise Fault for a decision on a message that is nowhere."""
    columns = decisions.c
    stray = connection.execute(
        select(columns.decision_id)
        .outerjoin(messages, messages.c.message_id == columns.message_id)
        .outerjoin(archive_entries, archive_entries.c.entry_id == columns.decision_id)
        .where(messages.c.message_id.is_(None), archive_entries.c.entry_id.is_(None))
        .limit(1)
    ).scalar()
    if stray is not None:
        raise Fault(f"decision {stray} belongs to no message and no entry")


def audit_later_decisions(connection: Connection) -> None:
    """Compare each decision taken at approval or delivery with the one its entry's body names.

    Raises Fault for the first that is another one, or whose entry is missing.
    """
    later, entries, bodies = later_decisions.c, archive_entries.c, archive_bodies.c
    query: Select[Any] = (
        select(
            later.message_id,
            later.action,
            later.decision_hash,
            later.decision,
            entries.sequence,
            bodies.body,
        )
        .outerjoin(archive_entries, entries.entry_id == later.entry_id)
        .outerjoin(archive_bodies, bodies.entry_id == later.entry_id)
        .order_by(later.later_id)
        .execution_options(yield_per=500)
    )
    for row in connection.execute(query):
        fault = _fault_of_later(row)
        if fault:
            raise Fault(f"message {row.message_id}: the later decision on it {fault}", row.sequence)


def _fault_of_later(row: Row[Any]) -> str:
    try:
        decision = msgspec.json.decode(row.decision, type=Decision)
        named = None if row.body is None else msgspec.json.decode(row.body, type=_Named)
    except (msgspec.DecodeError, ValueError):
        return "can't be read"
    if stored_decision_hash(decision) != row.decision_hash or decision.action.value != row.action:
        return "is not the one its hash names"
    if row.sequence is None:
        return "was never archived"
    if named is not None and named.evaluation != row.decision_hash:
        return "is not the one that was archived"
    return ""
