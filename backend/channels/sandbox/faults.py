"""The faults a sandbox vendor can be asked to play, and how each shows to the sender.

It never plays one by chance: each was asked for and is used up once.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from backend.channels import faults


class FaultKind(StrEnum):
    """What the vendor plays on one of the next sends."""

    SLOW = "slow"
    RETRYABLE = "retryable"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    TIMEOUT_AFTER_WRITE = "timeout_after_write"
    TIMEOUT_LOST = "timeout_lost"
    WINDOW_EXPIRED = "window_expired"
    CONSENT_MISSING = "consent_missing"
    RECIPIENT_INVALID = "recipient_invalid"
    CONTENT_INVALID = "content_invalid"
    ACCOUNT_FAULT = "account_fault"
    IDENTITY_CHANGED = "identity_changed"
    NO_RECEIPTS = "no_receipts"


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A fault to play `count` times; empty account or address means any. Delays in seconds."""

    kind: FaultKind
    seconds: float = 0.0
    count: int = 1
    account_id: str = ""
    address: str = ""


_REFUSALS: dict[FaultKind, tuple[type[faults.ChannelFault], str]] = {
    FaultKind.RETRYABLE: (faults.Retryable, "The channel did not answer. It is tried again."),
    FaultKind.WINDOW_EXPIRED: (
        faults.WindowExpired,
        "The channel's reply window is closed. Use a template, or wait for the client.",
    ),
    FaultKind.CONSENT_MISSING: (faults.ConsentMissing, "The client blocked this account."),
    FaultKind.RECIPIENT_INVALID: (
        faults.RecipientInvalid,
        "The client's address no longer exists on this channel.",
    ),
    FaultKind.CONTENT_INVALID: (faults.ContentInvalid, "The channel can't carry this message."),
    FaultKind.ACCOUNT_FAULT: (
        faults.AccountFault,
        "The channel refused the firm's account. An administrator has to mend it.",
    ),
    FaultKind.IDENTITY_CHANGED: (
        faults.IdentityChanged,
        "The client's identity on this channel changed. Check with the client first.",
    ),
}


def raise_refusal(fault: Fault, now_utc_ms: int) -> None:
    """Raise what `fault` stands for if the vendor answers with a no; return otherwise."""
    until_utc_ms = now_utc_ms + int(fault.seconds * 1000)
    if fault.kind is FaultKind.RATE_LIMITED:
        raise faults.RateLimited("The channel asks to slow down.", until_utc_ms)
    if fault.kind is FaultKind.QUOTA_EXHAUSTED:
        raise faults.QuotaExhausted("The account's quota is used up.", until_utc_ms)
    refusal = _REFUSALS.get(fault.kind)
    if refusal is not None:
        raise refusal[0](refusal[1])


def store_fault(connection: Any, fault: Fault) -> None:
    """Keep a fault for the next sends it fits."""
    connection.execute(
        "INSERT INTO faults(account_id, address, kind, seconds, remaining) VALUES (?,?,?,?,?)",
        (fault.account_id, fault.address, fault.kind.value, fault.seconds, fault.count),
    )


def take_fault(connection: Any, account_id: str, address: str) -> Fault | None:
    """Use up and return the oldest fault that fits this send, or None."""
    row = connection.execute(
        "SELECT id, kind, seconds, remaining FROM faults WHERE account_id IN ('', ?)"
        " AND address IN ('', ?) ORDER BY id LIMIT 1",
        (account_id, address),
    ).fetchone()
    if row is None:
        return None
    if row[3] <= 1:
        connection.execute("DELETE FROM faults WHERE id = ?", (row[0],))
    else:
        connection.execute("UPDATE faults SET remaining = remaining - 1 WHERE id = ?", (row[0],))
    return Fault(kind=FaultKind(row[1]), seconds=row[2])
