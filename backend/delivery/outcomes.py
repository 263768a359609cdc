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
) -> None:
    """Map a connector's fault to retry, failure, pause or unknown (design: channels)."""
    if message_row(connection, claim.message_id).state != DeliveryState.SENDING:
        # A receipt was faster than the fault: the channel's word stands.
        close_attempt(connection, claim, type(fault).__name__, fault.reason, now_utc_ms)
        return
    if isinstance(fault, faults.OutcomeUnknown):
        _record_unknown(connection, claim, account, fault, now_utc_ms)
        return
    close_attempt(connection, claim, type(fault).__name__, fault.reason, now_utc_ms)
    if isinstance(fault, faults.Refusal):
        fail(connection, claim, fault.reason, now_utc_ms)
    elif isinstance(fault, faults.AccountFault):
        pause_account(connection, account.account_id, fault.reason, now_utc_ms)
        retry_at(connection, claim, now_utc_ms, fault.reason, now_utc_ms)
    elif isinstance(fault, faults.RateLimited):
        retry_at(connection, claim, fault.until_utc_ms, fault.reason, now_utc_ms)
    else:
        retry_later(connection, claim, fault.reason, now_utc_ms)


def retry_later(connection: Connection, claim: Claim, reason: str, now_utc_ms: int) -> None:
    """Try again after a growing pause; fails the message once its job is a day old."""
    if now_utc_ms - claim.created_at_utc_ms > GIVE_UP_AFTER_S * 1000:
        fail(connection, claim, _GAVE_UP, now_utc_ms)
        return
    wait_ms = int(retry_delay_s(claim.attempt.n, _jitter) * 1000)
    retry_at(connection, claim, now_utc_ms + wait_ms, reason, now_utc_ms)


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


def record_lost(connection: Connection, claim: Claim, account: Account, now_utc_ms: int) -> None:
    """End the attempt of a worker that died: nobody knows whether it went out.

    With a server-side key the same key is sent again at once; elsewhere nothing sends it again
    by itself.
    """
    close_attempt(connection, claim, "lease_ran_out", "", now_utc_ms)
    if account.idempotency is IdempotencyClass.SERVER_KEY:
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


def _hold(connection: Connection, claim: Claim, account: Account, now_utc_ms: int) -> None:
    echoes = account.idempotency is IdempotencyClass.CLIENT_ECHO
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
) -> None:
    close_attempt(connection, claim, "unknown", fault.reason, now_utc_ms)
    if account.idempotency is IdempotencyClass.SERVER_KEY:
        retry_later(connection, claim, fault.reason, now_utc_ms)
    else:
        _hold(connection, claim, account, now_utc_ms)
