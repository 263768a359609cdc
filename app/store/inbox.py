"""Reads the inbox list, its counts and single conversations.

It never writes and never orders by anything but last activity.
"""

from __future__ import annotations

from collections.abc import Collection

from app.domain.inbox import InboxCounts, InboxKey, InboxPage, InboxQuery, InboxRow
from contract.ids import ConversationId
from contract.wire import Conversation


class InboxReads:
    """The inbox from one table of the cache, with drafts and waiting sends laid over it."""

    async def page(self, query: InboxQuery, limit: int, after: InboxKey | None = None) -> InboxPage:
        """Return at most `limit` (1–500) rows after `after`, newest activity first."""
        raise NotImplementedError

    async def row(self, conversation_id: ConversationId) -> InboxRow | None:
        """Return one conversation's row whatever the filter, or None when it is not there."""
        raise NotImplementedError

    async def rows(self, conversation_ids: Collection[ConversationId]) -> tuple[InboxRow, ...]:
        """Return the rows of those conversations that are there, in no fixed order."""
        raise NotImplementedError

    async def counts(self, now_utc_ms: int, expiring_before_utc_ms: int) -> InboxCounts:
        """Return how many conversations each filter holds; nothing is counted row by row."""
        raise NotImplementedError

    async def conversation(self, conversation_id: ConversationId) -> Conversation | None:
        """Return one conversation as the server tells it, or None."""
        raise NotImplementedError
