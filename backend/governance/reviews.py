"""Owns Compliance's review queue: its reading, and the archived steps of the reviewers.

It never takes the opening of an item for a review (FINRA 3110.07), and nobody reviews their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, func, insert, select, tuple_, update

from backend.archive.entries import append_act
from backend.governance.findings import wire_findings
from backend.refusals import Refused, not_found
from backend.storage.supervision_tables import review_items, review_steps
from backend.storage.tables import conversations, decisions, employees, messages
from contract.ids import EmployeeId, EntryId
from contract.policy.model import Decision
from contract.problems import ProblemCode
from contract.supervision import (
    CLOSING_STEPS,
    ReviewCommand,
    ReviewEntry,
    ReviewItem,
    ReviewKind,
    ReviewPage,
    ReviewStep,
)
from contract.wire import Me, Role

KIND_REVIEW = "review"
MAX_NOTE_CHARS = 4_000
ReviewPosition = tuple[int, str]


def check_reviewer(me: Me) -> None:
    """Raise Refused for anyone but Compliance."""
    if Role.COMPLIANCE not in me.roles:
        raise Refused(ProblemCode.FORBIDDEN, "Only Compliance works on the review queue.")


def review_page(
    connection: Connection,
    me: Me,
    *,
    closed: bool,
    kind: ReviewKind | None,
    after: ReviewPosition | None,
    limit: int,
) -> tuple[ReviewPage, ReviewPosition | None]:
    """Return items, oldest first, with the place the next page begins after; changes nothing."""
    check_reviewer(me)
    columns = review_items.c
    query = _items(me.firm_id).where(columns.closed.is_(closed))
    if kind is not None:
        query = query.where(columns.kind == kind)
    if after is not None:
        query = query.where(tuple_(columns.created_at_utc_ms, columns.review_id) > after)
    ordered = query.order_by(columns.created_at_utc_ms, columns.review_id).limit(limit)
    rows = connection.execute(ordered).all()
    following = None
    if len(rows) == limit:
        following = (rows[-1].created_at_utc_ms, rows[-1].review_id)
    still_open = connection.execute(
        select(func.count()).where(columns.firm_id == me.firm_id, columns.closed.is_(False))
    ).scalar_one()
    return ReviewPage(reviews=_render(connection, rows), open=still_open), following


def read_review(connection: Connection, me: Me, review_id: str) -> ReviewItem:
    """Return one item; changes nothing. Raises Refused for an unknown one."""
    check_reviewer(me)
    query = _items(me.firm_id).where(review_items.c.review_id == review_id)
    for item in _render(connection, connection.execute(query).all()):
        return item
    raise not_found("review item")


def take_step(
    connection: Connection, me: Me, review_id: str, command: ReviewCommand, now_utc_ms: int
) -> ReviewItem:
    """Archive one step of a review: reviewer, item, date, action; a closing one closes the item.

    Raises Refused for anyone but Compliance, for one's own message and for a closed item.
    """
    item = read_review(connection, me, review_id)
    note = command.note.strip()
    _check_step(me, item, command.step, note)
    entry_id = _archive_step(connection, me, item, command.step, note, now_utc_ms)
    connection.execute(
        insert(review_steps).values(
            review_id=review_id,
            n=len(item.steps) + 1,
            firm_id=me.firm_id,
            reviewer_id=me.employee_id,
            step=command.step,
            note=note,
            at_utc_ms=now_utc_ms,
            entry_id=entry_id,
        )
    )
    if command.step in CLOSING_STEPS:
        connection.execute(
            update(review_items).where(review_items.c.review_id == review_id).values(closed=True)
        )
    return read_review(connection, me, review_id)


def _check_step(me: Me, item: ReviewItem, step: ReviewStep, note: str) -> None:
    if len(note) > MAX_NOTE_CHARS:
        raise Refused(ProblemCode.BAD_REQUEST, "The note is too long.")
    if step is not ReviewStep.CLEARED and not note:
        raise Refused(ProblemCode.BAD_REQUEST, "This step needs a note.")
    if item.employee_id == me.employee_id:
        raise Refused(ProblemCode.FORBIDDEN, "Somebody else has to review your own message.")
    if item.closed:
        raise Refused(ProblemCode.CONFLICT, "This item is closed already: nothing was changed.")


def _archive_step(
    connection: Connection, me: Me, item: ReviewItem, step: ReviewStep, note: str, now_utc_ms: int
) -> EntryId:
    archived = append_act(
        connection,
        kind=KIND_REVIEW,
        actor_id=me.employee_id,
        told={
            "action": step.value,
            "item": item.review_id,
            "kind": item.kind.value,
            "note": note,
            "rules": list(item.rule_ids),
        },
        conversation_id=item.conversation_id,
        message_id=item.message_id,
        firm_id=me.firm_id,
        now_utc_ms=now_utc_ms,
    )
    return archived.entry_id


def _items(firm_id: str) -> Select[Any]:
    columns = review_items.c
    return (
        select(
            review_items,
            employees.c.display_name,
            conversations.c.title,
            conversations.c.channel,
            messages.c.text,
            decisions.c.decision,
            decisions.c.action,
            decisions.c.justification,
        )
        .outerjoin(employees, employees.c.employee_id == columns.employee_id)
        .outerjoin(conversations, conversations.c.conversation_id == columns.conversation_id)
        .outerjoin(messages, messages.c.message_id == columns.message_id)
        .outerjoin(decisions, decisions.c.decision_id == columns.decision_id)
        .where(columns.firm_id == firm_id)
    )


def _render(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[ReviewItem, ...]:
    steps = _steps(connection, [row.review_id for row in rows])
    return tuple(_item(row, tuple(steps.get(row.review_id, ()))) for row in rows)


def _item(row: Row[Any], steps: tuple[ReviewEntry, ...]) -> ReviewItem:
    decision = None
    if row.decision is not None:
        decision = msgspec.json.decode(row.decision, type=Decision)
    return ReviewItem(
        review_id=row.review_id,
        kind=ReviewKind(row.kind),
        created_at_utc_ms=row.created_at_utc_ms,
        closed=row.closed,
        rule_ids=msgspec.json.decode(row.rule_ids, type=tuple[str, ...]),
        bundle_version="" if decision is None else decision.bundle_version,
        action=row.action or "",
        conversation_id=row.conversation_id,
        message_id=row.message_id,
        employee_id=row.employee_id,
        employee_name=row.display_name or "",
        title=row.title or "",
        channel=row.channel or "",
        text=row.text or "",
        justification=row.justification or "",
        detail=row.detail,
        findings=() if decision is None else wire_findings(decision.findings),
        steps=steps,
    )


def _steps(connection: Connection, review_ids: list[str]) -> dict[str, list[ReviewEntry]]:
    columns = review_steps.c
    found: dict[str, list[ReviewEntry]] = {}
    for row in connection.execute(
        select(review_steps, employees.c.display_name)
        .outerjoin(employees, employees.c.employee_id == columns.reviewer_id)
        .where(columns.review_id.in_(review_ids))
        .order_by(columns.review_id, columns.n)
    ):
        found.setdefault(row.review_id, []).append(
            ReviewEntry(
                reviewer_id=EmployeeId(row.reviewer_id),
                reviewer_name=row.display_name or "",
                step=ReviewStep(row.step),
                at_utc_ms=row.at_utc_ms,
                entry_id=row.entry_id,
                note=row.note,
            )
        )
    return found
