"""Reads windows of one conversation's timeline, the outbox laid over the server's messages.

It never hands out more than MAX_WINDOW_ROWS rows and never pages by offset.
"""

from __future__ import annotations

from collections.abc import Collection

from app.domain.timeline import TimelineRow, TimelineWindow
from contract.ids import ConversationId, MessageId


class TimelineReads:
    """Windows by key: server rows by place, then this computer's submissions as composed."""

    async def around(
        self,
        conversation_id: ConversationId,
        anchor: MessageId | None = None,
        before: int = 60,
        after: int = 60,
    ) -> TimelineWindow:
        """Return the rows around `anchor` (included); None asks for the newest `before` rows.

        An anchor that is not in this conversation gives the newest rows.
        """
        raise NotImplementedError

    async def older(
        self, conversation_id: ConversationId, first: MessageId, limit: int = 100
    ) -> TimelineWindow:
        """Return the rows just before `first`; `has_newer` is True. Unknown `first`: empty."""
        raise NotImplementedError

    async def newer(
        self, conversation_id: ConversationId, last: MessageId, limit: int = 100
    ) -> TimelineWindow:
        """Return the rows just after `last`; `has_older` is True. Unknown `last`: empty."""
        raise NotImplementedError

    async def message(self, message_id: MessageId) -> TimelineRow | None:
        """Return one message or submission wherever it is, or None."""
        raise NotImplementedError

    async def rows(
        self, conversation_id: ConversationId, message_ids: Collection[MessageId]
    ) -> tuple[TimelineRow, ...]:
        """Return those of the conversation's rows that are there, in timeline order."""
        raise NotImplementedError
