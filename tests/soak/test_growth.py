"""What counts as growth: a steady rise, not a step at the start and not noise.

They start nothing.
"""

from __future__ import annotations

import random

from tests.soak.growth import fitted, kinds_that_grew, too_much


def test_a_warm_up_and_noise_are_no_growth() -> None:
    chance = random.Random(1)
    values = [60 + min(n, 12) * 4 + chance.uniform(-3, 3) for n in range(48)]
    values[30] = 300.0
    assert too_much([fitted("memory", values)]) == []


def test_a_steady_rise_is_found_and_named_through_noise() -> None:
    chance = random.Random(2)
    values = [100 + n * 0.6 + chance.uniform(-4, 4) for n in range(48)]
    (found,) = too_much([fitted("memory", values), fitted("files", [20.0] * 48)])
    assert found.name == "memory" and 0.1 < found.share < 0.3


def test_the_kind_of_object_that_becomes_more_is_named_first() -> None:
    rounds = [{"builtins.dict": 1_000 + n % 3, "ui.Row": 10 + 40 * n} for n in range(48)]
    assert [each.name for each in kinds_that_grew(rounds)] == ["ui.Row"]
