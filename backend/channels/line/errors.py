"""Owns what LINE's errors mean for a message.

It never passes the vendor's text on.

Errors: Messaging API reference, "Status codes" and "Error responses".
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from backend.channels import faults
from backend.channels.line.wire import Failure
from backend.channels.vendor_http import VendorReply, retry_after_ms

_WAIT_MS = 2_000
_MONTHLY = "monthly limit"


def fault_of(reply: VendorReply, now_utc_ms: int) -> faults.ChannelFault:
    """Return what an answer other than 2xx means."""
    try:
        words = msgspec.json.decode(reply.body, type=Failure).message.casefold()
    except msgspec.DecodeError:
        words = ""
    if reply.status == 429 and _MONTHLY in words:
        return faults.QuotaExhausted(
            "The firm's monthly quota of LINE messages is used up. The message waits.",
            next_month_utc_ms(now_utc_ms),
        )
    if reply.status == 429:
        wait_ms = retry_after_ms(reply, default_ms=_WAIT_MS)
        return faults.RateLimited("LINE asks to wait. The message waits.", now_utc_ms + wait_ms)
    if reply.status in {401, 403}:
        return faults.AccountFault("LINE refused the firm's account. It is paused.")
    if reply.status >= 500:
        return faults.Retryable("LINE has a fault of its own. The message waits.")
    if reply.status == 404 or "'to' invalid" in words or "property: to" in words:
        return faults.RecipientInvalid("This client can't be reached on LINE.")
    if "failed to send messages" in words:
        return faults.RecipientInvalid("This client is not a friend of the firm's LINE account.")
    return faults.ContentInvalid("LINE does not take this message.")


def next_month_utc_ms(now_utc_ms: int) -> int:
    """Return when the next month begins in Japan, where LINE counts (UTC+9)."""
    now = datetime.fromtimestamp(now_utc_ms / 1000 + 9 * 3600, UTC)
    year, month = (now.year + 1, 1) if now.month == 12 else (now.year, now.month + 1)
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp() * 1000) - 9 * 3_600_000
