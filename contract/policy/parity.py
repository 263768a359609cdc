"""Owns the comparison of a client's hint with the backend's own decision on the same draft.

It never decides which of them stands: the backend's always does.
"""

from __future__ import annotations

from enum import Enum

from contract.policy.model import Decision
from contract.wire import HintReport


class Parity(Enum):
    """How a hint relates to the decision of the rules of scope both.

    DRIFT: the client had another evaluator, bundle or facts, as after a change not yet arrived.
    INCIDENT: with all of these equal the decisions still differ, which must never happen.
    """

    AGREES = "agrees"
    DRIFT = "drift"
    INCIDENT = "incident"
    NO_HINT = "no_hint"


def compare_hint(report: HintReport | None, own: Decision) -> Parity:
    """Compare a report with the decision of the bundle compiled for `Side.CLIENT`.

    `own` has to be made on the facts that the client may know; rules of scope server are no
    part of it.
    """
    if report is None:
        return Parity.NO_HINT
    if report.decision_hash == own.decision_hash() and report.action == own.action.value:
        return Parity.AGREES
    stated = (report.evaluator_version, report.bundle_version, report.facts_hash)
    same = stated == (own.evaluator_version, own.bundle_version, own.facts_hash)
    return Parity.INCIDENT if same else Parity.DRIFT
