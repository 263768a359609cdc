"""Owns the entering of items into Compliance's review queue, each subject once per kind.

It never closes one: only a reviewer's archived step does.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, insert, select

from backend.storage.supervision_tables import review_items
from contract.ids import uuid7
from contract.supervision import ReviewKind


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReview:
    """One thing to look at; `subject` is what makes it the same thing when it is seen again."""

    firm_id: str
    kind: ReviewKind
    subject: str
    message_id: str = ""
    conversation_id: str = ""
    employee_id: str = ""
    decision_id: str = ""
    rule_ids: tuple[str, ...] = ()
    detail: str = ""


def add_review(connection: Connection, new: NewReview, now_utc_ms: int) -> bool:
    """Enter an item; false when this subject stands there already."""
    columns = review_items.c
    known = connection.execute(
        select(columns.review_id).where(
            columns.firm_id == new.firm_id,
            columns.kind == new.kind,
            columns.subject == new.subject,
        )
    ).first()
    if known is not None:
        return False
    connection.execute(
        insert(review_items).values(
            review_id=uuid7(now_utc_ms, os.urandom(10)),
            firm_id=new.firm_id,
            kind=new.kind,
            subject=new.subject,
            message_id=new.message_id,
            conversation_id=new.conversation_id,
            employee_id=new.employee_id,
            decision_id=new.decision_id,
            rule_ids=msgspec.json.encode(new.rule_ids).decode(),
            detail=new.detail,
            created_at_utc_ms=now_utc_ms,
        )
    )
    return True
