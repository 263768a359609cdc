"""Rows of the queue: what was sent on this computer and is not settled, with what each waits for.

It never says how a wait is worded.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.domain.timeline import OutboxEntry
from contract.ids import ConversationId
from contract.states import DeliveryState, OutboxState
from contract.wire import Channel

MAX_QUEUE_ROWS = 500
CANCELLABLE = frozenset({OutboxState.UNDO, OutboxState.QUEUED})


class Wait(StrEnum):
    """What one entry waits for, as far as the outbox alone tells."""

    UNDO_PERIOD = "undo_period"
    EARLIER_MESSAGE = "earlier_message"
    TURN = "turn"
    ANOTHER_TRY = "another_try"
    ANSWER = "answer"
    RECEIPT = "receipt"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One entry at its position, in composing order; `title` is its conversation's.

    `delivery` is how far the backend has come with one it took, None where it is not known.
    """

    position: int
    entry: OutboxEntry
    title: str
    channel: Channel | None
    is_head: bool
    delivery: DeliveryState | None = None

    @property
    def wait(self) -> Wait:
        """Return what this one waits for."""
        state = self.entry.state
        if state is OutboxState.UNDO:
            return Wait.UNDO_PERIOD
        if state is OutboxState.SENDING:
            return Wait.ANSWER
        if state is OutboxState.ACCEPTED:
            return Wait.RECEIPT
        if state is OutboxState.REFUSED:
            return Wait.PERSON
        if not self.is_head:
            return Wait.EARLIER_MESSAGE
        return Wait.ANOTHER_TRY if self.entry.problem_code else Wait.TURN

    @property
    def can_cancel(self) -> bool:
        """Tell whether it is still only here: what the backend may have can't be called back."""
        return self.entry.state in CANCELLABLE


@dataclass(frozen=True, slots=True)
class QueuePage:
    """At most MAX_QUEUE_ROWS rows in composing order, with what lies beyond each end."""

    rows: tuple[QueueRow, ...]
    has_earlier: bool
    has_later: bool


@dataclass(frozen=True, slots=True)
class Cancelled:
    """How many were taken out of the queue, and how many were already on their way."""

    count: int
    on_their_way: int


@dataclass(frozen=True, slots=True)
class TakenBack:
    """One step of cancelling a conversation's entries; `left` when there may be more."""

    count: int
    conversation_id: ConversationId
    left: bool
