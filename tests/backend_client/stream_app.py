"""Serves the wire of the event stream from a list that tests fill and spoil.

It never decides what an event means.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from contract import api
from contract.events import ClientTyping, Event, EventPage, PolicyChanged
from contract.ids import ConversationId
from contract.problems import PROBLEM_MEDIA_TYPE, PROBLEM_STATUS, Problem, ProblemCode


def stored(seq: int) -> Event:
    """Return a stored event at a position."""
    return Event(seq=seq, at_utc_ms=seq, body=PolicyChanged(bundle_version=str(seq)))


def typing() -> Event:
    """Return a passing event."""
    body = ClientTyping(conversation_id=ConversationId("c1"), typing=True)
    return Event(seq=0, at_utc_ms=1, body=body)


class StreamApp:
    """The two ways of reading events, with faults on demand.

    `frames` are sent in order to whoever is behind them; `mute` sends headers and then nothing;
    `refuse_with` answers with a problem, another `history` than its own is gone; `end_after` closes
    each stream after so many frames.
    """

    def __init__(self) -> None:
        self.frames: list[tuple[int, bytes]] = []
        self.asked: list[str] = []
        self.polled: list[int] = []
        self.mute = False
        self.refuse_with: ProblemCode | None = None
        self.history = ""
        self.end_after: int | None = None
        self.closing = False
        self.app = Starlette(
            routes=[Route(api.EVENTS, self._stream), Route(api.EVENTS_POLL, self._poll)]
        )

    def put(self, *events: Event) -> None:
        """Append events as they should come."""
        for event in events:
            self.frames.append((event.seq, msgspec.json.encode(event)))

    def put_instead(self, *events: Event) -> None:
        """Put these in the place of all events, in one step."""
        self.frames = [(event.seq, msgspec.json.encode(event)) for event in events]

    def put_raw(self, seq: int, data: bytes) -> None:
        """Append bytes in an event's place."""
        self.frames.append((seq, data))

    async def _stream(self, request: Request) -> Response:
        last = request.headers.get(api.LAST_EVENT_ID, "")
        self.asked.append(last)
        if self.refuse_with is not None:
            return _problem(self.refuse_with)
        if request.query_params.get(api.HISTORY, "") != self.history:
            return _problem(ProblemCode.CURSOR_GONE)
        return StreamingResponse(self._frames(int(last)), media_type="text/event-stream")

    async def _frames(self, after: int) -> AsyncIterator[bytes]:
        yield b"retry: 1000\n\n" if not self.mute else b""
        sent, position = 0, 0
        while not self.closing:
            if self.mute:
                await asyncio.sleep(0.01)
                continue
            frames = self.frames  # tests put others in their place meanwhile
            if position < len(frames):
                seq, data = frames[position]
                position += 1
                if seq == 0 or seq > after:
                    yield b"id: %d\ndata: %s\n\n" % (seq, data)
                    sent += 1
            else:
                yield b": heartbeat\n\n"
                await asyncio.sleep(0.01)
            if self.end_after is not None and sent >= self.end_after:
                return

    async def _poll(self, request: Request) -> Response:
        after = int(request.query_params["after"])
        self.polled.append(after)
        if request.query_params.get(api.HISTORY, "") != self.history:
            return _problem(ProblemCode.CURSOR_GONE)
        until_s = time.monotonic() + min(0.2, float(request.query_params["wait_s"]))
        while True:
            frames = tuple(self.frames)
            found = [data for seq, data in frames if seq > after]
            if found or self.closing or time.monotonic() >= until_s:
                break
            await asyncio.sleep(0.01)
        events = tuple(msgspec.json.decode(data, type=Event) for data in found)
        last = max((seq for seq, _ in frames), default=after)
        return Response(
            msgspec.json.encode(EventPage(events=events, last_seq=last)),
            media_type="application/json",
        )


def _problem(code: ProblemCode) -> Response:
    problem = Problem(
        type=f"urn:parley:problem:{code}", title="no", status=PROBLEM_STATUS[code], code=code
    )
    return Response(
        msgspec.json.encode(problem), status_code=problem.status, media_type=PROBLEM_MEDIA_TYPE
    )
