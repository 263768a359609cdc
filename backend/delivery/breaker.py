"""Owns the circuit breaker of each account: open after failures in a row, tried by one message.

It never counts a vendor's "no" or "wait" as a failure: who answers is well.
"""

from __future__ import annotations

from dataclasses import dataclass

from contract.ids import AccountId

OPENS_AFTER = 5
FIRST_PAUSE_MS = 15_000
LONGEST_PAUSE_MS = 300_000


@dataclass(slots=True)
class _Line:
    failures: int = 0
    since_utc_ms: int = 0
    pause_ms: int = 0  # 0: closed
    probe_at_utc_ms: int = 0


class CircuitBreaker:
    """Closed: all go. Open: none goes until a pause is over. Then one goes and decides.

    Each probe that fails doubles the pause up to five minutes.
    """

    def __init__(self, *, opens_after: int = OPENS_AFTER) -> None:
        """`opens_after` is how many failures in a row open it."""
        self._opens_after = opens_after
        self._lines: dict[AccountId, _Line] = {}

    def reopen(self, account_id: AccountId, since_utc_ms: int, now_utc_ms: int) -> None:
        """Go on as another process left it: open, to be tried by one message at once."""
        self._lines[account_id] = _Line(
            self._opens_after, since_utc_ms, FIRST_PAUSE_MS, probe_at_utc_ms=now_utc_ms
        )

    def failed(self, account_id: AccountId, now_utc_ms: int) -> bool:
        """Count a send that came to nothing; true when that opened the breaker just now."""
        line = self._lines.setdefault(account_id, _Line(since_utc_ms=now_utc_ms))
        line.failures += 1
        if line.pause_ms:
            if now_utc_ms >= line.probe_at_utc_ms:  # else it was sent before the breaker opened
                line.pause_ms = min(line.pause_ms * 2, LONGEST_PAUSE_MS)
                line.probe_at_utc_ms = now_utc_ms + line.pause_ms
            return False
        if line.failures < self._opens_after:
            return False
        line.pause_ms = FIRST_PAUSE_MS
        line.probe_at_utc_ms = now_utc_ms + line.pause_ms
        return True

    def answered(self, account_id: AccountId) -> bool:
        """Note that the vendor answered; true when that closed an open breaker."""
        line = self._lines.pop(account_id, None)
        return line is not None and bool(line.pause_ms)

    def is_open(self, account_id: AccountId) -> bool:
        """Tell whether messages wait for a probe to succeed."""
        line = self._lines.get(account_id)
        return line is not None and bool(line.pause_ms)

    def probe_at(self, account_id: AccountId) -> int:
        """Return from when one message may try an open line; 0 for a closed one."""
        line = self._lines.get(account_id)
        return 0 if line is None or not line.pause_ms else line.probe_at_utc_ms

    def failing_since(self, account_id: AccountId) -> int | None:
        """Return when the first of the failures in a row was; None while all is well."""
        line = self._lines.get(account_id)
        return None if line is None else line.since_utc_ms
