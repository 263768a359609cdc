"""Relays the governed API between a client and a real backend, and changes answers as tests ask.

It never answers by itself, and never leaves loopback.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from contract import api

_HOP = frozenset(
    {"connection", "transfer-encoding", "content-length", "host", "keep-alive", "date"}
)
_METHODS = ["GET", "POST", "PUT", "DELETE"]

Rewrite = Callable[[str, bytes], bytes]


def _as_it_is(path: str, body: bytes) -> bytes:
    return body


class RewritingRelay:
    """`rewrite(path, body)` changes each answer but the event stream's; `port` may change."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.rewrite: Rewrite = _as_it_is
        self.app = Starlette(routes=[Route("/{path:path}", self._relay, methods=_METHODS)])
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # unused, and slow to make each time

    async def _relay(self, request: Request) -> Response:
        # One connection each: nothing of the serving thread's loop is left open at its end.
        client = httpx.AsyncClient(timeout=60.0, trust_env=False, verify=self._tls)
        sent = client.build_request(
            request.method,
            f"http://127.0.0.1:{self.port}{request.url.path}",
            params=request.query_params,
            headers={k: v for k, v in request.headers.items() if k not in _HOP},
            content=await request.body(),
        )
        streamed = False
        try:
            answer = await client.send(sent, stream=True)
            headers = {k: v for k, v in answer.headers.items() if k not in _HOP}
            streamed = request.url.path == api.EVENTS
            if streamed:
                return StreamingResponse(_passing(client, answer), answer.status_code, headers)
            body = self.rewrite(request.url.path, await answer.aread())
            return Response(body, answer.status_code, headers)
        except httpx.TransportError:
            return Response(status_code=502)
        finally:
            if not streamed:
                await client.aclose()


async def _passing(client: httpx.AsyncClient, answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.aiter_raw():
            yield piece
    except httpx.TransportError:
        return
    finally:
        await answer.aclose()
        await client.aclose()
