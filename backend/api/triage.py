"""Owns the operations on unknown senders: the owners' queue, and their decisions.

It never shows a queue to anybody but its owners, and reading changes nothing.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response

from backend.api.cursors import QueueCursor, decode_cursor, encode_cursor
from backend.api.once import once
from backend.api.operation import Answer, Call, Operation, Parameter, json_answer
from backend.inbox.triage import decide_triage
from backend.inbox.triage_queue import read_triage, triage_page
from backend.refusals import Refused
from contract import api
from contract.problems import ProblemCode
from contract.triage import TriageCommand, TriageItem, TriagePage, TriageState
from contract.wire import Done

DEFAULT_PAGE = 50
_STATES = "|".join(state.value for state in TriageState)


async def triage(call: Call) -> Response:
    """Answer the unknown senders that the asker looks after; an empty page for everybody else."""
    state = _state(call)
    limit = call.whole_number("limit", DEFAULT_PAGE, 1, call.services.settings.page_max)
    cursor = decode_cursor(call.request.query_params.get("cursor", ""), QueueCursor)
    after = None if cursor is None else (cursor.at_utc_ms, cursor.item_id)
    page, following = await call.services.database.read(
        lambda connection: triage_page(connection, call.me, state, after, limit)
    )
    more = "" if following is None else encode_cursor(QueueCursor(*following))
    return json_answer(msgspec.structs.replace(page, next_cursor=more))


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


def _state(call: Call) -> TriageState:
    text = call.request.query_params.get("state")
    if text is None:
        return TriageState.OPEN
    try:
        return TriageState(text)
    except ValueError:
        allowed = _STATES.replace("|", ", ")
        raise Refused(ProblemCode.BAD_REQUEST, f"state must be one of: {allowed}.") from None


TRIAGE = (
    Operation(
        method="GET",
        path=api.TRIAGE,
        name="triage",
        summary="Unknown senders of the accounts that the asker looks after, oldest first",
        handler=triage,
        answers={200: Answer("One page", TriagePage)},
        parameters=(
            Parameter(
                "state",
                "query",
                {"type": "string", "minLength": 1, "maxLength": 32, "pattern": f"^({_STATES})$"},
                "Those in this state; open by default.",
            ),
            Parameter(
                "cursor",
                "query",
                {"type": "string"},
                "The next_cursor of the page before; empty to begin.",
            ),
            Parameter(
                "limit",
                "query",
                {"type": "integer", "minimum": 1, "maximum": 500},
                "Rows on a page.",
            ),
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
