"""What a timeline is read from, as the presenter asks for it; `Store.timeline` offers it.

It never reads anything by itself.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from app.domain.timeline import TimelineRow, TimelineWindow
from contract.ids import ConversationId, MessageId

PAGE_ROWS = 60
# Messages held at once: with a day above each of them still below 500 rows of the model.
WINDOW_ROWS = 240


class TimelineSource(Protocol):
    """Windows and rows of one conversation, never more than MAX_WINDOW_ROWS at once."""

    async def around(
        self,
        conversation_id: ConversationId,
        anchor: MessageId | None = None,
        before: int = PAGE_ROWS,
        after: int = PAGE_ROWS,
    ) -> TimelineWindow:
        """Return the rows around `anchor`; None asks for the newest."""
        ...

    async def older(
        self, conversation_id: ConversationId, first: MessageId, limit: int = PAGE_ROWS
    ) -> TimelineWindow:
        """Return the rows just before `first`."""
        ...

    async def newer(
        self, conversation_id: ConversationId, last: MessageId, limit: int = PAGE_ROWS
    ) -> TimelineWindow:
        """Return the rows just after `last`."""
        ...

    async def rows(
        self, conversation_id: ConversationId, message_ids: Collection[MessageId]
    ) -> tuple[TimelineRow, ...]:
        """Return those of the rows that are there."""
        ...

    async def first_new(
        self, conversation_id: ConversationId, read_upto_utc_ms: int
    ) -> MessageId | None:
        """Return the first client message placed after a moment."""
        ...

    async def first_from(self, conversation_id: ConversationId, at_utc_ms: int) -> MessageId | None:
        """Return the first message placed at a moment or later."""
        ...
