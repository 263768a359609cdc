"""What the window shows before the store is open: the inbox's first rows, the last conversation.

It never holds more than the first painted frame needs, and nothing that the store lacks.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.drafts import Draft
from app.domain.inbox import InboxCounts, InboxRow
from app.domain.timeline import TimelineRow
from contract.ids import EmployeeId
from contract.wire import Contact, Conversation

INBOX_ROWS = 40
TIMELINE_ROWS = 40


@dataclass(frozen=True, slots=True)
class OpenedConversation:
    """The conversation that was open last, with its newest rows in ascending place.

    `draft` is what stood in its composer: read from the outbox's file at each start, never kept
    with the rest.
    """

    conversation: Conversation
    contacts: tuple[Contact, ...]
    rows: tuple[TimelineRow, ...]
    has_older: bool
    draft: Draft | None = None


@dataclass(frozen=True, slots=True)
class FirstFrame:
    """The inbox without a filter, newest first; `me_…` are empty before the first sign-in."""

    rows: tuple[InboxRow, ...]
    counts: InboxCounts
    me_id: EmployeeId
    me_name: str
    me_initials: str
    opened: OpenedConversation | None = None
