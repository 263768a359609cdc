"""Owns the one function that decides on a draft, the same in the composer and in the backend.

It never performs I/O, reads a clock, keeps state or looks at anything but its arguments.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

from contract.policy.bundle import CompiledBundle
from contract.policy.context import Context, ScanMemo
from contract.policy.detectors import detect, text_rules
from contract.policy.fixes import fixes_for
from contract.policy.hits import Hit
from contract.policy.model import (
    EVALUATOR_VERSION,
    Action,
    Decision,
    Draft,
    Facts,
    Finding,
    FixKind,
    OverrideKind,
    Scope,
    draft_hash,
    facts_hash,
)
from contract.policy.recipient_detectors import time_marks
from contract.policy.rule_plan import RulePlan
from contract.policy.rules import Rule

_SHOWN_MATCH_CHARS = 40


def evaluate(
    bundle: CompiledBundle, facts: Facts, draft: Draft, memo: ScanMemo | None = None
) -> Decision:
    """Decide on a draft: every finding, most severe first, and the most restrictive action.

    Equal arguments give equal decisions on every machine, with and without a `memo`, which
    only saves reading again what has not changed. Takes any text, never raises.
    """
    context = Context(bundle, facts, draft, memo)
    plan = bundle.plans.on(draft.channel)
    findings = [*_about_text(plan, context), *_beyond_text(plan, context)]
    if len(findings) > 1:
        findings.sort(
            key=lambda one: (-one.action.rank, one.attachment, one.start, one.end, one.rule_id)
        )
    action = findings[0].action if findings else Action.ALLOW
    return Decision(
        evaluator_version=EVALUATOR_VERSION,
        bundle_version=bundle.version,
        bundle_hash=bundle.hash,
        facts_hash=facts_hash(facts) if memo is None else memo.findings.facts_hash(facts),
        draft_hash=draft_hash(draft),
        findings=tuple(findings),
        action=action,
        override_kind=_strictest(one for one in findings if one.action is action),
    )


def _about_text(plan: RulePlan, context: Context) -> list[Finding]:
    """Return what the rules about texts find; a hit found before keeps its finding."""
    hits = [
        (rule, hit)
        for place, rule in text_rules(plan, context)
        for hit in detect(place, rule, context)
        if hit.action is not Action.ALLOW
    ]
    memo = context.memo
    if memo is None or not hits:
        return [_finding(rule, hit, context) for rule, hit in hits]
    wording = (context.bundle.hash, context.draft.language, context.client_language())
    return [
        memo.findings.worded(wording, rule.id, hit, functools.partial(_finding, rule, hit, context))
        for rule, hit in hits
    ]


def _beyond_text(plan: RulePlan, context: Context) -> tuple[Finding, ...]:
    """Return what the other rules find; what they rest on seldom changes between keystrokes."""

    def find() -> tuple[Finding, ...]:
        return tuple(
            _finding(rule, hit, context)
            for place, rule in plan.beyond_text
            for hit in detect(place, rule, context)
            if hit.action is not Action.ALLOW
        )

    bundle, facts, draft = context.bundle, context.facts, context.draft
    if context.memo is None:
        return find()
    grounds = (
        bundle.hash,
        time_marks(bundle.plans.quiet_hours, facts),
        facts.contact_points,
        facts.walls,
        facts.reach,
        draft.channel,
        draft.recipients,
        draft.attachments,
        draft.template_id,
        draft.language,
        draft.mentions,
        draft.forwarded_from,
        draft.on_behalf_of,
        draft.several,
    )
    return context.memo.findings.beyond_text(grounds, find)


def _strictest(findings: Iterable[Finding]) -> OverrideKind:
    """Return the least free override among the findings that decide; under a block, its own."""
    kinds = (finding.override_kind for finding in findings)
    return min(kinds, key=lambda kind: kind.rank, default=OverrideKind.WITHOUT_JUSTIFICATION)


def _finding(rule: Rule, hit: Hit, context: Context) -> Finding:
    catalogue, language = context.bundle.catalogue, context.draft.language
    fixes = fixes_for(rule, hit, catalogue, language, context.client_language())
    replacement = next((fix.replacement for fix in fixes if fix.kind is FixKind.REPLACE), "")
    words = catalogue.words(
        hit.message_key,
        language,
        match=_short(hit.shown),
        replacement=replacement,
        reference=hit.reference,
    )
    return Finding(
        rule_id=rule.id,
        action=hit.action,
        confidence=hit.confidence,
        message_key=hit.message_key,
        message=words.title,
        start=hit.start,
        end=hit.end,
        detail=words.detail,
        category=rule.category,
        why=rule.why,
        fixes=fixes,
        override_kind=rule.override_kind(hit.action),
        scope=Scope.SERVER if hit.server_known else rule.scope,
        attachment=hit.attachment,
        contact_ids=hit.contact_ids,
    )


def _short(match: str) -> str:
    match = match.encode("utf-8", "replace").decode("utf-8")
    return match if len(match) <= _SHOWN_MATCH_CHARS else match[: _SHOWN_MATCH_CHARS - 1] + "…"
