"""Owns the choice of what Compliance looks at without a cause: samples by rule and at random.

It never lets a sender foresee the choice.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from sqlalchemy import Connection

from backend.governance.settings import (
    RANDOM_PER_MILLE,
    RULE_PER_MILLE,
    read_setting,
    rule_rate_name,
)
from contract.policy.model import Decision
from contract.supervision import ReviewKind

_PER_MILLE = 1_000


def draw_samples(
    connection: Connection, firm_id: str, decision: Decision
) -> Iterator[tuple[ReviewKind, tuple[str, ...]]]:
    """Yield the samples that a decision falls into, with the rules it was drawn for.

    The silent ones count, too; the rates are the firm's figures, per thousand.
    """
    rules = dict.fromkeys(finding.rule_id for finding in decision.findings)
    drawn = tuple(
        rule_id
        for rule_id in rules
        if _drawn(read_setting(connection, firm_id, rule_rate_name(rule_id), RULE_PER_MILLE))
    )
    if drawn:
        yield ReviewKind.RULE_SAMPLE, drawn
    if _drawn(read_setting(connection, firm_id, RANDOM_PER_MILLE)):
        yield ReviewKind.RANDOM_SAMPLE, ()


def _drawn(per_mille: int) -> bool:
    return secrets.randbelow(_PER_MILLE) < per_mille
