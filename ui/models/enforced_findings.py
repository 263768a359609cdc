"""Keeps what the backend found in a text it refused, for the draft that text became again.

It never holds anything back by itself: what the local rules say of the draft stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from contract.policy.model import Action, Decision, Finding, OverrideKind
from contract.wire import WireFinding

_ANSWERABLE = (Action.WARN, Action.JUSTIFY)


class EnforcedFindings:
    """The findings of one refused text; without them rules of the server alone had no answer."""

    def __init__(self, text: str = "", findings: Iterable[WireFinding] = ()) -> None:
        self._text = text
        read = (_finding(one) for one in findings)
        self._findings = tuple(one for one in read if one is not None)

    def joined(self, decision: Decision, text: str) -> Decision:
        """Return the local decision on `text` with what the backend alone had found.

        The same text gets all of it. A changed one may be mended, which only the backend can
        tell: it keeps what asks for an answer and stands on no words.
        """
        known = {finding.rule_id for finding in decision.findings}
        same = text == self._text
        added = [
            one
            for one in self._findings
            if one.rule_id not in known
            and (same or (one.action in _ANSWERABLE and one.start == one.end))
        ]
        if not added:
            return decision
        findings = sorted((*decision.findings, *added), key=lambda one: -one.action.rank)
        return msgspec.structs.replace(decision, findings=tuple(findings))


def _finding(wire: WireFinding) -> Finding | None:
    try:
        action = Action(wire.action)
        override = OverrideKind(wire.override_kind or OverrideKind.NOT_ALLOWED.value)
    except ValueError:
        return None  # a newer backend's word, which this Parley has no answer to
    return Finding(
        rule_id=wire.rule_id,
        action=action,
        confidence=85,
        message_key=wire.message_key,
        message=wire.message,
        start=wire.start,
        end=wire.end,
        detail=wire.detail,
        category=wire.category,
        why=wire.why,
        override_kind=override,
        attachment=wire.attachment,
        contact_ids=wire.contact_ids,
    )
