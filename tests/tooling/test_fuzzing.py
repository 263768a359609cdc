"""The fuzzer's own judgement: it sees what is not linear, passes what is, and repeats by seed.

It does not fuzz; `make fuzz` does.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.fuzz import bundle_loader, evaluator
from tests.fuzz.growth import TooSlow, check_linear


class Processor:
    """A processor's time that goes on by what the work costs, on however busy a machine."""

    def __init__(self, cost_s: Callable[[int], float]) -> None:
        self._cost_s = cost_s
        self._spent_s = 0.0

    def process_time(self) -> float:
        """Return the time spent so far, in seconds."""
        return self._spent_s

    def work(self, size: int) -> None:
        """Cost what work of this size costs."""
        self._spent_s += self._cost_s(size)


def test_square_growth_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    square = Processor(lambda size: size * size * 1e-7)
    monkeypatch.setattr("tests.fuzz.growth.time", square)
    with pytest.raises(TooSlow):
        check_linear(square.work, 400)


def test_linear_growth_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    linear = Processor(lambda size: 0.01 + size * 1e-4)
    monkeypatch.setattr("tests.fuzz.growth.time", linear)
    check_linear(linear.work, 400)


def test_real_work_that_is_linear_passes() -> None:
    check_linear(lambda size: [str(number) for number in range(size)], 20_000)


@pytest.mark.parametrize("once", [bundle_loader.run_once, evaluator.run_once])
@pytest.mark.parametrize("seed", range(40))
def test_some_inputs_pass(once: object, seed: int) -> None:
    assert callable(once)
    once(random.Random(seed))
