"""Owns the letters that were not delivered: their list, and an administrator's word to try again.

It never sends again what may have arrived: on that only the employee decides, in the app.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, select, update

from backend.archive.entries import append_entry, new_salt
from backend.inbox.messages import message_row, set_delivery_state, update_message
from backend.inbox.resolution import GIVEN_UP_BY_EMPLOYEE
from backend.storage.tables import attempts, channel_accounts, jobs, messages
from contract.receipts.canonical import canonical_json
from contract.states import DeliveryState
from contract.wire import Direction, IdempotencyClass

KIND_RETRIED = "dead_letter_retried"
_DEAD = (DeliveryState.FAILED.value, DeliveryState.UNKNOWN.value)
# How an attempt ends that nobody knows the outcome of.
_OPEN_ENDS = ("unknown", "lease_ran_out", "")


class RetryRefused(Exception):
    """This letter can't be tried again from here; the text says why, and what to do."""


class Fate(NamedTuple):
    """What is known of a letter that was not delivered; no outcome: it was never tried."""

    message: Any
    connector: str
    idempotency: str
    has_job: bool
    last_outcome: str | None


def dead_letters(connection: Connection) -> list[dict[str, Any]]:
    """Return failed and unknown deliveries in their order, and whether each may be retried."""
    columns = messages.c
    ids = connection.execute(
        select(columns.message_id)
        .where(columns.direction == Direction.OUT.value, columns.state.in_(_DEAD))
        .order_by(columns.place_index)
    ).scalars()
    found = []
    for message_id in ids.all():
        fate = _fate(connection, message_id)
        row = fate.message
        found.append(
            {
                "message_id": row.message_id,
                "conversation_id": row.conversation_id,
                "account_id": row.account_id,
                "state": row.state,
                "state_detail": row.state_detail,
                "state_at_utc_ms": row.state_at_utc_ms,
                "may_be_retried": not _refusal(fate),
            }
        )
    return found


def retry_dead_letter(
    connection: Connection, message_id: str, by: str, why: str, now_utc_ms: int
) -> None:
    """Have a failed message tried once more, at the head of its lane; archives who and why.

    Policy looks at it again before it leaves. Raises RetryRefused.
    """
    if not why.strip():
        raise RetryRefused("Say why: the archive keeps it.")
    known = connection.execute(
        select(messages.c.message_id).where(
            messages.c.message_id == message_id, messages.c.direction == Direction.OUT.value
        )
    ).first()
    if known is None:
        raise RetryRefused("There is no such message.")
    fate = _fate(connection, message_id)
    refusal = _refusal(fate)
    if refusal:
        raise RetryRefused(refusal)
    row = fate.message
    append_entry(
        connection,
        kind=KIND_RETRIED,
        actor_id=by,
        conversation_id=row.conversation_id,
        message_id=message_id,
        revision=row.revision,
        occurred_at_utc_ms=now_utc_ms,
        salt=new_salt(),
        body=canonical_json({"state": row.state, "detail": row.state_detail, "why": why.strip()}),
        firm_id=row.firm_id,
        now_utc_ms=now_utc_ms,
    )
    set_delivery_state(connection, message_id, DeliveryState.QUEUED, at_utc_ms=now_utc_ms)
    # The vendor gives a message that is sent anew an id of its own.
    update_message(connection, message_id, now_utc_ms, external_id=None)
    # A job of its own age would be given up at once: its day begins anew.
    connection.execute(
        update(jobs)
        .where(jobs.c.message_id == message_id)
        .values(
            state="ready",
            lease_owner=None,
            lease_until_utc_ms=None,
            not_before_utc_ms=0,
            created_at_utc_ms=now_utc_ms,
        )
    )


def _fate(connection: Connection, message_id: str) -> Fate:
    row = message_row(connection, message_id)
    account = connection.execute(
        select(channel_accounts.c.connector, channel_accounts.c.idempotency).where(
            channel_accounts.c.account_id == row.account_id
        )
    ).one()
    last = connection.execute(
        select(attempts.c.outcome)
        .join(jobs, jobs.c.job_id == attempts.c.job_id)
        .where(jobs.c.message_id == message_id)
        .order_by(attempts.c.n.desc())
        .limit(1)
    ).scalar()
    job = connection.execute(
        select(jobs.c.job_id).where(jobs.c.message_id == message_id).limit(1)
    ).first()
    return Fate(row, account.connector, account.idempotency, job is not None, last)


def _refusal(fate: Fate) -> str:
    """Return why a letter may not be tried again by an administrator, empty where it may."""
    row = fate.message
    if row.state == DeliveryState.UNKNOWN:
        return (
            "Nobody knows whether the client got this: sending it again may repeat it. Only the "
            "employee can decide that, in Parley."
        )
    if row.state != DeliveryState.FAILED or not fate.has_job:
        return "This message has not failed: nothing was changed."
    keyed = fate.idempotency == IdempotencyClass.SERVER_KEY.value
    may_have_arrived = fate.last_outcome in _OPEN_ENDS and not keyed
    if row.state_detail == GIVEN_UP_BY_EMPLOYEE or may_have_arrived:
        return (
            "The employee gave this up without knowing whether the client got it: it can only be "
            "written anew, in Parley."
        )
    if row.deleted:
        return "This message was taken back: it can't be sent any more."
    if not fate.connector:
        return "Its account is out of use: the employee has to write on another channel."
    return ""
