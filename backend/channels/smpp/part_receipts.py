"""Owns which receipts belong to a message that went out in parts.

It never calls a message delivered before every part of it was.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

_MOST_OPEN = 500


class SentParts(msgspec.Struct, omit_defaults=True):
    """How many parts there are, the ids known so far, and those whose last word has come."""

    total: int
    ids: list[str]
    settled: list[str] = []
    failed: bool = False


class PartOf(NamedTuple):
    """Whose part a receipt speaks of, and whether with it the whole is settled."""

    whole_id: str
    final: bool


class PartReceipts:
    """Messages in parts, named by their first part's id."""

    def __init__(self) -> None:
        self.open: dict[str, SentParts] = {}

    def sent(self, whole_id: str, part_id: str, total: int) -> None:
        """Note a part that the centre took."""
        message = self.open.setdefault(whole_id, SentParts(total, []))
        message.ids.append(part_id)
        while len(self.open) > _MOST_OPEN:
            self.open.pop(next(iter(self.open)))

    def forget(self, whole_id: str) -> None:
        """Drop a message whose later parts were refused: its outcome is unknown already."""
        self.open.pop(whole_id, None)

    def told(self, part_id: str, *, delivered: bool, failed: bool) -> PartOf | None:
        """Return whose part this is; None for a message in one piece."""
        for whole_id, message in self.open.items():
            if part_id not in message.ids:
                continue
            if (delivered or failed) and part_id not in message.settled:
                message.settled.append(part_id)
            first_failure = failed and not message.failed
            message.failed |= failed
            if len(message.settled) < message.total:
                return PartOf(whole_id, first_failure)
            del self.open[whole_id]
            return PartOf(whole_id, first_failure or not message.failed)
        return None
