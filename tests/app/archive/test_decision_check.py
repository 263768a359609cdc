"""A decision told by the service counts only when its hash stands in the verified leaf.

They never ask a service.
"""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from app.archive.decision_check import CheckedDecision, check_decision
from app.archive.mismatch import Mismatch
from contract.policy.model import Action, Decision, OverrideKind

DECISION = Decision(
    evaluator_version="2",
    bundle_version="2026.11.3",
    bundle_hash="aa" * 32,
    facts_hash="bb" * 32,
    draft_hash="cc" * 32,
    findings=(),
    action=Action.WARN,
    override_kind=OverrideKind.NOT_ALLOWED,
)
TOLD = DECISION.canonical_bytes().decode()


def leaf(decision_hash: str) -> bytes:
    """Return as much of a leaf as matters here."""
    return msgspec.json.encode({"decision_hash": decision_hash, "kind": "message_out"})


def test_the_decision_the_leaf_names_is_read() -> None:
    found = check_decision(leaf(DECISION.decision_hash()), TOLD)
    assert found == CheckedDecision("2026.11.3", "warn")


@pytest.mark.parametrize("told", [TOLD.replace("warn", "allow"), TOLD + " ", "x", "\ud800"])
def test_another_decision_is_a_mismatch(told: str) -> None:
    with pytest.raises(Mismatch):
        check_decision(leaf(DECISION.decision_hash()), told)


def test_nothing_is_said_where_nothing_was_decided_or_told() -> None:
    assert check_decision(leaf(""), TOLD) is None
    assert check_decision(b"{}", "") is None
    assert check_decision(leaf(DECISION.decision_hash()), "") == CheckedDecision()


@pytest.mark.parametrize("told", ["tag\n{}", "tag\n[1]", "tag", "tag\nnonsense"])
def test_a_form_of_another_time_says_nothing(told: str) -> None:
    named = hashlib.sha256(told.encode()).hexdigest()
    assert check_decision(leaf(named), told) == CheckedDecision()
