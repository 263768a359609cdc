"""Owns what Telegram's errors mean for a message.

It never passes the vendor's text on: it may hold a name.

Errors: Bot API, "Making requests" and ResponseParameters.
"""

from __future__ import annotations

import msgspec

from backend.channels import faults
from backend.channels.telegram.wire import Failure
from backend.channels.vendor_http import VendorReply

_GONE = (
    "chat not found",
    "user not found",
    "peer_id_invalid",
    "user is deactivated",
    "user_deactivated",
    "business_peer_invalid",
)
_DEFAULT_WAIT_S = 5


def failure_of(reply: VendorReply) -> Failure:
    """Return what Telegram says of a refused request; nothing known when it says nothing."""
    try:
        return msgspec.json.decode(reply.body, type=Failure)
    except msgspec.DecodeError:
        return Failure(error_code=reply.status)


def fault_of(reply: VendorReply, now_utc_ms: int) -> faults.ChannelFault:
    """Return what an answer other than 2xx means."""
    failure = failure_of(reply)
    code, words = failure.error_code or reply.status, failure.description.casefold()
    if code == 429:
        wait_s = failure.parameters.retry_after or _DEFAULT_WAIT_S
        return faults.RateLimited(
            "Telegram takes no more messages just now. The message waits.",
            now_utc_ms + wait_s * 1000,
            faults.LimitScope.CHAT,
        )
    if code == 403:
        return faults.ConsentMissing("The client blocked this account on Telegram, or left.")
    if code in {401, 404}:
        return faults.AccountFault("Telegram refused the firm's bot. It is paused.")
    if code >= 500:
        return faults.Retryable("Telegram has a fault of its own. The message waits.")
    if code == 409:
        return faults.Retryable("Another program reads this bot's messages. Stop one of the two.")
    if any(gone in words for gone in _GONE):
        return faults.RecipientInvalid("This client can't be reached on Telegram.")
    if "business connection" in words or "business_connection" in words:
        return faults.AccountFault("Telegram's business connection ended. The account is paused.")
    return faults.ContentInvalid("Telegram does not take this message.")
