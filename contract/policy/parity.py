"""Owns the comparison of a client's hint with the backend's own decision on the same draft.

It never decides which of them stands: the backend's always does.
"""

from __future__ import annotations

import hashlib
from enum import Enum

import msgspec

from contract.policy.model import Decision
from contract.wire import HintReport

_FINDINGS_AT = 5
"""Where the findings stand in a decision's canonical form; before them is what they rest on."""


class Parity(Enum):
    """How a hint relates to the decision of the rules of scope both.

    DRIFT: the client had another evaluator, bundle or facts, as after a change not yet arrived.
    INCIDENT: with all of these equal the decisions still differ, which must never happen.
    """

    AGREES = "agrees"
    DRIFT = "drift"
    INCIDENT = "incident"
    NO_HINT = "no_hint"


def compare_hint(
    report: HintReport | None, own: Decision, timed_rules: frozenset[str] = frozenset()
) -> Parity:
    """Compare a report with the decision of the bundle compiled for `Side.CLIENT`.

    `own` has to be made on the facts that the client may know (`Facts.for_client`); rules of
    scope server are no part of it. `timed_rules` are the ids of rules that follow the clock
    (recipient_detectors): where only their findings differ, a window closed or quiet hours
    began while the message was on its way, and that is drift.
    """
    if report is None:
        return Parity.NO_HINT
    if report.decision_hash == own.decision_hash() and report.action == own.action.value:
        return Parity.AGREES
    stated = (report.evaluator_version, report.bundle_version, report.facts_hash)
    if stated != (own.evaluator_version, own.bundle_version, own.facts_hash):
        return Parity.DRIFT
    if timed_rules and _but_for_time(report, own, timed_rules):
        return Parity.DRIFT
    return Parity.INCIDENT


def _but_for_time(report: HintReport, own: Decision, timed_rules: frozenset[str]) -> bool:
    """Tell whether both decisions are the same without the findings of rules about time."""
    canonical = own.canonical_bytes()
    tag = canonical.partition(b"\n")[0] + b"\n"
    stated = report.decision.encode()
    if hashlib.sha256(tag + stated).hexdigest() != report.decision_hash:
        return False
    try:
        one = msgspec.json.decode(stated, type=list[object])
    except msgspec.DecodeError:
        return False
    two = msgspec.json.decode(canonical[len(tag) :], type=list[object])
    return _timeless(one, timed_rules) == _timeless(two, timed_rules)


def _timeless(canonical: list[object], timed_rules: frozenset[str]) -> object:
    grounds, findings = canonical[:_FINDINGS_AT], canonical[_FINDINGS_AT]
    assert isinstance(findings, list)
    return grounds, [one for one in findings if one[0] not in timed_rules]
