"""Agreement, drift and incidents between a hint and the backend's decision.

It does not test the decisions.
"""

from __future__ import annotations

import msgspec
import pytest

from contract.policy.parity import Parity, compare_hint
from contract.wire import HintReport
from tests.contract.policy.conftest import Decide

TEXT = "guaranteed, 4111 1111 1111 1111"


@pytest.mark.parametrize(
    ("changes", "parity"),
    [
        ({}, Parity.AGREES),
        ({"facts_hash": "0" * 64, "decision_hash": "0" * 64}, Parity.DRIFT),
        ({"bundle_version": "2026.11.2", "decision_hash": "0" * 64}, Parity.DRIFT),
        ({"evaluator_version": "0", "decision_hash": "0" * 64}, Parity.DRIFT),
        ({"decision_hash": "0" * 64}, Parity.INCIDENT),
        ({"action": "allow"}, Parity.INCIDENT),
    ],
)
def test_hints_are_compared(decide: Decide, changes: dict[str, str], parity: Parity) -> None:
    own = decide(TEXT)
    report = HintReport(
        evaluator_version=own.evaluator_version,
        bundle_version=own.bundle_version,
        facts_hash=own.facts_hash,
        decision_hash=own.decision_hash(),
        action=own.action.value,
    )
    assert compare_hint(msgspec.structs.replace(report, **changes), own) is parity


def test_a_missing_hint_is_told_apart(decide: Decide) -> None:
    assert compare_hint(None, decide(TEXT)) is Parity.NO_HINT
