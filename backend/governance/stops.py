"""Owns the stopping of queued messages that may not go any more, archived with the reason.

It never stops what a worker holds: a message under way is the channel's.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from backend.archive.entries import append_entry, new_salt
from backend.directory.confirmations import confirmation_deadline
from backend.directory.notices import is_notice
from backend.governance.later import CAUSE_DELIVERY, Again, evaluate_again, keep_again
from backend.governance.policy import RunningPolicy
from backend.inbox.messages import message_row, set_delivery_state
from backend.storage.tables import jobs
from contract.receipts.canonical import canonical_json
from contract.states import DeliveryState

KIND_STOPPED = "stopped"
OPTED_OUT = "The client opted out before this message was sent."
_TOO_LATE = "The confirmation of an opt-out may go within five minutes only: it was not sent."
_BACKEND = "backend"


def stop_if_forbidden(
    connection: Connection, policy: RunningPolicy, message_id: str, now_utc_ms: int
) -> bool:
    """Evaluate a message that is about to leave with today's facts; true when it was stopped.

    Walls, consent, windows and the bundle of now count. A recording notice goes without a look:
    the words are the firm's, and an opt-out stops what waits. The one confirmation of an opt-out
    goes in spite of it, until its time is over (47 CFR 64.1200(a)(12)).
    """
    deadline_utc_ms = confirmation_deadline(connection, message_id)
    if deadline_utc_ms is not None:
        if now_utc_ms <= deadline_utc_ms:
            return False
        _stop(connection, message_id, _TOO_LATE, None, DeliveryState.EXPIRED, now_utc_ms)
        return True
    if is_notice(connection, message_id):
        return False
    again = evaluate_again(connection, policy, message_id, now_utc_ms)
    if not again.reason:
        return False
    _stop(connection, message_id, again.reason, again, DeliveryState.FAILED, now_utc_ms)
    return True


def stop_waiting(
    connection: Connection, conversation_ids: Iterable[str], reason: str, now_utc_ms: int
) -> int:
    """Stop every message of the conversations that no worker holds; returns how many."""
    columns = jobs.c
    waiting = (
        connection.execute(
            select(columns.message_id)
            .where(columns.conversation_id.in_(list(conversation_ids)), columns.state == "ready")
            .order_by(columns.lane_order)
        )
        .scalars()
        .all()
    )
    for message_id in waiting:
        _stop(connection, message_id, reason, None, DeliveryState.FAILED, now_utc_ms)
    return len(waiting)


def _stop(
    connection: Connection,
    message_id: str,
    reason: str,
    again: Again | None,
    state: DeliveryState,
    now_utc_ms: int,
) -> None:
    row = message_row(connection, message_id)
    archived = append_entry(
        connection,
        kind=KIND_STOPPED,
        actor_id=_BACKEND,
        conversation_id=row.conversation_id,
        message_id=message_id,
        revision=row.revision,
        occurred_at_utc_ms=now_utc_ms,
        salt=new_salt(),
        body=canonical_json({"evaluation": again.hash if again else "", "reason": reason}),
        firm_id=row.firm_id,
        now_utc_ms=now_utc_ms,
    )
    if again is not None:
        keep_again(
            connection,
            row.firm_id,
            message_id,
            CAUSE_DELIVERY,
            again,
            archived.entry_id,
            now_utc_ms,
        )
    set_delivery_state(connection, message_id, state, detail=reason, at_utc_ms=now_utc_ms)
