"""Owns what WeCom's error codes and failure events mean for a message.

It never passes the vendor's text on.

Codes: WeCom's "Global error codes" (95000 and up: WeChat Customer Service) and "msg_send_fail".
"""

from __future__ import annotations

from backend.channels import faults
from backend.channels.wechat import errors as wechat

_STALE_CALLBACK = 95007
_LATER = wechat.LATER | {6000}
_MINUTE = frozenset({45009, 45011, 45033})
_WINDOW = frozenset({95001, 95002, 95013})
_RECIPIENT = wechat.RECIPIENT | {40073, 84061}
_ACCOUNT = frozenset(
    {40001, 40013, 40014, 40201, 41001, 42001, 48002, 48004, 50003, 60011, 60020, 301002}
    | {95000, 95004, 95011, 95012, 95017}
)
_ELSEWHERE = frozenset({95016, 95018})
_WAIT_MS = 60_000
_FAILED_BECAUSE = {
    1: "The customer service account was removed at WeCom.",
    2: "The customer service application was switched off at WeCom.",
    4: "The client wrote more than 48 hours ago.",
    5: "The conversation was closed at WeCom.",
    6: "The client has to answer first: WeCom lets five messages go.",
    8: "The firm is not verified at WeCom.",
    10: "The client refuses messages of this account.",
}


def fault_of(code: int, now_utc_ms: int) -> faults.ChannelFault:
    """Return what one of WeCom's codes means."""
    if code in _LATER:
        return faults.Retryable("WeCom has a fault of its own. The message waits.")
    if code in _MINUTE:
        return faults.RateLimited("WeCom asks to wait. The message waits.", now_utc_ms + _WAIT_MS)
    if code in _WINDOW:
        return faults.WindowExpired(
            "WeCom lets five messages go within 48 hours of the client's last. Wait for the client."
        )
    if code in _RECIPIENT:
        return faults.RecipientInvalid("This client can't be reached on WeChat.")
    if code in _ACCOUNT:
        return faults.AccountFault("WeCom refused the firm's account. It is paused.")
    if code == _STALE_CALLBACK:
        return StaleCallback("The callback's token is too old.")
    if code in _ELSEWHERE:
        return faults.Unsupported("This conversation is answered in WeCom itself just now.")
    return UnknownCode(f"WeCom does not take this message (code {code}).")


class StaleCallback(faults.ChannelFault):
    """The token of a callback is too old: the pull goes without one."""


class UnknownCode(faults.ContentInvalid):
    """A code that the documents do not tell of."""


def failed_because(fail_type: int) -> str:
    """Return in words why WeCom could not deliver what it had taken."""
    return _FAILED_BECAUSE.get(fail_type, "WeCom could not deliver the message.")
