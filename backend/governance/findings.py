"""Owns what of a decision leaves the backend: findings as wire values, and the sealing of it.

It never shows a sender a rule that only the server knows, nor that one found something.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import msgspec

from backend.governance.policy import RunningPolicy
from contract.policy.disclosure import findings_for_sender
from contract.policy.model import Decision, Finding
from contract.receipts.leaf import SALT_BYTES
from contract.wire import WireFinding


def sealed(decision: Decision) -> Decision:
    """Return a decision whose hash and text tell nothing of what only the backend knows."""
    return msgspec.structs.replace(decision, salt=os.urandom(SALT_BYTES).hex())


def sender_findings(
    policy: RunningPolicy, decision: Decision, language: str
) -> tuple[WireFinding, ...]:
    """Return what the sender, and whoever decides for the sender, may read of a decision."""
    return wire_findings(findings_for_sender(policy.server, decision, language))


def wire_findings(findings: Iterable[Finding]) -> tuple[WireFinding, ...]:
    """Return findings as they travel, in their order."""
    return tuple(
        WireFinding(
            rule_id=finding.rule_id,
            action=finding.action.value,
            start=finding.start,
            end=finding.end,
            message_key=finding.message_key,
            message=finding.message,
            category=finding.category,
            why=finding.why,
            detail=finding.detail,
            override_kind=finding.override_kind.value,
            attachment=finding.attachment,
            contact_ids=finding.contact_ids,
        )
        for finding in findings
    )
