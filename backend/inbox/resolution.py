"""Owns the employee's word on a message whose delivery is unknown, archived as an override.

It never sends: `send_again` makes the delivery job claimable once more.
"""

from __future__ import annotations

from sqlalchemy import Connection, update

from backend.archive.entries import append_entry, new_salt
from backend.inbox.messages import message_row, set_delivery_state
from backend.inbox.rendering import read_messages
from backend.refusals import Refused, not_found
from backend.storage.tables import jobs
from contract.problems import ProblemCode
from contract.receipts.canonical import canonical_json
from contract.states import DeliveryState
from contract.wire import Direction, Me

CONFIRMED_BY_EMPLOYEE = "confirmed by employee"
GIVEN_UP_BY_EMPLOYEE = "given up by employee"
SEND_AGAIN = "send_again"
OUTCOMES: dict[str, tuple[DeliveryState, str]] = {
    SEND_AGAIN: (DeliveryState.QUEUED, ""),
    "treat_as_delivered": (DeliveryState.ACCEPTED, CONFIRMED_BY_EMPLOYEE),
    "give_up": (DeliveryState.FAILED, GIVEN_UP_BY_EMPLOYEE),
}


def resolve_unknown(
    connection: Connection, me: Me, message_id: str, action: str, now_utc_ms: int
) -> None:
    """Carry out `send_again`, `treat_as_delivered` or `give_up`; archives the override.

    Raises Refused when the action is unknown, the message not the employee's to see, or its
    outcome no longer unknown.
    """
    if action not in OUTCOMES:
        raise Refused(
            ProblemCode.BAD_REQUEST, f"The action must be one of: {', '.join(sorted(OUTCOMES))}."
        )
    visible = read_messages(connection, me.employee_id, [message_id])
    if not visible or visible[0].direction is not Direction.OUT:
        raise not_found("message")
    if visible[0].state is not DeliveryState.UNKNOWN:
        raise Refused(
            ProblemCode.CONFLICT,
            "This message's outcome is known by now: nothing was changed.",
        )
    row = message_row(connection, message_id)
    append_entry(
        connection,
        kind="override",
        actor_id=me.employee_id,
        conversation_id=row.conversation_id,
        message_id=message_id,
        revision=row.revision,
        occurred_at_utc_ms=now_utc_ms,
        salt=new_salt(),
        body=canonical_json({"action": action, "state": row.state}),
        firm_id=me.firm_id,
        now_utc_ms=now_utc_ms,
    )
    state, detail = OUTCOMES[action]
    set_delivery_state(connection, message_id, state, detail=detail, at_utc_ms=now_utc_ms)
    if action == SEND_AGAIN:
        connection.execute(
            update(jobs)
            .where(jobs.c.message_id == message_id)
            .values(
                state="ready",
                lease_owner=None,
                lease_until_utc_ms=None,
                not_before_utc_ms=0,
            )
        )
