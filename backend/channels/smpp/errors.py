"""Owns what an SMS centre's command status means for a message or a bind.

It never passes anything of the message on.

Codes: SMPP v3.4, section 5.1.3; 0x400 to 0x4FF are each centre's own.
"""

from __future__ import annotations

from backend.channels import faults

_WAIT_MS = 2_000
_THROTTLED = frozenset({0x58})
_LATER = frozenset({0x08, 0x14, 0x64})
_RECIPIENT = frozenset({0x0B, 0x50, 0x51})
_ACCOUNT = frozenset({0x0A, 0x0D, 0x0E, 0x0F, 0x48, 0x49, 0x53})
_CONTENT = frozenset({0x01, 0x02, 0x03, 0x15, 0x43, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4})
_BOUND_ALREADY = 0x05
_NOT_BOUND = 0x04


def fault_of(status: int, now_utc_ms: int) -> faults.ChannelFault:
    """Return what a status other than 0 means for a message: the centre did not take it."""
    if status in _THROTTLED:
        return faults.RateLimited(
            "The SMS centre takes no more messages just now. The message waits.",
            now_utc_ms + _WAIT_MS,
        )
    if status in _LATER or status == _NOT_BOUND:
        return faults.Retryable("The SMS centre can't take the message just now. It waits.")
    if status in _RECIPIENT:
        return faults.RecipientInvalid("This number can't get an SMS.")
    if status in _ACCOUNT:
        return faults.AccountFault(
            f"The SMS centre refused the firm's account (0x{status:02X}). It is paused."
        )
    if status in _CONTENT:
        return faults.ContentInvalid("The SMS centre does not take this message.")
    return faults.Refusal(f"The SMS centre refused the message (0x{status:02X}).")


def bind_fault_of(status: int) -> faults.ChannelFault:
    """Return why a bind was refused."""
    if status in _LATER | _THROTTLED | {_BOUND_ALREADY, _NOT_BOUND}:
        return faults.Retryable("The SMS centre takes no connection just now.")
    return faults.AccountFault(
        f"The SMS centre refused the firm's system id or password (0x{status:02X})."
    )
