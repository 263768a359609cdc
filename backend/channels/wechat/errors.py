"""Owns what an official account's error codes mean for a message.

It never passes the vendor's text on.

Codes: WeChat's "Global return codes" and "Customer service messages".
"""

from __future__ import annotations

from datetime import UTC, datetime

from backend.channels import faults

LATER = frozenset({-1, 50001, 61024})
_MINUTE = frozenset({45011, 45033})
_DAY = frozenset({45009})
WINDOW = frozenset({45015, 45047})
_CONSENT = frozenset({43004, 43101, 48002})
RECIPIENT = frozenset({40003, 40031, 40096, 46004})
ACCOUNT = frozenset(
    {40001, 40002, 40013, 40014, 40125, 40164, 40243, 41001, 41002, 41004, 42001, 48001, 48004}
    | {50002, 61004, 61451, 89503, 89506, 89507}
)
TYPES_TOO_EARLY = frozenset({45080, 45081})
_MINUTE_MS = 60_000
_BEIJING_MS = 8 * 3_600_000
_DAY_MS = 86_400_000


def fault_of(code: int, now_utc_ms: int) -> faults.ChannelFault:
    """Return what one of WeChat's codes means."""
    if code in LATER:
        return faults.Retryable("WeChat has a fault of its own. The message waits.")
    if code in _MINUTE:
        return faults.RateLimited(
            "WeChat takes no more messages just now. The message waits.", now_utc_ms + _MINUTE_MS
        )
    if code in _DAY:
        return faults.QuotaExhausted(
            "The firm's daily quota at WeChat is used up. The message waits for tomorrow.",
            next_day_utc_ms(now_utc_ms),
        )
    if code in WINDOW:
        return faults.WindowExpired(
            "The client wrote more than 48 hours or five messages ago. Send a template, or wait."
        )
    if code in _CONSENT:
        return faults.ConsentMissing("The client does not follow the account, or refuses messages.")
    if code in RECIPIENT:
        return faults.RecipientInvalid("This client can't be reached on WeChat.")
    if code in ACCOUNT:
        return faults.AccountFault("WeChat refused the firm's account. It is paused.")
    return faults.ContentInvalid(f"WeChat does not take this message (code {code}).")


def next_day_utc_ms(now_utc_ms: int) -> int:
    """Return when the next day begins in Beijing, where WeChat counts (UTC+8)."""
    day = datetime.fromtimestamp((now_utc_ms + _BEIJING_MS) / 1000, UTC).date()
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int(midnight.timestamp() * 1000) + _DAY_MS - _BEIJING_MS
