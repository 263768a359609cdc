"""Owns the operations that find messages: the search, and what stands around one message.

It never changes a row, and lets no search hold up other readings for long.
"""

from __future__ import annotations

import time
from functools import partial

from starlette.responses import Response

from backend.api.cursors import SearchCursor, decode_cursor, encode_cursor
from backend.api.operation import Call, json_answer
from backend.inbox.search import NEWEST, plan_search, read_found, search_step
from backend.inbox.search_index import is_behind
from backend.inbox.surroundings import read_surroundings
from backend.refusals import Refused
from contract.problems import ProblemCode
from contract.search import SearchMessages, SearchPage
from contract.wire import MessagePage

# Each step is a reading of its own: others come in between.
_MOST_STEPS = 12
_WITHIN_S = 1.0


async def search_messages(call: Call) -> Response:
    """Answer a page of found messages; 429 to whoever asks faster than people type."""
    services, me = call.services, call.me
    asked = call.command(SearchMessages)
    cursor = decode_cursor(asked.cursor, SearchCursor)
    wait_s = services.searches.wait_s(me.employee_id)
    if wait_s > 0:
        raise Refused(
            ProblemCode.RATE_LIMITED,
            "Too many searches at once: try again in a moment.",
            retry_after_s=wait_s,
        )
    read, ends_s = services.database.read, time.monotonic() + _WITHIN_S
    plan = await read(lambda c: plan_search(c, me, asked, services.now_utc_ms()))
    below: int | None = NEWEST if cursor is None else cursor.below_row
    found: list[str] = []
    for _ in range(_MOST_STEPS):
        if below is None or len(found) >= asked.limit or time.monotonic() > ends_s:
            break
        wanted = asked.limit - len(found)
        step = await read(partial(search_step, plan=plan, below=below, wanted=wanted))
        found += step.message_ids
        below = step.below
    page = await read(
        lambda c: SearchPage(
            messages=read_found(c, me, found),
            next_cursor="" if below is None else encode_cursor(SearchCursor(below)),
            indexing=is_behind(c),
        )
    )
    return json_answer(page)


async def message_surroundings(call: Call) -> Response:
    """Answer a message with its neighbours in the conversation, newest first."""
    limit = call.whole_number("limit", 50, 1, call.services.settings.page_max // 2)
    found = await call.services.database.read(
        lambda c: read_surroundings(c, call.me.employee_id, call.path("message_id"), limit)
    )
    return json_answer(MessagePage(messages=found))
