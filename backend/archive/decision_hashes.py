"""Owns the hashed form of stored decisions, which each one's evaluator gave it.

It never decides anything: a form stays as it was when its decisions were archived.
"""

from __future__ import annotations

import hashlib

import msgspec
from sqlalchemy import Connection, select

from backend.storage.tables import decisions
from contract.policy.model import Decision, Finding, Scope

_FIRST_EVALUATOR = "1"
_FIRST_TAG = b"parley.policy.decision.v1\n"


def stored_decision_hash(decision: Decision) -> str:
    """Return the hex SHA-256 that a decision of any released evaluator was archived with."""
    return hashlib.sha256(stored_decision_bytes(decision)).hexdigest()


def stored_decision_bytes(decision: Decision) -> bytes:
    """Return the bytes that hash covers: a tag's line, then a JSON list.

    In every form the list's second place holds the bundle's version, its seventh the action.
    """
    if decision.evaluator_version == _FIRST_EVALUATOR:
        return _FIRST_TAG + _first_form(decision)
    return decision.canonical_bytes()


def disclosed_decision(connection: Connection, entry_id: str, decision_hash: str) -> str:
    """Return the text of a submission's decision for those who may see the message.

    A salted one tells nothing of rules that only the backend knows. Empty when an older one
    names such a rule, when it is missing, or not the one that the entry commits to.
    """
    stored = connection.execute(
        select(decisions.c.decision).where(decisions.c.decision_id == entry_id)
    ).scalar_one_or_none()
    if stored is None or not decision_hash:
        return ""
    decision = msgspec.json.decode(stored, type=Decision)
    if not decision.salt and any(finding.scope is Scope.SERVER for finding in decision.findings):
        return ""
    told = stored_decision_bytes(decision)
    return told.decode() if hashlib.sha256(told).hexdigest() == decision_hash else ""


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
