"""Shows what is taken for a sleep or another network, and that it is told at once.

It never waits for a real sleep: the clock is the test's.
"""

from __future__ import annotations

import asyncio

import pytest

from app.sync.wake_watch import Moment, WakeWatch, has_woken
from tests.app.small_backend import until

HOME = "10.0.0.7"
AWAKE = Moment(1_790_000_000_000, 100.0, HOME)


@pytest.mark.parametrize(
    ("what", "after", "woken"),
    [
        ("an ordinary tick", Moment(1_790_000_005_000, 105.0, HOME), False),
        ("a busy machine's late tick", Moment(1_790_000_012_000, 112.0, HOME), False),
        ("sleep, monotonic stood still", Moment(1_790_003_600_000, 105.0, HOME), True),
        ("sleep, monotonic ran on", Moment(1_790_003_600_000, 3_700.0, HOME), True),
        ("the clock was set back", Moment(1_789_990_000_000, 105.0, HOME), False),
        ("sleep with the clock set back", Moment(1_789_990_000_000, 3_700.0, HOME), True),
        ("another network", Moment(1_790_000_005_000, 105.0, "192.168.1.20"), True),
        ("no network", Moment(1_790_000_005_000, 105.0, ""), True),
    ],
)
def test_only_sleep_and_other_networks_wake(what: str, after: Moment, woken: bool) -> None:
    assert has_woken(AWAKE, after) is woken, what


class _Clock:
    def __init__(self) -> None:
        self.ahead_ms = 0

    def now_utc_ms(self) -> int:
        """Return the wall clock, as far ahead as the test has it."""
        return int(self.monotonic_s() * 1000) + self.ahead_ms

    def monotonic_s(self) -> float:
        """Return the loop's own time."""
        return asyncio.get_running_loop().time()


async def test_a_sleep_is_told_once() -> None:
    clock, told = _Clock(), []
    watch = WakeWatch(clock, lambda: HOME, lambda: told.append(1), tick_s=0.01)
    task = asyncio.create_task(watch.run())
    try:
        await asyncio.sleep(0.03)
        assert told == []
        clock.ahead_ms += 3_600_000
        await until(lambda: told == [1])
        await asyncio.sleep(0.03)
        assert told == [1]
    finally:
        task.cancel()
        await asyncio.wait({task})
