"""States of a message on the client and on the server, with the one table of transitions of each.

It never performs a transition's side effects; callers persist what the tables allow.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class OutboxState(StrEnum):
    """Where one submission stands on this computer."""

    UNDO = "undo"
    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class OutboxEvent(StrEnum):
    """What can happen to a submission on this computer."""

    UNDO_ELAPSED = "undo_elapsed"
    CANCEL = "cancel"
    START = "start"
    ACCEPT = "accept"
    REFUSE = "refuse"
    RETRY = "retry"
    RESTART = "restart"


OUTBOX_TRANSITIONS: Mapping[tuple[OutboxState, OutboxEvent], OutboxState] = MappingProxyType(
    {
        (OutboxState.UNDO, OutboxEvent.UNDO_ELAPSED): OutboxState.QUEUED,
        (OutboxState.UNDO, OutboxEvent.CANCEL): OutboxState.CANCELLED,
        # A send whose undo period was cut short by a crash goes on: the user pressed Send.
        (OutboxState.UNDO, OutboxEvent.RESTART): OutboxState.QUEUED,
        (OutboxState.QUEUED, OutboxEvent.START): OutboxState.SENDING,
        (OutboxState.QUEUED, OutboxEvent.CANCEL): OutboxState.CANCELLED,
        (OutboxState.QUEUED, OutboxEvent.RESTART): OutboxState.QUEUED,
        (OutboxState.SENDING, OutboxEvent.ACCEPT): OutboxState.ACCEPTED,
        (OutboxState.SENDING, OutboxEvent.REFUSE): OutboxState.REFUSED,
        (OutboxState.SENDING, OutboxEvent.RETRY): OutboxState.QUEUED,
        (OutboxState.SENDING, OutboxEvent.RESTART): OutboxState.QUEUED,
    }
)
OUTBOX_FINAL = frozenset({OutboxState.ACCEPTED, OutboxState.REFUSED, OutboxState.CANCELLED})


class IllegalTransition(ValueError):
    """A state machine was asked for a step its table does not hold."""


def next_outbox_state(state: OutboxState, event: OutboxEvent) -> OutboxState:
    """Return the state after `event`; raises IllegalTransition when the table has no such step."""
    try:
        return OUTBOX_TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(f"outbox: {event} is not possible in {state}") from None


class DeliveryState(StrEnum):
    """Where one outbound message stands on the server (design: held … read, and branches)."""

    HELD = "held"
    BLOCKED = "blocked"
    ARCHIVED = "archived"
    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    EXPIRED = "expired"


_S = DeliveryState
DELIVERY_TRANSITIONS: Mapping[DeliveryState, frozenset[DeliveryState]] = MappingProxyType(
    {
        _S.HELD: frozenset({_S.ARCHIVED, _S.BLOCKED, _S.EXPIRED}),
        _S.BLOCKED: frozenset(),
        _S.ARCHIVED: frozenset({_S.QUEUED, _S.FAILED, _S.EXPIRED}),
        _S.QUEUED: frozenset({_S.SENDING, _S.FAILED, _S.EXPIRED}),
        _S.SENDING: frozenset(
            {_S.QUEUED, _S.UNKNOWN, _S.ACCEPTED, _S.SENT, _S.DELIVERED, _S.READ, _S.FAILED}
        ),
        # From unknown only a vendor's word or the employee's decision leads on.
        _S.UNKNOWN: frozenset({_S.QUEUED, _S.ACCEPTED, _S.SENT, _S.DELIVERED, _S.READ, _S.FAILED}),
        _S.ACCEPTED: frozenset({_S.SENT, _S.DELIVERED, _S.READ, _S.FAILED}),
        _S.SENT: frozenset({_S.DELIVERED, _S.READ, _S.FAILED}),
        _S.DELIVERED: frozenset({_S.READ}),
        _S.READ: frozenset(),
        _S.FAILED: frozenset({_S.QUEUED, _S.SENT, _S.DELIVERED, _S.READ}),
        _S.EXPIRED: frozenset(),
    }
)

_RECEIPT_RANK: Mapping[DeliveryState, int] = MappingProxyType(
    {
        _S.ARCHIVED: 0,
        _S.QUEUED: 1,
        _S.SENDING: 2,
        _S.UNKNOWN: 3,
        _S.ACCEPTED: 4,
        _S.SENT: 5,
        _S.DELIVERED: 6,
        _S.READ: 7,
    }
)

# States that keep their conversation's lane closed for the messages behind them.
LANE_HOLDING = frozenset({_S.ARCHIVED, _S.QUEUED, _S.SENDING, _S.UNKNOWN})


def next_delivery_state(state: DeliveryState, wanted: DeliveryState) -> DeliveryState:
    """Return `wanted` when the table allows it; raises IllegalTransition otherwise."""
    if wanted not in DELIVERY_TRANSITIONS[state]:
        raise IllegalTransition(f"delivery: {state} can't become {wanted}")
    return wanted


def apply_receipt(state: DeliveryState, reported: DeliveryState) -> DeliveryState:
    """Return the state after a vendor's receipt: ranks never fall, a late receipt changes nothing.

    A failure is taken until the message was delivered; a later positive receipt corrects it.
    """
    if reported is _S.FAILED:
        return _S.FAILED if _S.FAILED in DELIVERY_TRANSITIONS[state] else state
    if state is _S.FAILED:
        return reported if reported in DELIVERY_TRANSITIONS[_S.FAILED] else state
    if state not in _RECEIPT_RANK or reported not in _RECEIPT_RANK:
        return state
    return reported if _RECEIPT_RANK[reported] > _RECEIPT_RANK[state] else state
