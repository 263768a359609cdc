"""A relay before a backend that tells events twice, in another order, or not at all.

It never touches anything but the event stream and the event polls.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from enum import Enum, auto

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from contract import api

_GATHER_S = 0.03
_HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "host", "date", "server"}


class Disorder(Enum):
    """What becomes of the events that come within a moment of each other."""

    NONE = auto()
    TWICE = auto()
    BACKWARDS = auto()
    EVERY_THIRD_LOST = auto()


class EventDisorder:
    """An ASGI application that passes everything on to `backend_url`."""

    def __init__(self, backend_url: str) -> None:
        self.mode = Disorder.NONE
        self.frames = 0
        self._backend_url = backend_url
        self.app = Starlette(
            routes=[
                Route(api.EVENTS, self._events, methods=["GET"]),
                Route("/{path:path}", self._pass, methods=["GET", "POST", "PUT", "PATCH"]),
            ]
        )

    async def _pass(self, request: Request) -> Response:
        async with httpx.AsyncClient(base_url=self._backend_url, timeout=60.0) as client:
            answer = await client.request(
                request.method,
                request.url.path,
                params=request.query_params,
                headers=_end_to_end(request.headers.items()),
                content=await request.body(),
            )
        return Response(answer.content, answer.status_code, _end_to_end(answer.headers.items()))

    async def _events(self, request: Request) -> Response:
        client = httpx.AsyncClient(base_url=self._backend_url, timeout=None)
        opened = await client.send(
            client.build_request(
                "GET",
                request.url.path,
                params=request.query_params,
                headers=_end_to_end(request.headers.items()),
            ),
            stream=True,
        )

        async def body() -> AsyncIterator[bytes]:
            try:
                async with aclosing(_gathered(opened.aiter_bytes())) as pieces:
                    async for frames in pieces:
                        for frame in self._disordered(frames):
                            yield frame
            finally:
                await opened.aclose()
                await client.aclose()

        return StreamingResponse(body(), opened.status_code, _end_to_end(opened.headers.items()))

    def _disordered(self, frames: list[bytes]) -> list[bytes]:
        events = [frame for frame in frames if b"id:" in frame]
        self.frames += len(events)
        if self.mode is Disorder.TWICE:
            return [copy for frame in frames for copy in (frame, frame)]
        if self.mode is Disorder.BACKWARDS:
            return frames[::-1]
        if self.mode is Disorder.EVERY_THIRD_LOST:
            return [frame for n, frame in enumerate(frames) if frame not in events or n % 3 != 2]
        return frames


async def _gathered(source: AsyncIterator[bytes]) -> AsyncGenerator[list[bytes], None]:
    """Yield whole frames, those together that come within a moment."""
    buffer = b""
    waiting: asyncio.Task[bytes] | None = None
    try:
        while True:
            waiting = waiting or asyncio.create_task(_next(source))
            done, _ = await asyncio.wait({waiting}, timeout=_GATHER_S)
            if not done:
                *frames, buffer = buffer.split(b"\n\n")
                if frames:
                    yield [frame + b"\n\n" for frame in frames]
                continue
            piece, waiting = waiting.result(), None
            if not piece:
                return
            buffer += piece
    finally:
        if waiting is not None:
            waiting.cancel()
            await asyncio.wait({waiting})


async def _next(source: AsyncIterator[bytes]) -> bytes:
    """Return the next piece; empty at the end, and when the backend has gone away."""
    try:
        return await anext(source, b"")
    except httpx.HTTPError:
        return b""


def _end_to_end(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() not in _HOP_BY_HOP}
