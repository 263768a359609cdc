"""Owns what WhatsApp's error codes mean for a message.

It never passes the vendor's text on: it may hold a number or a name.

Codes: Meta's "Cloud API error codes".
"""

from __future__ import annotations

import msgspec

from backend.channels import faults
from backend.channels.vendor_http import VendorReply, retry_after_ms
from backend.channels.whatsapp.wire import Failure

_LATER = frozenset({1, 2, 131000, 131016, 131057, 133004})
_RATE = frozenset({4, 80007, 130429, 131048})
PAIR_RATE = 131056
_RECIPIENT = frozenset({131026, 131030, 131062, 131021})
_ACCOUNT = frozenset({0, 3, 10, 190, 368, 131005, 131031, 131042, 131045, 133010})
_CONSENT = frozenset({131050})
_WINDOW = frozenset({131047})
_IDENTITY = frozenset({137000})
_LIMIT_WAIT_MS = 60_000
_PAIR_WAIT_MS = 6_000


def fault_of_reply(reply: VendorReply, now_utc_ms: int) -> faults.ChannelFault:
    """Return what an answer other than 2xx means."""
    try:
        code = msgspec.json.decode(reply.body, type=Failure).error.code
    except msgspec.DecodeError:
        code = -1
    if code < 0 or (code not in _KNOWN and reply.status in {401, 429}):
        return _by_status(reply, now_utc_ms)
    return fault_of_code(code, now_utc_ms, retry_after_ms(reply, default_ms=_LIMIT_WAIT_MS))


def fault_of_code(code: int, now_utc_ms: int, wait_ms: int = _LIMIT_WAIT_MS) -> faults.ChannelFault:
    """Return what one of Meta's codes means, in an answer or in a later webhook."""
    if code in _LATER:
        return faults.Retryable("WhatsApp has a fault of its own. The message waits.")
    if code == PAIR_RATE:
        return faults.RateLimited(
            "WhatsApp takes no more messages to this client just now. The message waits.",
            now_utc_ms + _PAIR_WAIT_MS,
            faults.LimitScope.CHAT,
        )
    if code in _RATE:
        return faults.RateLimited(
            "WhatsApp takes no more messages from this number just now. The message waits.",
            now_utc_ms + wait_ms,
        )
    if code in _WINDOW:
        return faults.WindowExpired(
            "The client's last message is more than 24 hours old. Send an approved template."
        )
    if code in _CONSENT:
        return faults.ConsentMissing("The client stopped messages from this number.")
    if code in _RECIPIENT:
        return faults.RecipientInvalid("This client can't be reached on WhatsApp.")
    if code in _IDENTITY:
        return faults.IdentityChanged(
            "The client's identity on WhatsApp changed. Make sure who it is before you write."
        )
    if code in _ACCOUNT:
        return faults.AccountFault("WhatsApp refused the firm's number. It is paused.")
    return faults.ContentInvalid(f"WhatsApp does not take this message (code {code}).")


_KNOWN = _LATER | _RATE | {PAIR_RATE} | _RECIPIENT | _ACCOUNT | _CONSENT | _WINDOW | _IDENTITY


def _by_status(reply: VendorReply, now_utc_ms: int) -> faults.ChannelFault:
    if reply.status == 429:
        wait_ms = retry_after_ms(reply, default_ms=_LIMIT_WAIT_MS)
        return faults.RateLimited("WhatsApp asks to wait.", now_utc_ms + wait_ms)
    if reply.status in {401, 403}:
        return faults.AccountFault("WhatsApp refused the firm's number. It is paused.")
    if reply.status >= 500:
        return faults.Retryable("WhatsApp has a fault of its own. The message waits.")
    return faults.ContentInvalid("WhatsApp does not take this message.")
