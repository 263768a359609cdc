"""Owns what of a server's decision its sender may read.

It never names a rule of scope server, its place in the text, or why it holds.
"""

from __future__ import annotations

import msgspec

from contract.policy.bundle import CompiledBundle
from contract.policy.facts import compliance_reference
from contract.policy.model import Action, Decision, Finding, Scope
from contract.policy.rules import NEUTRAL_KEY

NEUTRAL_RULE_ID = "compliance"


def findings_for_sender(
    bundle: CompiledBundle, decision: Decision, language: str = "en"
) -> tuple[Finding, ...]:
    """Return the findings a sender may see: silent ones left out, server-only ones neutral.

    A server-only finding keeps its action and gives a reference that Compliance can find by
    the archived decision (`sender_reference`).
    """
    shown: list[Finding] = []
    for finding in decision.findings:
        if finding.action is Action.LOG:
            continue
        if finding.scope is Scope.SERVER:
            finding = _neutral(bundle, decision, finding, language)
            if finding in shown:
                continue
        shown.append(finding)
    return tuple(shown)


def sender_reference(decision: Decision) -> str:
    """Return the reference a sender reads for all server-only findings of one decision."""
    return compliance_reference(decision.draft_hash, decision.facts_hash)


def _neutral(
    bundle: CompiledBundle, decision: Decision, finding: Finding, language: str
) -> Finding:
    words = bundle.catalogue.words(NEUTRAL_KEY, language, reference=sender_reference(decision))
    return msgspec.structs.replace(
        finding,
        rule_id=NEUTRAL_RULE_ID,
        confidence=85,
        message_key=NEUTRAL_KEY,
        message=words.title,
        detail=words.detail,
        start=0,
        end=0,
        category="",
        why="",
        fixes=(),
        attachment="",
        contact_ids=(),
    )
