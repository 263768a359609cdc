"""Owns the reading of held messages for the supervisors who decide on them.

It never changes a row, and it shows nobody their own message.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, select, tuple_

from backend.governance.supervisors import decidable, pending_count
from backend.inbox.rendering import message_attachments
from backend.refusals import not_found
from backend.storage.supervision_tables import approvals
from backend.storage.tables import conversations, decisions, messages
from contract.ids import ConversationId, EmployeeId, MessageId
from contract.supervision import Approval, ApprovalPage, ApprovalState
from contract.wire import Channel, Me, WireFinding

ApprovalPosition = tuple[int, str]


def approval_page(
    connection: Connection,
    me: Me,
    state: ApprovalState,
    after: ApprovalPosition | None,
    limit: int,
) -> tuple[ApprovalPage, ApprovalPosition | None]:
    """Return approvals in one state, oldest first, with the place the next page begins after."""
    columns = approvals.c
    query = (
        _approvals(me.firm_id)
        .where(columns.state == state)
        .order_by(columns.held_at_utc_ms, columns.approval_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(columns.held_at_utc_ms, columns.approval_id) > after)
    rows = connection.execute(query).all()
    following = None
    if len(rows) == limit:
        following = (rows[-1].held_at_utc_ms, rows[-1].approval_id)
    shown = tuple(_approval(connection, row) for row in decidable(connection, me, rows))
    return ApprovalPage(approvals=shown, pending=pending_count(connection, me)), following


def read_approval(connection: Connection, me: Me, approval_id: str) -> Approval:
    """Return one approval; raises Refused when it is not the asker's to see."""
    query = _approvals(me.firm_id).where(approvals.c.approval_id == approval_id)
    for row in decidable(connection, me, connection.execute(query).all()):
        return _approval(connection, row)
    raise not_found("held message")


def _approvals(firm_id: str) -> Select[Any]:
    columns = approvals.c
    return (
        select(
            approvals,
            messages.c.text,
            messages.c.author_name,
            conversations.c.title,
            conversations.c.channel,
            decisions.c.justification,
        )
        .join(messages, messages.c.message_id == columns.message_id)
        .join(conversations, conversations.c.conversation_id == columns.conversation_id)
        .outerjoin(decisions, decisions.c.decision_id == columns.approval_id)
        .where(columns.firm_id == firm_id)
    )


def _approval(connection: Connection, row: Row[Any]) -> Approval:
    files = message_attachments(connection, [row.message_id])[row.message_id]
    return Approval(
        approval_id=row.approval_id,
        conversation_id=ConversationId(row.conversation_id),
        message_id=MessageId(row.message_id),
        author_id=EmployeeId(row.author_id),
        author_name=row.author_name,
        title=row.title,
        channel=Channel(row.channel),
        text=row.text,
        held_at_utc_ms=row.held_at_utc_ms,
        expires_at_utc_ms=row.expires_at_utc_ms,
        state=ApprovalState(row.state),
        attachments=tuple(files),
        findings=msgspec.json.decode(row.findings, type=tuple[WireFinding, ...]),
        justification=row.justification or "",
        decided_by=row.decided_by or "",
        decided_at_utc_ms=row.decided_at_utc_ms,
        note=row.note,
    )
