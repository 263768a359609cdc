"""Owns the operations on unknown senders: the owners' queue, and their decisions.

It never shows a queue to anybody but its owners, and reading changes nothing.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response

from backend.api.once import once
from backend.api.operation import Answer, Call, Operation, json_answer
from backend.api.paging import (
    PAGING,
    choice,
    choice_parameter,
    next_queue_cursor,
    page_limit,
    queue_place,
)
from backend.inbox.triage import decide_triage
from backend.inbox.triage_queue import read_triage, triage_page
from contract import api
from contract.problems import ProblemCode
from contract.triage import TriageCommand, TriageItem, TriagePage, TriageState
from contract.wire import Done

DEFAULT_PAGE = 50


async def triage(call: Call) -> Response:
    """Answer the unknown senders that the asker looks after; an empty page for everybody else."""
    state = choice(call, "state", TriageState, TriageState.OPEN)
    after, limit = queue_place(call), page_limit(call, DEFAULT_PAGE)
    page, following = await call.services.database.read(
        lambda connection: triage_page(connection, call.me, state, after, limit)
    )
    return json_answer(msgspec.structs.replace(page, next_cursor=next_queue_cursor(following)))


async def triage_action(call: Call) -> Response:
    """Carry out an owner's decision on an unknown sender."""
    command, conversation_id = call.command(TriageCommand), call.path("conversation_id")
    now_utc_ms = call.services.now_utc_ms()

    def work(connection: Connection) -> Done:
        decide_triage(connection, call.me, conversation_id, command, now_utc_ms)
        return Done()

    # The stored reply holds no words: an erasure would have to find them.
    await once(call, work, now_utc_ms)
    return json_answer(
        await call.services.database.read(
            lambda connection: read_triage(connection, call.me, conversation_id)
        )
    )


TRIAGE = (
    Operation(
        method="GET",
        path=api.TRIAGE,
        name="triage",
        summary="Unknown senders of the accounts that the asker looks after, oldest first",
        handler=triage,
        answers={200: Answer("One page", TriagePage)},
        parameters=(
            choice_parameter("state", TriageState, "Those in this state; open by default."),
            *PAGING,
        ),
    ),
    Operation(
        method="POST",
        path=api.TRIAGE_ACTIONS,
        name="triage_action",
        summary="Claim an unknown sender, assign them to a colleague, or dismiss them; archived",
        handler=triage_action,
        answers={200: Answer("The sender as they stand now", TriageItem)},
        body=TriageCommand,
        problems=(ProblemCode.CONFLICT,),
        command=True,
    ),
)
