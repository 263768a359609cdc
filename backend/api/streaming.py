"""Owns the event stream over HTTP: Server-Sent Events, and long polling with the same events.

It never skips a position: a cursor that can't be served gets 410.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import msgspec
from starlette.responses import Response, StreamingResponse

from backend.api.bearer import still_signed_in
from backend.api.operation import JSON, Call
from backend.api.paging import check_history
from backend.inbox.events import CursorGone, StoredEvent, read_events, stream_position
from backend.inbox.notifier import Subscription
from backend.refusals import Refused
from contract import api
from contract.events import EventBody
from contract.problems import ProblemCode

BATCH = 500
MAX_WAIT_S = 60.0
DEFAULT_WAIT_S = 25.0
_MAX_SEQ = 2**62
_HEARTBEAT = b": heartbeat\n\n"


async def events(call: Call) -> Response:
    """Stream events after Last-Event-ID (or `after`), else from now on."""
    check_history(call)
    position = _asked_position(call)
    if position is None:
        position = await call.services.database.read(
            lambda connection: stream_position(connection, call.me.employee_id)
        )
    await _read(call, position, limit=1)  # a cursor that is gone is answered with 410, not 200
    return StreamingResponse(
        _frames(call, position),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def events_poll(call: Call) -> Response:
    """Answer the events after a position, waiting for the first one up to `wait_s`."""
    check_history(call)
    position = _asked_position(call) or 0
    wait_s = call.number("wait_s", DEFAULT_WAIT_S, 0, MAX_WAIT_S)
    deadline_s = time.monotonic() + wait_s
    with call.services.notifier.subscribe(call.me.employee_id) as subscription:
        while True:
            found = await _read(call, position)
            passing = _passing(subscription, call.services.now_utc_ms())
            left_s = deadline_s - time.monotonic()
            if found or passing or left_s <= 0 or call.services.notifier.closed:
                break
            await subscription.wait(left_s)
    newest = found[-1].seq if found else position
    body = b",".join([event.to_json() for event in (*found, *passing)])
    return Response(b'{"events":[' + body + b'],"last_seq":%d}' % newest, media_type=JSON)


async def _frames(call: Call, position: int) -> AsyncIterator[bytes]:
    notifier, heartbeat_s = call.services.notifier, call.services.settings.heartbeat_s
    yield b": open\n\n"
    with notifier.subscribe(call.me.employee_id) as subscription:
        looked_at_s = time.monotonic()
        while not notifier.closed:
            if time.monotonic() - looked_at_s > heartbeat_s:
                if not await still_signed_in(call):
                    return  # the reconnecting client is told so
                looked_at_s = time.monotonic()
            try:
                found = await _read(call, position)
            except CursorGone:
                return  # the reconnecting client is told so
            if found:
                position = found[-1].seq
                yield b"".join(
                    b"id: %d\ndata: %b\n\n" % (event.seq, event.to_json()) for event in found
                )
                continue
            passing = _passing(subscription, call.services.now_utc_ms())
            if passing:
                yield b"".join(b"data: %b\n\n" % event.to_json() for event in passing)
            if not await subscription.wait(heartbeat_s):
                yield _HEARTBEAT


async def _read(call: Call, position: int, limit: int = BATCH) -> tuple[StoredEvent, ...]:
    return await call.services.database.read(
        lambda connection: read_events(connection, call.me.employee_id, position, limit)
    )


def _passing(subscription: Subscription, at_utc_ms: int) -> list[StoredEvent]:
    bodies: list[EventBody] = subscription.take_passing()
    return [StoredEvent(0, at_utc_ms, msgspec.json.encode(body)) for body in bodies]


def _asked_position(call: Call) -> int | None:
    """Return the position of the header, or else of the query; raises Refused for no number."""
    given = (
        call.request.headers.get(api.LAST_EVENT_ID),
        call.request.query_params.get("after"),
    )
    positions = [_position(text) for text in given if text is not None]
    return positions[0] if positions else None


def _position(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= _MAX_SEQ):
        raise Refused(ProblemCode.BAD_REQUEST, "The stream's position must be a whole number.")
    return int(text)
