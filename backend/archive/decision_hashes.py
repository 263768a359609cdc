"""Owns the hashes of stored decisions, by the form that each one's evaluator gave it.

It never decides anything: a form stays as it was when its decisions were archived.
"""

from __future__ import annotations

import hashlib

import msgspec

from contract.policy.model import Decision, Finding

_FIRST_EVALUATOR = "1"
_FIRST_TAG = b"parley.policy.decision.v1\n"


def stored_decision_hash(decision: Decision) -> str:
    """Return the hex SHA-256 that a decision of any released evaluator was archived with."""
    if decision.evaluator_version == _FIRST_EVALUATOR:
        return hashlib.sha256(_FIRST_TAG + _first_form(decision)).hexdigest()
    return decision.decision_hash()


def _first_form(decision: Decision) -> bytes:
    return msgspec.json.encode(
        [
            decision.evaluator_version,
            decision.bundle_version,
            decision.bundle_hash,
            decision.facts_hash,
            decision.draft_hash,
            [_first_finding(finding) for finding in decision.findings],
            decision.action.value,
            decision.override_kind.value,
        ],
        order="deterministic",
    )


def _first_finding(finding: Finding) -> list[object]:
    return [
        finding.rule_id,
        finding.start,
        finding.end,
        finding.confidence,
        finding.action.value,
        finding.message_key,
        [[fix.kind.value, fix.replacement] for fix in finding.fixes],
        finding.override_kind.value,
    ]
