"""Owns the part of the API's list of operations by which a client comes and stays up to date.

It never carries one out.
"""

from __future__ import annotations

from backend.api import reading, streaming
from backend.api.operation import Answer, Operation, Parameter
from backend.api.paging import CURSOR, HISTORY, limit_parameter
from contract import api, wire
from contract.events import EventPage
from contract.problems import ProblemCode

_AFTER = Parameter(
    "after", "query", {"type": "integer", "minimum": 0, "maximum": 2**62}, "A stream position."
)
_LAST_EVENT_ID = Parameter(
    api.LAST_EVENT_ID, "header", {"type": "string", "pattern": "^[0-9]{1,18}$"}, "Resume after it."
)
_WAIT = Parameter(
    "wait_s", "query", {"type": "number", "minimum": 0, "maximum": 60}, "Seconds to wait at most."
)
_GONE = (ProblemCode.CURSOR_GONE,)

STREAM = (
    Operation(
        method="GET",
        path=api.SNAPSHOT,
        name="snapshot",
        summary="The first sync: conversations, contacts, messages, newest first",
        handler=reading.snapshot,
        answers={200: Answer("One page", wire.SnapshotPage)},
        parameters=(CURSOR, limit_parameter(reading.SYNC_PAGE_MAX)),
    ),
    Operation(
        method="GET",
        path=api.POSITIONS,
        name="positions",
        summary="Which conversations changed after a stream position",
        handler=reading.positions,
        answers={200: Answer("The conversations", wire.PositionPage)},
        parameters=(_AFTER, HISTORY),
        problems=_GONE,
    ),
    Operation(
        method="GET",
        path=api.EVENTS,
        name="events",
        summary="The employee's event stream (Server-Sent Events)",
        handler=streaming.events,
        answers={200: Answer("The stream", media_type="text/event-stream")},
        parameters=(_LAST_EVENT_ID, _AFTER, HISTORY),
        problems=_GONE,
    ),
    Operation(
        method="GET",
        path=api.EVENTS_POLL,
        name="events_poll",
        summary="The same events by long polling",
        handler=streaming.events_poll,
        answers={200: Answer("Events, maybe none", EventPage)},
        parameters=(_AFTER, _LAST_EVENT_ID, _WAIT, HISTORY),
        problems=_GONE,
    ),
)
