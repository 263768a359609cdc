"""What a search over the local store asks and finds.

It never says how the index works.
"""

from __future__ import annotations

from dataclasses import dataclass

from contract.ids import ConversationId, MessageId
from contract.wire import Channel, Contact, Direction


@dataclass(frozen=True, slots=True)
class MessageHit:
    """One found message; `highlights` are (start, end) code points within `snippet`."""

    message_id: MessageId
    conversation_id: ConversationId
    conversation_title: str
    channel: Channel
    direction: Direction
    author_name: str
    snippet: str
    highlights: tuple[tuple[int, int], ...]
    at_utc_ms: int


@dataclass(frozen=True, slots=True)
class PersonHit:
    """One found contact with a conversation to open, if there is one."""

    contact: Contact
    conversation_id: ConversationId | None


@dataclass(frozen=True, slots=True)
class SearchResults:
    """People and messages (newest first) for `query`, found in `elapsed_ms`."""

    query: str
    people: tuple[PersonHit, ...]
    messages: tuple[MessageHit, ...]
    elapsed_ms: float
