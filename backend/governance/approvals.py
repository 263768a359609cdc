"""Owns held messages: their holding, a supervisor's decision on them, and their expiry, archived.

It never lets one go against a block of today, and it never lets authors approve their own.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from backend.archive.entries import Recorded, append_entry, new_salt
from backend.governance.decisions import Verdict
from backend.governance.later import CAUSE_APPROVAL, Again, evaluate_again, keep_again
from backend.governance.policy import RunningPolicy
from backend.governance.settings import APPROVAL_HOURS, read_setting
from backend.governance.supervisors import is_supervisor, may_decide, tell_supervisors
from backend.inbox.conversations import count_contact
from backend.inbox.messages import message_row, set_delivery_state
from backend.inbox.queueing import queue_message
from backend.refusals import Refused, not_found
from backend.storage.supervision_tables import approvals
from contract.ids import idempotency_key
from contract.problems import ProblemCode
from contract.receipts.canonical import canonical_json
from contract.states import DeliveryState
from contract.supervision import ApprovalState, ApprovalVerdict
from contract.wire import Me, SubmitMessage

KIND_APPROVAL = "approval"
MAX_NOTE_CHARS = 1_000
EXPIRED_DETAIL = "No supervisor decided in time. Send it again if it is still needed."
_HOUR_MS = 3_600_000


def hold_message(
    connection: Connection, me: Me, command: SubmitMessage, verdict: Verdict, now_utc_ms: int
) -> None:
    """Enter a held message, written already, into the supervisors' queue, and tell them."""
    approval_id = idempotency_key(command.message_id, command.revision)
    hours = read_setting(connection, me.firm_id, APPROVAL_HOURS)
    connection.execute(
        insert(approvals).values(
            approval_id=approval_id,
            firm_id=me.firm_id,
            message_id=command.message_id,
            conversation_id=message_row(connection, command.message_id).conversation_id,
            author_id=me.employee_id,
            findings=msgspec.json.encode(verdict.findings),
            held_at_utc_ms=now_utc_ms,
            expires_at_utc_ms=now_utc_ms + hours * _HOUR_MS,
        )
    )
    tell_supervisors(connection, me.firm_id, now_utc_ms)


def decide_approval(
    connection: Connection,
    policy: RunningPolicy,
    me: Me,
    approval_id: str,
    verdict: ApprovalVerdict,
    now_utc_ms: int,
) -> ApprovalState:
    """Carry out a supervisor's decision; returns what became of the message.

    An approved message is evaluated again: a block of today wins over the approval.
    Raises Refused for one that is not the asker's to decide, or decided already.
    """
    note = verdict.note.strip()
    if len(note) > MAX_NOTE_CHARS:
        raise Refused(ProblemCode.BAD_REQUEST, "The note is too long.")
    if not verdict.approve and not note:
        raise Refused(ProblemCode.BAD_REQUEST, "A rejection needs a note for the author.")
    row = _open_approval(connection, me, approval_id)
    if row.expires_at_utc_ms <= now_utc_ms:
        _expire(connection, row, now_utc_ms)
        return ApprovalState.EXPIRED
    if not verdict.approve:
        detail = f"{_short_name(me)}: “{note}”"
        _close(connection, row, me.employee_id, ApprovalState.REJECTED, note, now_utc_ms)
        _archive(connection, row, me.employee_id, "rejected", note, "", now_utc_ms)
        _end(connection, row, DeliveryState.BLOCKED, detail, now_utc_ms)
        return ApprovalState.REJECTED
    again = evaluate_again(connection, policy, row.message_id, now_utc_ms)
    _approve(connection, row, me, note, again, now_utc_ms)
    return ApprovalState.REJECTED if again.reason else ApprovalState.APPROVED


def expire_approvals(connection: Connection, now_utc_ms: int) -> int:
    """End what nobody decided in time; returns how many."""
    rows = connection.execute(
        select(approvals).where(
            approvals.c.state == ApprovalState.PENDING,
            approvals.c.expires_at_utc_ms <= now_utc_ms,
        )
    ).all()
    for row in rows:
        _expire(connection, row, now_utc_ms)
    return len(rows)


def _open_approval(connection: Connection, me: Me, approval_id: str) -> Row[Any]:
    if not is_supervisor(me):
        raise Refused(ProblemCode.FORBIDDEN, "Only a supervisor decides on held messages.")
    row = connection.execute(
        select(approvals).where(approvals.c.approval_id == approval_id)
    ).one_or_none()
    if row is not None and row.author_id == me.employee_id:
        raise Refused(ProblemCode.FORBIDDEN, "Another supervisor has to decide on your message.")
    if row is None or not may_decide(connection, me, row):
        raise not_found("held message")
    if row.state != ApprovalState.PENDING:
        raise Refused(ProblemCode.CONFLICT, "This message was decided already: nothing changed.")
    return row


def _approve(
    connection: Connection, row: Row[Any], me: Me, note: str, again: Again, now_utc_ms: int
) -> None:
    state = ApprovalState.REJECTED if again.reason else ApprovalState.APPROVED
    _close(connection, row, me.employee_id, state, note, now_utc_ms)
    told = "overruled by policy" if again.reason else "approved"
    archived = _archive(connection, row, me.employee_id, told, note, again.hash, now_utc_ms)
    keep_again(
        connection,
        row.firm_id,
        row.message_id,
        CAUSE_APPROVAL,
        again,
        archived.entry_id,
        now_utc_ms,
    )
    if again.reason:
        _end(connection, row, DeliveryState.BLOCKED, again.reason, now_utc_ms)
        return
    _end(connection, row, DeliveryState.ARCHIVED, "", now_utc_ms)
    count_contact(connection, row.conversation_id, now_utc_ms)
    queue_message(connection, row.message_id, archived, now_utc_ms)


def _expire(connection: Connection, row: Row[Any], now_utc_ms: int) -> None:
    _close(connection, row, "", ApprovalState.EXPIRED, "", now_utc_ms)
    _archive(connection, row, "backend", "expired", "", "", now_utc_ms)
    _end(connection, row, DeliveryState.EXPIRED, EXPIRED_DETAIL, now_utc_ms)


def _close(
    connection: Connection,
    row: Row[Any],
    decided_by: str,
    state: ApprovalState,
    note: str,
    now_utc_ms: int,
) -> None:
    connection.execute(
        update(approvals)
        .where(approvals.c.approval_id == row.approval_id)
        .values(
            state=state,
            decided_by=decided_by or None,
            decided_at_utc_ms=now_utc_ms,
            note=note,
        )
    )


def _archive(
    connection: Connection,
    row: Row[Any],
    actor_id: str,
    decision: str,
    note: str,
    decision_hash: str,
    now_utc_ms: int,
) -> Recorded:
    """Record what was decided; the hash of the new evaluation stands in the body.

    The leaf names no decision of its own: that is the submission's, which its sender verifies.
    """
    body = {
        "approval": row.approval_id,
        "decision": decision,
        "evaluation": decision_hash,
        "note": note,
    }
    return append_entry(
        connection,
        kind=KIND_APPROVAL,
        actor_id=actor_id,
        conversation_id=row.conversation_id,
        message_id=row.message_id,
        revision=message_row(connection, row.message_id).revision,
        occurred_at_utc_ms=now_utc_ms,
        salt=new_salt(),
        body=canonical_json(body),
        firm_id=row.firm_id,
        now_utc_ms=now_utc_ms,
    )


def _end(
    connection: Connection, row: Row[Any], state: DeliveryState, detail: str, now_utc_ms: int
) -> None:
    """Move the message on, which tells its conversation's members, and tell the supervisors."""
    set_delivery_state(connection, row.message_id, state, detail=detail, at_utc_ms=now_utc_ms)
    tell_supervisors(connection, row.firm_id, now_utc_ms)


def _short_name(me: Me) -> str:
    """Return "K. Tan" of Kenta Tan; a single name stays whole."""
    first, _, last = me.display_name.strip().partition(" ")
    return f"{first[:1]}. {last}" if last else first
