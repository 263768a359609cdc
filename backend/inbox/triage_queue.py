"""Owns the reading of unknown senders for those who look after them.

It never changes a row, and it shows a queue to nobody but its owners.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select, tuple_

from backend.directory.assignment import accounts_looked_after
from backend.directory.own_accounts import account_words
from backend.inbox.rendering import message_attachments
from backend.inbox.triage import candidates, pending_count, seen_by
from backend.refusals import not_found
from backend.storage.account_tables import triage_items
from backend.storage.tables import (
    channel_accounts,
    contact_points,
    conversations,
    employees,
    messages,
)
from contract.ids import AccountId, ConversationId, EmployeeId
from contract.triage import TriageItem, TriageMessage, TriagePage, TriageState
from contract.wire import Channel, Colleague, Direction, Me, MessageKind

SHOWN_MESSAGES = 20
SHOWN_CHARS = 2_000
TriagePosition = tuple[int, str]


def triage_page(
    connection: Connection, me: Me, state: TriageState, after: TriagePosition | None, limit: int
) -> tuple[TriagePage, TriagePosition | None]:
    """Return unknown senders in one state, oldest first, and where the next page begins after."""
    columns = triage_items.c
    mine = accounts_looked_after(connection, me.employee_id, me.firm_id)
    query = (
        _items(mine)
        .where(columns.state == state.value)
        .order_by(columns.opened_at_utc_ms, columns.conversation_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(columns.opened_at_utc_ms, columns.conversation_id) > after)
    rows = connection.execute(query).all()
    following = None
    if len(rows) == limit:
        following = (rows[-1].opened_at_utc_ms, rows[-1].conversation_id)
    seen = seen_by(connection, me.employee_id, [row.conversation_id for row in rows])
    rows = [row for row in rows if row.conversation_id in seen]
    pending = pending_count(connection, me.employee_id, me.firm_id)
    owner = pending > 0 or _are_pooled(connection, mine)
    return TriagePage(items=_rendered(connection, rows), pending=pending, owner=owner), following


def read_triage(connection: Connection, me: Me, conversation_id: str) -> TriageItem:
    """Return one unknown sender; raises Refused when the queue is not the asker's."""
    mine = accounts_looked_after(connection, me.employee_id, me.firm_id)
    query = _items(mine).where(triage_items.c.conversation_id == conversation_id)
    rows = connection.execute(query).all()
    if seen_by(connection, me.employee_id, [row.conversation_id for row in rows]):
        return _rendered(connection, rows)[0]
    raise not_found("unknown sender")


def _are_pooled(connection: Connection, account_ids: Sequence[str]) -> bool:
    """Tell whether strangers may come in on one of the accounts: on a personal one they don't."""
    columns = channel_accounts.c
    found = connection.execute(
        select(columns.account_id).where(columns.account_id.in_(account_ids), columns.pooled)
    ).first()
    return found is not None


def _items(account_ids: Sequence[str]) -> Select[Any]:
    return (
        select(
            triage_items,
            conversations.c.channel,
            conversations.c.title,
            conversations.c.initials,
            conversations.c.color,
            conversations.c.is_group,
            conversations.c.message_count,
            contact_points.c.label,
            channel_accounts.c.shown_name,
            channel_accounts.c.label.label("number"),
        )
        .join(conversations, conversations.c.conversation_id == triage_items.c.conversation_id)
        .join(channel_accounts, channel_accounts.c.account_id == triage_items.c.account_id)
        .outerjoin(contact_points, contact_points.c.contact_point_id == conversations.c.thread_key)
        .where(triage_items.c.account_id.in_(account_ids))
    )


def _rendered(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[TriageItem, ...]:
    return tuple(
        TriageItem(
            conversation_id=ConversationId(row.conversation_id),
            account_id=AccountId(row.account_id),
            account_label=account_words(row.shown_name, row.number),
            channel=Channel(row.channel),
            title=row.title,
            label=row.label or "",
            waits_since_utc_ms=row.opened_at_utc_ms,
            state=TriageState(row.state),
            group=bool(row.is_group),
            initials=row.initials,
            color=row.color,
            message_count=row.message_count,
            messages=_messages(connection, row.conversation_id),
            candidates=_colleagues(connection, candidates(connection, row)),
            decided_by=row.decided_by,
            decided_at_utc_ms=row.decided_at_utc_ms,
            assigned_to=row.assigned_to,
            note=row.note,
        )
        for row in rows
    )


def _messages(connection: Connection, conversation_id: str) -> tuple[TriageMessage, ...]:
    columns = messages.c
    rows = connection.execute(
        select(messages)
        .where(columns.conversation_id == conversation_id)
        .order_by(columns.place_at_utc_ms.desc(), columns.place_index.desc())
        .limit(SHOWN_MESSAGES)
    ).all()
    files = message_attachments(connection, [row.message_id for row in rows])
    return tuple(
        TriageMessage(
            direction=Direction(row.direction),
            kind=MessageKind(row.kind),
            text="" if row.deleted else row.text[:SHOWN_CHARS],
            at_utc_ms=row.place_at_utc_ms,
            author_name=row.author_name,
            files=tuple(file.name for file in files.get(row.message_id, ())),
        )
        for row in reversed(rows)
    )


def _colleagues(connection: Connection, ids: Sequence[str]) -> tuple[Colleague, ...]:
    names: dict[str, Colleague] = {}
    columns = employees.c
    for row in connection.execute(
        select(columns.employee_id, columns.display_name, columns.initials).where(
            columns.employee_id.in_(list(ids))
        )
    ):
        names[row.employee_id] = Colleague(
            employee_id=EmployeeId(row.employee_id),
            display_name=row.display_name,
            initials=row.initials,
        )
    return tuple(sorted(names.values(), key=lambda one: one.display_name))
