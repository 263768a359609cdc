"""Short ways to decide with the bundle that has a rule of every kind.

It holds no tests.
"""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from contract.policy.bundle import CompiledBundle, Side, compile_bundle
from contract.policy.evaluate import evaluate
from contract.policy.model import (
    ContactPointFacts,
    Decision,
    Draft,
    Facts,
    Finding,
    Recipient,
)
from contract.wire import ConsentStatus
from tests.support.policy_bundle import bundle_files

NOW_UTC_MS = 1_795_003_200_000  # 2026-11-18, noon in UTC
POINT = ContactPointFacts(
    contact_point_id="person-1:point",
    contact_id="person-1",
    recording_notice=ConsentStatus.ACCEPTED,
    opt_in=ConsentStatus.ACCEPTED,
)
FACTS = Facts(now_utc_ms=NOW_UTC_MS, contact_points=(POINT,))


@functools.cache
def compiled(side: Side) -> CompiledBundle:
    """Return the bundle for one side."""
    return compile_bundle(bundle_files(), side)


def decide(
    text: str = "Hello", facts: Facts = FACTS, *, side: Side = Side.SERVER, **changes: Any
) -> Decision:
    """Return the decision on a text for one person, with other fields of the draft as given."""
    draft = Draft(
        text=text,
        conversation_id="talk-1",
        channel="signal",
        recipients=(Recipient(contact_id="person-1", contact_point_id="person-1:point"),),
    )
    return evaluate(compiled(side), facts, msgspec.structs.replace(draft, **changes))


def findings(
    rule_id: str,
    text: str = "Hello",
    facts: Facts = FACTS,
    *,
    side: Side = Side.SERVER,
    **changes: Any,
) -> list[Finding]:
    """Return the findings of one rule."""
    decision = decide(text, facts, side=side, **changes)
    return [one for one in decision.findings if one.rule_id == rule_id]


def with_point(facts: Facts = FACTS, **changes: Any) -> Facts:
    """Return facts in which the one recipient's contact point is another."""
    return msgspec.structs.replace(
        facts, contact_points=(msgspec.structs.replace(POINT, **changes),)
    )


def with_facts(**changes: Any) -> Facts:
    """Return facts with other fields."""
    return msgspec.structs.replace(FACTS, **changes)
