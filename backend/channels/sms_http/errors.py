"""Owns what a Twilio-style SMS service's errors mean for a message.

It never passes the vendor's text on.

Codes: Twilio's error and warning dictionary.
"""

from __future__ import annotations

import msgspec

from backend.channels import faults
from backend.channels.vendor_http import VendorReply, retry_after_ms

_WAIT_MS = 2_000
_REFUSED = "The SMS service refused the firm's account. It is paused."
_BLOCKED = frozenset({30004, 30007})
_CONSENT = frozenset({21610})
_RECIPIENT = frozenset({21211, 21214, 21217, 21408, 21612, 21614, 30003, 30005, 30006})
_ACCOUNT = frozenset({20003, 20005, 20404, 21606, 21659, 21660, 30002})
_WINDOW = frozenset({63016})
_RATE = frozenset({20429, 14107, 30001, 63038})


class Failure(msgspec.Struct):
    """The answer to a request that was not taken."""

    code: int = 0


def fault_of(reply: VendorReply, now_utc_ms: int) -> faults.ChannelFault:
    """Return what an answer other than 2xx means."""
    try:
        code = msgspec.json.decode(reply.body, type=Failure).code
    except msgspec.DecodeError:
        code = 0
    if reply.status == 429 or code in _RATE:
        wait_ms = retry_after_ms(reply, default_ms=_WAIT_MS)
        return faults.RateLimited("The SMS service asks to wait.", now_utc_ms + wait_ms)
    if reply.status >= 500:
        return faults.Retryable("The SMS service has a fault of its own. The message waits.")
    if reply.status in {401, 403}:
        return faults.AccountFault(_REFUSED)
    return fault_of_code(code)


def fault_of_code(code: int) -> faults.ChannelFault:
    """Return what a code means, in an answer or in a later status."""
    if code in _ACCOUNT:
        return faults.AccountFault(_REFUSED)
    if code in _BLOCKED:
        return faults.ContentInvalid("The client's network blocked the message.")
    if code in _CONSENT:
        return faults.ConsentMissing("The client wrote STOP to this number.")
    if code in _RECIPIENT:
        return faults.RecipientInvalid("This number can't get an SMS.")
    if code in _WINDOW:
        return faults.WindowExpired("The channel's reply window is closed. Send a template.")
    return faults.ContentInvalid("The SMS service does not take this message.")
