"""Rows, filters and counts of the inbox list.

It never decides how a row looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from contract.ids import ConversationId
from contract.wire import Channel, Conversation

MOST_EXPIRING = 1_000


class InboxFilter(StrEnum):
    """The four filters above the list."""

    ALL = "all"
    UNREAD = "unread"
    AWAITING = "awaiting"
    EXPIRING = "expiring"


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One conversation with what only this computer knows of it.

    `draft_text` is the saved draft's first 200 characters, `waiting_count` the submissions
    not yet accepted by the backend, `refused_count` those it refused and nobody has seen to.
    """

    conversation: Conversation
    draft_text: str = ""
    waiting_count: int = 0
    refused_count: int = 0


class InboxKey(NamedTuple):
    """A conversation's place in the list: last activity, then its id, both descending."""

    last_activity_utc_ms: int
    conversation_id: ConversationId


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Rows newest first; `next_key` is None at the end."""

    rows: tuple[InboxRow, ...]
    next_key: InboxKey | None


@dataclass(frozen=True, slots=True)
class InboxCounts:
    """How many conversations each filter holds; `expiring` ends at MOST_EXPIRING."""

    all: int
    unread: int
    awaiting: int
    expiring: int


@dataclass(frozen=True, slots=True)
class InboxQuery:
    """Which conversations to list; `expiring_before_utc_ms` bounds the Expiring filter."""

    filter: InboxFilter = InboxFilter.ALL
    channel: Channel | None = None
    expiring_before_utc_ms: int = 0
    now_utc_ms: int = 0
