"""The fuzzer's own judgement: it sees what is not linear, passes what is, and repeats by seed.

It does not fuzz; `make fuzz` does.
"""

from __future__ import annotations

import random

import pytest

from tests.fuzz import bundle_loader, evaluator
from tests.fuzz.growth import TooSlow, check_linear


def test_square_growth_is_seen() -> None:
    with pytest.raises(TooSlow):
        check_linear(lambda size: [0 for _ in range(size) for _ in range(size)], 400)


def test_linear_growth_passes() -> None:
    check_linear(lambda size: [str(number) for number in range(size)], 20_000)


@pytest.mark.parametrize("once", [bundle_loader.run_once, evaluator.run_once])
@pytest.mark.parametrize("seed", range(40))
def test_some_inputs_pass(once: object, seed: int) -> None:
    assert callable(once)
    once(random.Random(seed))
