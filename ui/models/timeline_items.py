"""Turns a window of messages into the rows a timeline shows: days, the new mark, messages.

It never reorders messages: the store's order is the truth.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum

from app.domain.timeline import TimelineRow
from contract.ids import MessageId
from contract.wire import MessageKind
from ui.models.times import day_number, day_words


class ItemKind(StrEnum):
    """How a row is drawn."""

    BUBBLE = "bubble"
    SYSTEM = "system"
    DAY = "day"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One row; `row` is set for messages, `words` for the rest and for system lines."""

    key: Hashable
    kind: ItemKind
    words: str = ""
    row: TimelineRow | None = None

    def message_id(self) -> MessageId | None:
        """Return the message's id, None for separators."""
        return self.row.message.message_id if self.row is not None else None


def timeline_items(
    rows: Iterable[TimelineRow],
    now_utc_ms: int,
    first_new: MessageId | None = None,
    zone: tzinfo | None = None,
) -> list[TimelineItem]:
    """Return the items of `rows` in their order; `first_new` gets the mark above it."""
    items: list[TimelineItem] = []
    last_day = 0
    for row in rows:
        message = row.message
        day = day_number(message.place_at_utc_ms, zone)
        if day > last_day:
            last_day = day
            words = day_words(message.place_at_utc_ms, now_utc_ms, zone)
            items.append(TimelineItem(("day", day), ItemKind.DAY, words))
        if first_new is not None and message.message_id == first_new:
            items.append(TimelineItem(("new",), ItemKind.NEW, "New messages"))
        system = message.kind is MessageKind.SYSTEM
        kind = ItemKind.SYSTEM if system else ItemKind.BUBBLE
        items.append(
            TimelineItem(("m", message.message_id), kind, message.text if system else "", row)
        )
    return items
