"""Tests of who goes first: a search being typed before what the server tells.

It never measures time: the clock stands until a test moves it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from app.store.precedence import CLAIMED_S, MOST_S, Precedence
from app.store.store import Store
from contract.events import MessageUpserted
from tests.app.store.values import conversation, event, fill, message


class Clock:
    """Stands still, and moves on by what is slept; `on_slept` happens then."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.slept: list[float] = []
        self.on_slept: Callable[[], object] = lambda: None

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.slept.append(seconds)
        self.now_s += seconds
        self.on_slept()


@pytest.fixture
def clock() -> Clock:
    """Return a clock of the test's own."""
    return Clock()


async def test_without_a_search_nothing_waits(clock: Clock) -> None:
    await Precedence(clock, clock.sleep).give_way()

    assert clock.slept == []


async def test_the_server_waits_until_the_typing_rests(clock: Clock) -> None:
    precedence = Precedence(clock, clock.sleep)
    precedence.claim()
    keys = iter((precedence.claim,))
    clock.on_slept = lambda: next(keys, lambda: None)()

    await precedence.give_way()
    await precedence.give_way()

    assert sum(clock.slept) == pytest.approx(2 * CLAIMED_S)


async def test_endless_typing_does_not_keep_the_server_out(clock: Clock) -> None:
    async def key_after_key(seconds: float) -> None:
        step_s = min(seconds, CLAIMED_S / 2)
        clock.slept.append(step_s)
        clock.now_s += step_s
        precedence.claim()

    precedence = Precedence(clock, key_after_key)
    precedence.claim()

    await precedence.give_way()

    assert sum(clock.slept) == pytest.approx(MOST_S)


async def test_events_are_applied_after_the_search_and_nothing_else_waits(
    store: Store, clock: Clock
) -> None:
    await fill(store, (conversation(),), (message("m1", "first words", at=1),))
    rested, began = asyncio.Event(), asyncio.Event()

    async def until_rested(_seconds: float) -> None:
        began.set()
        await rested.wait()
        clock.now_s += MOST_S

    store._databases.precedence = Precedence(clock, until_rested)
    assert len((await store.search.search("words")).messages) == 1
    news = MessageUpserted(message=message("m2", "second words", at=2))
    applying = asyncio.create_task(store.cache.apply_events([event(2, news)], 2))
    await began.wait()

    # What a call of the user's own returned is written meanwhile.
    await store.cache.apply_answers(messages=(message("m3", "third words", at=3),))
    assert len((await store.search.search("words")).messages) == 2
    assert not applying.done()

    rested.set()
    await applying
    assert len((await store.search.search("words")).messages) == 3
