"""Owns the parts of a client's long texts until all have come.

It never throws a part away: what stays incomplete is handed on as it is.
"""

from __future__ import annotations

import base64

import msgspec

from backend.channels.smpp import wire
from backend.channels.smpp.alphabet import Part

PATIENCE_MS = 60 * 60_000
_MOST_OPEN = 50
MOST_PARTS = 20  # of more, each is shown by itself


class HeldText(msgspec.Struct, omit_defaults=True):
    """The parts so far by their number, each a unit in base64; `since` is UTC milliseconds."""

    total: int
    since: int
    parts: dict[int, str]

    def units(self) -> bytes:
        """Return the units in the order of their numbers, one behind the other."""
        return b"".join(base64.b64decode(self.parts[n]) for n in sorted(self.parts))


class HeldTexts:
    """Texts by who writes to whom under which reference."""

    def __init__(self) -> None:
        self.open: dict[str, HeldText] = {}

    def add(
        self, message: wire.ShortMessage, part: Part, unit: bytes, now_utc_ms: int
    ) -> HeldText | None:
        """Keep a part and return the text once it is whole; a repeated part replaces itself."""
        key = f"{message.source.value}>{message.destination.value}#{part.reference}/{part.total}"
        held = self.open.setdefault(key, HeldText(part.total, now_utc_ms, {}))
        held.parts[part.number] = base64.b64encode(unit).decode()
        if len(held.parts) < part.total:
            return None
        return self.open.pop(key)

    def restore(self, known: dict[str, HeldText]) -> list[HeldText]:
        """Take back what was kept; returns the texts that so become whole."""
        for key, held in known.items():
            newer = self.open.get(key)
            self.open[key] = held
            if newer is not None:
                held.parts |= newer.parts
        whole = [key for key, held in self.open.items() if len(held.parts) >= held.total]
        return [self.open.pop(key) for key in whole]

    def stale(self, now_utc_ms: int) -> list[HeldText]:
        """Take out what has waited for too long, and the oldest of too many."""
        by_age = sorted(self.open, key=lambda key: self.open[key].since)
        most = max(0, len(by_age) - _MOST_OPEN)
        late = [
            key
            for place, key in enumerate(by_age)
            if place < most or now_utc_ms - self.open[key].since > PATIENCE_MS
        ]
        return [self.open.pop(key) for key in late]
