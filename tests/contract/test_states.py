"""The tables of states hold what the design says, and nothing falls back.

It walks the tables exhaustively; no state machine of its own is written here.
"""

from __future__ import annotations

import itertools

import pytest

from contract.states import (
    DELIVERY_TRANSITIONS,
    LANE_HOLDING,
    OUTBOX_FINAL,
    OUTBOX_TRANSITIONS,
    DeliveryState,
    IllegalTransition,
    OutboxEvent,
    OutboxState,
    apply_receipt,
    next_delivery_state,
    next_outbox_state,
)

RISING = (
    DeliveryState.ARCHIVED,
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.ACCEPTED,
    DeliveryState.SENT,
    DeliveryState.DELIVERED,
    DeliveryState.READ,
)


@pytest.mark.parametrize(
    ("state", "event"), list(itertools.product(OutboxState, OutboxEvent)), ids=str
)
def test_outbox_knows_exactly_its_table(state: OutboxState, event: OutboxEvent) -> None:
    expected = OUTBOX_TRANSITIONS.get((state, event))
    if expected is None:
        with pytest.raises(IllegalTransition, match="outbox"):
            next_outbox_state(state, event)
    else:
        assert next_outbox_state(state, event) is expected
        assert state not in OUTBOX_FINAL


def test_every_outbox_state_survives_a_restart_or_is_final() -> None:
    for state in OutboxState:
        assert state in OUTBOX_FINAL or (state, OutboxEvent.RESTART) in OUTBOX_TRANSITIONS


def test_nothing_is_cancelled_once_it_may_have_left() -> None:
    assert (OutboxState.SENDING, OutboxEvent.CANCEL) not in OUTBOX_TRANSITIONS


@pytest.mark.parametrize(
    ("state", "wanted"), list(itertools.product(DeliveryState, DeliveryState)), ids=str
)
def test_delivery_knows_exactly_its_table(state: DeliveryState, wanted: DeliveryState) -> None:
    if wanted in DELIVERY_TRANSITIONS[state]:
        assert next_delivery_state(state, wanted) is wanted
    else:
        with pytest.raises(IllegalTransition, match="delivery"):
            next_delivery_state(state, wanted)


@pytest.mark.parametrize(
    ("state", "reported"), list(itertools.product(DeliveryState, DeliveryState)), ids=str
)
def test_receipts_never_lower_a_state(state: DeliveryState, reported: DeliveryState) -> None:
    after = apply_receipt(state, reported)
    assert after in (state, reported)
    if state in RISING and after in RISING:
        assert RISING.index(after) >= RISING.index(state)
    assert apply_receipt(after, reported) is after


def test_delivered_does_not_fail_and_failed_is_corrected() -> None:
    assert apply_receipt(DeliveryState.DELIVERED, DeliveryState.FAILED) is DeliveryState.DELIVERED
    assert apply_receipt(DeliveryState.FAILED, DeliveryState.READ) is DeliveryState.READ


def test_blocked_and_expired_never_leave() -> None:
    for state in (DeliveryState.BLOCKED, DeliveryState.EXPIRED):
        assert not DELIVERY_TRANSITIONS[state]
        assert state not in LANE_HOLDING


def test_delivery_is_reached_from_the_archive_only() -> None:
    assert {
        state
        for state in DELIVERY_TRANSITIONS
        if DeliveryState.QUEUED in DELIVERY_TRANSITIONS[state]
    } == {
        DeliveryState.ARCHIVED,
        DeliveryState.SENDING,
        DeliveryState.UNKNOWN,
        DeliveryState.FAILED,
    }
