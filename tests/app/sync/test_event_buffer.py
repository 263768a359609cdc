"""Shows when the buffer hands events over one by one, and when it gathers them.

It never judges how long a moment is: the loop's clock stands still but where a test moves it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.sync.event_buffer import FLOOD_EVENTS, EventBuffer
from contract.events import Event, PolicyChanged


def step(seq: int) -> Event:
    """Return an event."""
    return Event(seq=seq, at_utc_ms=0, body=PolicyChanged(bundle_version=str(seq)))


class LoopClock:
    """The running loop's clock, in the test's hands."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def read(self) -> float:
        """Return the time in seconds."""
        return self.now_s


@pytest.fixture(autouse=True)
async def clock(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LoopClock]:
    """Put the test's clock into the loop: however busy the machine is, no time passes."""
    made = LoopClock()
    with monkeypatch.context() as patch:
        patch.setattr(asyncio.get_running_loop(), "time", made.read)
        yield made


async def test_few_events_are_handed_over_at_once() -> None:
    buffer = EventBuffer()
    for seq in range(1, FLOOD_EVENTS):
        await buffer.add(step(seq))
        assert [event.seq for event in await buffer.take(100)] == [seq]


async def test_a_flood_is_gathered_in_order(clock: LoopClock) -> None:
    buffer, seen, batches = EventBuffer(), 0, 0

    async def flood() -> None:
        for seq in range(1, 401):
            await buffer.add(step(seq))
            clock.now_s += 0.002
            await asyncio.sleep(0)
        buffer.close()

    pouring = asyncio.create_task(flood())
    while batch := await buffer.take(1_000):
        assert [event.seq for event in batch] == list(range(seen + 1, seen + 1 + len(batch)))
        seen, batches = seen + len(batch), batches + 1
    await pouring
    assert seen == 400
    assert batches < 40


async def test_a_full_batch_waits_for_nothing() -> None:
    buffer = EventBuffer(capacity=50)
    for seq in range(1, 51):
        await buffer.add(step(seq))
    # The clock stands: a wait of whatever length would never end.
    taken = [asyncio.create_task(buffer.take(25)) for _ in range(2)]
    for _ in range(20):
        await asyncio.sleep(0)
    assert [len(each.result()) for each in taken] == [25, 25]


async def test_closing_ends_the_wait_for_more() -> None:
    buffer = EventBuffer()
    for seq in range(1, FLOOD_EVENTS + 2):
        await buffer.add(step(seq))
    assert await buffer.take(FLOOD_EVENTS)
    asyncio.get_running_loop().call_soon(buffer.close)
    assert len(await buffer.take(100)) == 1
    assert await buffer.take(100) == []
