"""Owns the operations of supervisors and Compliance, with the facts of the employee's own book.

It never shows one role what belongs to another, and reading changes nothing.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response

from backend.api.once import once
from backend.api.operation import Call, json_answer
from backend.api.paging import choice, next_queue_cursor, page_limit, queue_place
from backend.directory.client_accounts import account_keys
from backend.directory.templates import read_templates
from backend.governance.approval_queue import approval_page, read_approval
from backend.governance.approvals import decide_approval
from backend.governance.reviews import check_reviewer, read_review, review_page, take_step
from backend.governance.supervisors import is_supervisor
from backend.refusals import Refused
from contract.problems import ProblemCode
from contract.supervision import (
    ApprovalState,
    ApprovalVerdict,
    ReviewCommand,
    ReviewKind,
    TemplateList,
)
from contract.wire import Channel, Done


class QueueState(StrEnum):
    """Which part of the review queue is asked for."""

    OPEN = "open"
    CLOSED = "closed"


async def approvals(call: Call) -> Response:
    """Answer the held messages that the asking supervisor may decide."""
    if not is_supervisor(call.me):
        raise Refused(ProblemCode.FORBIDDEN, "Only a supervisor decides on held messages.")
    state = choice(call, "state", ApprovalState, ApprovalState.PENDING)
    cursor, limit = queue_place(call), page_limit(call)
    page, following = await call.services.database.read(
        lambda connection: approval_page(connection, call.me, state, cursor, limit)
    )
    return json_answer(msgspec.structs.replace(page, next_cursor=next_queue_cursor(following)))


async def approval_decision(call: Call) -> Response:
    """Carry out a supervisor's decision on a held message."""
    command, approval_id = call.command(ApprovalVerdict), call.path("approval_id")
    now_utc_ms = call.services.now_utc_ms()

    def work(connection: Connection) -> Done:
        policy = call.services.policy
        decide_approval(connection, policy, call.me, approval_id, command, now_utc_ms)
        return Done()

    # The stored reply holds no words: an erasure would have to find them.
    await once(call, work, now_utc_ms)
    return json_answer(
        await call.services.database.read(
            lambda connection: read_approval(connection, call.me, approval_id)
        )
    )


async def reviews(call: Call) -> Response:
    """Answer Compliance's review queue."""
    check_reviewer(call.me)
    kind = choice(call, "kind", ReviewKind, None)
    closed = choice(call, "state", QueueState, QueueState.OPEN) is QueueState.CLOSED
    cursor, limit = queue_place(call), page_limit(call)
    page, following = await call.services.database.read(
        lambda connection: review_page(
            connection, call.me, closed=closed, kind=kind, after=cursor, limit=limit
        )
    )
    return json_answer(msgspec.structs.replace(page, next_cursor=next_queue_cursor(following)))


async def review(call: Call) -> Response:
    """Answer one item of the queue; looking at it is no review."""
    review_id = call.path("review_id")
    return json_answer(
        await call.services.database.read(
            lambda connection: read_review(connection, call.me, review_id)
        )
    )


async def review_action(call: Call) -> Response:
    """Archive one step of a review."""
    command, review_id = call.command(ReviewCommand), call.path("review_id")
    now_utc_ms = call.services.now_utc_ms()

    def work(connection: Connection) -> Done:
        take_step(connection, call.me, review_id, command, now_utc_ms)
        return Done()

    await once(call, work, now_utc_ms)
    return await review(call)


async def templates(call: Call) -> Response:
    """Answer the firm's approved templates, those of one channel when it is asked for."""
    channel = choice(call, "channel", Channel, None)
    found = await call.services.database.read(
        lambda connection: read_templates(connection, call.me.firm_id, channel or "")
    )
    return json_answer(TemplateList(templates=found))


async def policy_accounts(call: Call) -> Response:
    """Answer the keyed hashes of the accounts of the employee's own book."""
    me = call.me
    return json_answer(
        await call.services.database.read(
            lambda connection: account_keys(connection, me.employee_id, me.firm_id)
        )
    )
