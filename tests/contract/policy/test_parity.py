"""Agreement, drift and incidents between a hint and the backend's decision.

It does not test the decisions.
"""

from __future__ import annotations

import msgspec
import pytest

from contract.policy.bundle import CompiledBundle
from contract.policy.parity import Parity, compare_hint
from contract.policy.recipient_detectors import timed_rules
from contract.wire import HintReport
from tests.contract.policy.conftest import NOW_UTC_MS, Decide, consenting_facts

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


@pytest.mark.parametrize(
    ("hinted_ms", "text", "parity"),
    [
        (NOW_UTC_MS, TEXT, Parity.AGREES),
        (NOW_UTC_MS - 1, TEXT, Parity.DRIFT),
        (NOW_UTC_MS - 1, "Hello", Parity.INCIDENT),
    ],
)
def test_a_window_that_closed_on_the_way_is_no_incident(
    bundle: CompiledBundle, decide: Decide, hinted_ms: int, text: str, parity: Parity
) -> None:
    facts = consenting_facts(window_closes_at_utc_ms=NOW_UTC_MS)
    earlier = msgspec.structs.replace(facts, now_utc_ms=hinted_ms)
    hint = decide(text, earlier, channel="whatsapp")
    report = HintReport(
        evaluator_version=hint.evaluator_version,
        bundle_version=hint.bundle_version,
        facts_hash=hint.facts_hash,
        decision_hash=hint.decision_hash(),
        action=hint.action.value,
        decision=hint.canonical_bytes().partition(b"\n")[2].decode(),
    )
    own = decide(TEXT, facts, channel="whatsapp")
    assert compare_hint(report, own, timed_rules(bundle.rules)) is parity
    garbled = msgspec.structs.replace(report, decision="[]")
    if parity is Parity.DRIFT:
        assert compare_hint(garbled, own, timed_rules(bundle.rules)) is Parity.INCIDENT


def test_a_missing_hint_is_told_apart(decide: Decide) -> None:
    assert compare_hint(None, decide(TEXT)) is Parity.NO_HINT
