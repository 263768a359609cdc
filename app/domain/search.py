"""What a search asks and finds, on this computer and in the firm's archive.

It never says how an index works.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from contract.ids import ConversationId, MessageId
from contract.wire import Channel, Contact, Direction


class AdviceKind(StrEnum):
    """What there is to say about a filter as it was typed."""

    UNKNOWN_FILTER = "unknown_filter"
    UNKNOWN_CHANNEL = "unknown_channel"
    UNKNOWN_THING = "unknown_thing"
    NO_DATE = "no_date"
    EMPTY_RANGE = "empty_range"
    NOBODY = "nobody"
    NO_CONVERSATION = "no_conversation"
    TOO_MANY = "too_many"
    INDEX_UNFINISHED = "index_unfinished"


@dataclass(frozen=True, slots=True)
class Advice:
    """One remark: on which filter, about which value."""

    kind: AdviceKind
    filter: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class MessageHit:
    """One found message; `highlights` are (start, end) code points within `snippet`.

    `in_archive` tells that it is not on this computer.
    """

    message_id: MessageId
    conversation_id: ConversationId
    conversation_title: str
    channel: Channel
    direction: Direction
    author_name: str
    snippet: str
    highlights: tuple[tuple[int, int], ...]
    at_utc_ms: int
    in_archive: bool = False


@dataclass(frozen=True, slots=True)
class PersonHit:
    """One found contact with a conversation to open, if there is one."""

    contact: Contact
    conversation_id: ConversationId | None


@dataclass(frozen=True, slots=True)
class SearchResults:
    """People and messages (newest first) for `query`, found in `elapsed_ms`.

    `next_row` is where a search for older messages goes on, None when there are none.
    """

    query: str
    people: tuple[PersonHit, ...]
    messages: tuple[MessageHit, ...]
    elapsed_ms: float
    advice: tuple[Advice, ...] = ()
    next_row: int | None = None


class ArchiveState(StrEnum):
    """Whether the firm's archive was searched as well."""

    NOT_ASKED = "not_asked"
    OFFLINE = "offline"
    ASKING = "asking"
    ANSWERED = "answered"
    BUSY = "busy"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ArchiveAnswer:
    """What the archive found that is not on this computer; `next_cursor` leads to older ones."""

    state: ArchiveState
    messages: tuple[MessageHit, ...] = ()
    next_cursor: str = ""
