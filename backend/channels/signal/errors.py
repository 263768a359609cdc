"""Owns what signal-cli's errors and results mean for a message.

It never passes the daemon's words on: they name people.

Codes: signal-cli-jsonrpc(5) and the JSON-RPC 2.0 specification.
"""

from __future__ import annotations

import msgspec

from backend.channels import faults
from backend.channels.signal.wire import FailedSend, Failure, SendOutcome

_USER, _INPUT_OUTPUT, _UNTRUSTED, _RATE_LIMIT = -1, -3, -4, -5
_PARSE, _REQUEST, _METHOD, _PARAMS = -32700, -32600, -32601, -32602
_WAIT_MS = 60_000
_GONE = ("unregistered", "not registered", "group not found", "not a group member")
_PROOF = (
    "Signal asks the firm's account for a proof that a person uses it (captcha). "
    "The account is paused until it was given to signal-cli."
)
_UNSURE = "Signal could not be reached in the middle of the sending."
_IDENTITY = (
    "The client's safety number changed. Compare it with the client, then have it trusted in "
    "signal-cli."
)


def fault_of(failure: Failure, now_utc_ms: int, *, repeatable: bool) -> faults.ChannelFault:
    """Return what an error means; `repeatable` says that nothing is lost by asking again."""
    try:
        results = msgspec.json.decode(failure.data, type=FailedSend).response.results
    except msgspec.DecodeError:
        results = []
    found = fault_in(results, now_utc_ms)
    if found is not None:
        return found
    if failure.code == _UNTRUSTED:
        return faults.IdentityChanged(_IDENTITY)
    if failure.code == _RATE_LIMIT:
        return faults.RateLimited("Signal asks to wait. The message waits.", now_utc_ms + _WAIT_MS)
    if failure.code == _PARAMS:
        return faults.AccountFault("signal-cli does not know the firm's number. It is paused.")
    if failure.code == _METHOD:
        return faults.AccountFault("This signal-cli lacks a function. Install version 0.13.19.")
    if failure.code in {_PARSE, _REQUEST}:
        return faults.ContentInvalid("signal-cli does not take this message.")
    words = failure.message.casefold()
    if failure.code == _USER and any(gone in words for gone in _GONE):
        return faults.RecipientInvalid("This client can't be reached on Signal.")
    if failure.code == _USER:
        return faults.ContentInvalid("Signal does not take this message.")
    return faults.Retryable(_UNSURE) if repeatable else faults.OutcomeUnknown(_UNSURE)


def fault_in(results: list[SendOutcome], now_utc_ms: int) -> faults.ChannelFault | None:
    """Return why a message reached nobody; None when it reached somebody, or none is told."""
    kinds = {result.type for result in results}
    if not kinds or "SUCCESS" in kinds:
        return None
    if "NETWORK_FAILURE" in kinds:
        return faults.OutcomeUnknown(_UNSURE)
    if "IDENTITY_FAILURE" in kinds:
        return faults.IdentityChanged(_IDENTITY)
    if "RATE_LIMIT_FAILURE" in kinds:
        if any(result.token for result in results):
            return faults.AccountFault(_PROOF)
        waits_s = max(result.retry_after_seconds or 0 for result in results)
        wait_ms = waits_s * 1000 or _WAIT_MS
        return faults.RateLimited("Signal asks to wait. The message waits.", now_utc_ms + wait_ms)
    if "UNREGISTERED_FAILURE" in kinds:
        return faults.RecipientInvalid("This client is not on Signal any more.")
    return faults.Retryable("The client's keys on Signal can't be used just now. It waits.")
