"""What each outcome of an attempt means for the message, its job and its account.

It never talks to a channel.
"""

from __future__ import annotations

import random

from sqlalchemy import Connection

from backend.channels import faults
from backend.channels.contract import Account, Finding, Reconciliation, SendResult
from backend.delivery.accounts import pause_account
from backend.delivery.backoff import GIVE_UP_AFTER_S, retry_delay_s
from backend.delivery.claims import Claim, close_attempt, release
from backend.delivery.message_refs import keep_refs
from backend.inbox.messages import message_row, set_delivery_state
from contract.states import DeliveryState, apply_receipt
from contract.wire import IdempotencyClass

UNKNOWN_ECHO = (
    "It is not known whether the client got this. Parley waits for the channel's word; "
    "sending again may repeat it."
)
UNKNOWN = "It is not known whether the client got this. Sending again may repeat it."
_GAVE_UP = "The channel did not take the message for 24 hours. Send it again or call the client."
_LIMITED_FOR_LONG = (
    "The channel takes no messages for more than a day. It was not sent: reach the client another "
    "way."
)
_ORPHAN = (
    "The firm no longer sends from this account, so it was not sent. Write on another channel."
)
_jitter = random.Random()


def record_sent(connection: Connection, claim: Claim, result: SendResult, now_utc_ms: int) -> None:
    """Keep the vendor's id of a message it took, and free the lane.

    A receipt may have been faster than the vendor's answer: the higher state stays.
    """
    close_attempt(connection, claim, "accepted", "", now_utc_ms)
    before = DeliveryState(message_row(connection, claim.message_id).state)
    set_delivery_state(
        connection,
        claim.message_id,
        apply_receipt(before, result.state),
        at_utc_ms=now_utc_ms,
        external_id=result.external_id,
    )
    keep_refs(connection, claim.account_id, result.external_id, result.refs)


def record_fault(
    connection: Connection,
    claim: Claim,
    account: Account,
    fault: faults.ChannelFault,
    now_utc_ms: int,
    retry_at_utc_ms: int | None = None,
) -> None:
    """Map a connector's fault to retry, failure, pause or unknown (design: channels).

    With `retry_at_utc_ms` the traffic of the account says when it is tried again.
    """
    if message_row(connection, claim.message_id).state != DeliveryState.SENDING:
        # A receipt was faster than the fault: the channel's word stands.
        close_attempt(connection, claim, type(fault).__name__, fault.reason, now_utc_ms)
        return
    if isinstance(fault, faults.OutcomeUnknown):
        _record_unknown(connection, claim, account, fault, now_utc_ms, retry_at_utc_ms)
        return
    close_attempt(connection, claim, type(fault).__name__, fault.reason, now_utc_ms)
    if isinstance(fault, faults.Refusal):
        fail(connection, claim, fault.reason, now_utc_ms)
    elif isinstance(fault, faults.AccountFault):
        pause_account(connection, account.account_id, fault.reason, now_utc_ms)
        retry_at(connection, claim, now_utc_ms, fault.reason, now_utc_ms)
    elif isinstance(fault, faults.RateLimited):
        if fault.until_utc_ms - claim.created_at_utc_ms > GIVE_UP_AFTER_S * 1000:
            fail(connection, claim, _LIMITED_FOR_LONG, now_utc_ms)
            return
        at_utc_ms = fault.until_utc_ms if retry_at_utc_ms is None else retry_at_utc_ms
        retry_at(connection, claim, at_utc_ms, fault.reason, now_utc_ms)
    else:
        retry_later(connection, claim, fault.reason, now_utc_ms, retry_at_utc_ms)


def retry_later(
    connection: Connection,
    claim: Claim,
    reason: str,
    now_utc_ms: int,
    at_utc_ms: int | None = None,
) -> None:
    """Try again at a time, else after a growing pause; fails the message a day after its job."""
    if now_utc_ms - claim.created_at_utc_ms > GIVE_UP_AFTER_S * 1000:
        fail(connection, claim, _GAVE_UP, now_utc_ms)
        return
    if at_utc_ms is None:
        at_utc_ms = now_utc_ms + int(retry_delay_s(claim.attempt.n, _jitter) * 1000)
    retry_at(connection, claim, at_utc_ms, reason, now_utc_ms)


def retry_at(
    connection: Connection, claim: Claim, at_utc_ms: int, reason: str, now_utc_ms: int
) -> None:
    """Put the message back at the head of its lane until a time, saying why."""
    release(connection, claim.job_id, at_utc_ms)
    set_delivery_state(
        connection,
        claim.message_id,
        DeliveryState.QUEUED,
        detail=reason,
        at_utc_ms=now_utc_ms,
    )


def fail(connection: Connection, claim: Claim, reason: str, now_utc_ms: int) -> None:
    """End the message as failed with a plain reason; the lane goes on."""
    set_delivery_state(
        connection,
        claim.message_id,
        DeliveryState.FAILED,
        detail=reason,
        at_utc_ms=now_utc_ms,
    )


def fail_orphan(connection: Connection, message_id: str, now_utc_ms: int) -> None:
    """End a message that waits for an account which Parley no longer sends from."""
    state = DeliveryState.FAILED
    set_delivery_state(connection, message_id, state, detail=_ORPHAN, at_utc_ms=now_utc_ms)


def record_lost(
    connection: Connection, claim: Claim, account: Account | None, now_utc_ms: int
) -> None:
    """End the attempt of a worker that died: nobody knows whether it went out.

    With a server-side key the same key is sent again at once; elsewhere, and where the account
    is gone (None), nothing sends it again by itself.
    """
    close_attempt(connection, claim, "lease_ran_out", "", now_utc_ms)
    if account is not None and account.idempotency is IdempotencyClass.SERVER_KEY:
        retry_at(connection, claim, now_utc_ms, "", now_utc_ms)
    else:
        _hold(connection, claim, account, now_utc_ms)


def record_reconciled(
    connection: Connection, claim: Claim, found: Reconciliation, now_utc_ms: int
) -> None:
    """Apply what the vendor knows about an unknown message; "cannot tell" changes nothing."""
    if message_row(connection, claim.message_id).state != DeliveryState.UNKNOWN:
        return
    if found.finding is Finding.FOUND and found.result is not None:
        record_sent(connection, claim, found.result, now_utc_ms)
    elif found.finding is Finding.NOT_FOUND:
        retry_at(connection, claim, now_utc_ms, "", now_utc_ms)


def _hold(connection: Connection, claim: Claim, account: Account | None, now_utc_ms: int) -> None:
    echoes = account is not None and account.idempotency is IdempotencyClass.CLIENT_ECHO
    set_delivery_state(
        connection,
        claim.message_id,
        DeliveryState.UNKNOWN,
        detail=UNKNOWN_ECHO if echoes else UNKNOWN,
        at_utc_ms=now_utc_ms,
    )


def _record_unknown(
    connection: Connection,
    claim: Claim,
    account: Account,
    fault: faults.OutcomeUnknown,
    now_utc_ms: int,
    retry_at_utc_ms: int | None,
) -> None:
    close_attempt(connection, claim, "unknown", fault.reason, now_utc_ms)
    if account.idempotency is IdempotencyClass.SERVER_KEY:
        retry_later(connection, claim, fault.reason, now_utc_ms, retry_at_utc_ms)
    else:
        _hold(connection, claim, account, now_utc_ms)
