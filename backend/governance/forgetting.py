"""Owns what an erasure takes from supervision: notes, findings' words and clients' hints.

It never removes a row: who decided what, and when, stays.
"""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from backend.storage.supervision_tables import (
    approvals,
    hint_differences,
    review_items,
    review_steps,
)
from backend.storage.tables import decisions
from contract.supervision import ApprovalState


def forget_words(connection: Connection, message_id: str) -> None:
    """Empty what quotes an erased message, or may; a held one can't be approved any more."""
    held = approvals.c
    connection.execute(
        update(approvals).where(held.message_id == message_id).values(findings=b"[]", note="")
    )
    connection.execute(
        update(approvals)
        .where(held.message_id == message_id, held.state == ApprovalState.PENDING)
        .values(state=ApprovalState.EXPIRED)
    )
    items = select(review_items.c.review_id).where(review_items.c.message_id == message_id)
    connection.execute(
        update(review_steps).where(review_steps.c.review_id.in_(items)).values(note="")
    )
    ids = select(decisions.c.decision_id).where(decisions.c.message_id == message_id)
    connection.execute(
        update(hint_differences).where(hint_differences.c.decision_id.in_(ids)).values(hint=b"{}")
    )
