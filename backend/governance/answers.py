"""Owns what a sender's answers to the findings let pass: reasons, acknowledgements, reports.

It never lets an answer go against a block, and it never forgets a report.
"""

from __future__ import annotations

from dataclasses import dataclass

from contract.policy.disclosure import NEUTRAL_RULE_ID
from contract.policy.model import Action, Decision, Finding, OverrideKind, Scope
from contract.states import DeliveryState
from contract.wire import SubmitMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the sender said to the findings; the rule ids are those that the sender was shown."""

    justification: str = ""
    acknowledged: frozenset[str] = frozenset()
    false_positives: frozenset[str] = frozenset()

    @classmethod
    def of(cls, command: SubmitMessage) -> Answers:
        """Return the answers that came with a submission."""
        return cls(
            justification=command.justification,
            acknowledged=frozenset(command.acknowledged),
            false_positives=frozenset(command.false_positives),
        )

    @property
    def has_reason(self) -> bool:
        """Tell whether the reason says anything: signs that nobody sees are none."""
        return any(char.isalnum() for char in self.justification)


def starting_state(decision: Decision, answers: Answers) -> DeliveryState:
    """Return the state a message starts in: archived (to be delivered), held or blocked.

    The most restrictive action decides. One that asks for a reason or an acknowledgement blocks
    until it is given: a warning may ask for a reason, too, or for nothing, as its rule says. A
    finding that a report as false may override counts no longer once it was reported, except
    under a block.
    """
    left = [finding for finding in decision.findings if not _reported(finding, answers)]
    action = max((finding.action for finding in left), default=Action.ALLOW)
    if action is Action.BLOCK:
        return DeliveryState.BLOCKED
    if action is Action.APPROVE:
        return DeliveryState.HELD
    if action is Action.JUSTIFY and not answers.has_reason:
        return DeliveryState.BLOCKED
    if action is Action.WARN and not all(_went_on(finding, answers) for finding in left):
        return DeliveryState.BLOCKED
    return DeliveryState.ARCHIVED


def overridden(decision: Decision, answers: Answers) -> tuple[str, ...]:
    """Return the ids of the rules against which the sender goes on, in the findings' order."""
    return tuple(
        dict.fromkeys(
            finding.rule_id
            for finding in decision.findings
            if (finding.action is Action.JUSTIFY and answers.has_reason)
            or (finding.action is Action.WARN and shown_rule_id(finding) in answers.acknowledged)
            or _reported(finding, answers)
        )
    )


def reported(decision: Decision, answers: Answers) -> tuple[str, ...]:
    """Return the ids of the rules that found something and that the sender calls wrong."""
    return tuple(
        dict.fromkeys(
            finding.rule_id
            for finding in decision.findings
            if finding.action is not Action.LOG
            and shown_rule_id(finding) in answers.false_positives
        )
    )


def shown_rule_id(finding: Finding) -> str:
    """Return the id under which a sender sees a finding: a server-only rule has none of its own."""
    return NEUTRAL_RULE_ID if finding.scope is Scope.SERVER else finding.rule_id


def _reported(finding: Finding, answers: Answers) -> bool:
    return (
        finding.override_kind is OverrideKind.FALSE_POSITIVE
        and finding.action is not Action.BLOCK
        and shown_rule_id(finding) in answers.false_positives
    )


def _went_on(finding: Finding, answers: Answers) -> bool:
    """Tell whether the sender gave what a warning asks for."""
    if finding.action is not Action.WARN:
        return True
    match finding.override_kind:
        case OverrideKind.WITHOUT_JUSTIFICATION:
            return True
        case OverrideKind.WITH_JUSTIFICATION:
            return answers.has_reason
        case _:
            return shown_rule_id(finding) in answers.acknowledged
