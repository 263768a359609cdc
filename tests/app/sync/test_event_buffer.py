"""Shows when the buffer hands events over one by one, and when it gathers them.

It never judges how long a moment is: waits are told apart by the loop's own clock alone.
"""

from __future__ import annotations

import asyncio

from app.sync.event_buffer import FLOOD_EVENTS, EventBuffer
from contract.events import Event, PolicyChanged


def step(seq: int) -> Event:
    """Return an event."""
    return Event(seq=seq, at_utc_ms=0, body=PolicyChanged(bundle_version=str(seq)))


async def test_few_events_are_handed_over_at_once() -> None:
    buffer = EventBuffer()
    for seq in range(1, FLOOD_EVENTS):
        await buffer.add(step(seq))
        assert [event.seq for event in await buffer.take(100)] == [seq]


async def test_a_flood_is_gathered_in_order() -> None:
    buffer, seen, batches = EventBuffer(), 0, 0

    async def flood() -> None:
        for seq in range(1, 401):
            await buffer.add(step(seq))
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
    began = asyncio.get_running_loop().time()
    assert len(await buffer.take(25)) == 25
    assert len(await buffer.take(25)) == 25
    assert asyncio.get_running_loop().time() - began < 0.07


async def test_closing_ends_the_wait_for_more() -> None:
    buffer = EventBuffer()
    for seq in range(1, FLOOD_EVENTS + 2):
        await buffer.add(step(seq))
    assert await buffer.take(FLOOD_EVENTS)
    asyncio.get_running_loop().call_soon(buffer.close)
    assert len(await buffer.take(100)) == 1
    assert await buffer.take(100) == []
