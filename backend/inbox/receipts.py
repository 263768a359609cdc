"""Owns what channels report about messages we sent: archived, then applied to the state.

It never lowers a state: ranks come from contract.states.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from backend.archive.entries import append_entry, new_salt
from backend.inbox.messages import find_by_external_id, message_row, set_delivery_state
from backend.storage.tables import attempts, jobs
from contract.ids import MessageId
from contract.receipts.canonical import canonical_json
from contract.states import DeliveryState, apply_receipt


def record_receipt(
    connection: Connection,
    *,
    account_id: str,
    reported: DeliveryState,
    at_utc_ms: int,
    now_utc_ms: int,
    external_id: str | None = None,
    opaque_key: str | None = None,
    detail: str = "",
) -> MessageId | None:
    """Archive a receipt and raise its message's state; returns the message, None if unknown.

    The message is found by the channel's id of it or by the attempt's key that the channel
    echoes. A late receipt is archived and changes nothing.
    """
    message_id = None
    if external_id is not None:
        message_id = find_by_external_id(connection, account_id, external_id)
    if message_id is None and opaque_key is not None:
        message_id = _find_by_attempt(connection, account_id, opaque_key)
    if message_id is None:
        return None
    row = message_row(connection, message_id)
    append_entry(
        connection,
        kind="receipt",
        actor_id=account_id,
        conversation_id=row.conversation_id,
        message_id=message_id,
        revision=row.revision,
        occurred_at_utc_ms=at_utc_ms,
        salt=new_salt(),
        body=canonical_json(
            {"detail": detail, "external_id": external_id or "", "reported": reported.value}
        ),
        firm_id=row.firm_id,
        now_utc_ms=now_utc_ms,
    )
    if row.state is not None:
        before = DeliveryState(row.state)
        set_delivery_state(
            connection,
            message_id,
            apply_receipt(before, reported),
            detail=detail if apply_receipt(before, reported) is not before else "",
            at_utc_ms=now_utc_ms,
            external_id=external_id,
        )
    return message_id


def _find_by_attempt(connection: Connection, account_id: str, key: str) -> MessageId | None:
    found = connection.execute(
        select(jobs.c.message_id)
        .join(attempts, attempts.c.job_id == jobs.c.job_id)
        .where(attempts.c.key == key, jobs.c.account_id == account_id)
    ).scalar()
    return None if found is None else MessageId(found)
