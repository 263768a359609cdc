"""The benchmarks' own arithmetic, and that no two lines bear one name.

It never runs a benchmark.
"""

from __future__ import annotations

import pytest

from tests.benchmarks.lines import at_least, at_most
from tests.benchmarks.measuring import percentile
from tests.benchmarks.registry import GROUPS


@pytest.mark.parametrize(("percent", "found"), [(1, 1), (50, 50), (99, 99), (100, 100)])
def test_a_percentile_is_one_of_the_samples(percent: float, found: float) -> None:
    assert percentile(list(range(100, 0, -1)), percent) == found
    assert percentile([7.0], percent) == 7.0


def test_a_goal_is_met_at_its_bound() -> None:
    assert at_most(2).holds(2) and not at_most(2).holds(2.01)
    assert at_least(2).holds(2) and not at_least(2).holds(1.99)
    assert (str(at_most(0.9)), str(at_least(20_000))) == ("≤ 0.9", "≥ 20000")


def test_every_line_has_a_name_of_its_own() -> None:
    names = [line.name for group in GROUPS for line in group.lines]
    assert len(names) == len(set(names))
