"""Owns the decision for each person when one text goes to several as separate chats.

It never lets what is known of one person weigh on the decision for another.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

import msgspec

from contract.policy.bundle import CompiledBundle
from contract.policy.context import ScanMemo
from contract.policy.evaluate import evaluate
from contract.policy.model import Action, Decision, Draft, Facts
from contract.policy.rules import (
    ChannelWindowRule,
    OptInRule,
    OptOutRule,
    RecordingNoticeRule,
    Rule,
    WallRule,
)


class Reach(Enum):
    """How a person can be reached on the draft's channel, the freest first."""

    FREE_TEXT = "free_text"
    TEMPLATE = "template"
    NO_CONSENT = "no_consent"
    OPTED_OUT = "opted_out"
    NOT_ALLOWED = "not_allowed"


_ORDER = list(Reach)


class RecipientVerdict(NamedTuple):
    """One person's line of the matrix."""

    contact_id: str
    contact_point_id: str
    reach: Reach
    decision: Decision


def evaluate_each(
    bundle: CompiledBundle, facts: Facts, draft: Draft, memo: ScanMemo | None = None
) -> tuple[RecipientVerdict, ...]:
    """Decide on a draft for each recipient alone, in the draft's order.

    `facts` holds the contact points of all. `several` becomes the number of retail recipients
    where that is more, so that the reach of the text counts for each of them.
    """
    points = {point.contact_point_id: point for point in facts.contact_points}
    retail_points = {point_id for point_id, point in points.items() if point.retail}
    retail = {to.contact_id for to in draft.recipients if to.contact_point_id in retail_points}
    several = max(draft.several, len(retail))
    rules = {rule.id: rule for rule in bundle.rules}
    memo = memo or ScanMemo()
    verdicts: list[RecipientVerdict] = []
    for to in draft.recipients:
        own = msgspec.structs.replace(draft, recipients=(to,), several=several)
        point = points.get(to.contact_point_id)
        own_points = () if point is None else (point,)
        own_facts = msgspec.structs.replace(facts, contact_points=own_points)
        decision = evaluate(bundle, own_facts, own, memo)
        reach = reach_of(rules, decision)
        verdicts.append(RecipientVerdict(to.contact_id, to.contact_point_id, reach, decision))
    return tuple(verdicts)


def reach_of(rules: dict[str, Rule], decision: Decision) -> Reach:
    """Return how a decision on one person's draft lets them be reached; `rules` go by id."""
    reach = Reach.FREE_TEXT
    for finding in decision.findings:
        if finding.action is Action.BLOCK and finding.rule_id in rules:
            reach = max(reach, _barrier(rules[finding.rule_id]), key=_ORDER.index)
    return reach


def _barrier(rule: Rule) -> Reach:
    match rule:
        case WallRule():
            return Reach.NOT_ALLOWED
        case OptOutRule():
            return Reach.OPTED_OUT
        case RecordingNoticeRule() | OptInRule():
            return Reach.NO_CONSENT
        case ChannelWindowRule():
            return Reach.TEMPLATE
        case _:
            return Reach.FREE_TEXT
