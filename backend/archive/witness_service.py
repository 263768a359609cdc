"""Owns a witness's HTTP face (C2SP tlog-witness): add-checkpoint, and nothing else.

It never judges: the Witness does. It needs no sign-in, because only the log can sign.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backend.archive.witness import NotCosigned, Witness
from backend.archive.witness_request import ADD_CHECKPOINT, SIZE_MEDIA_TYPE, parse_request

MAX_REQUEST_BYTES = 64 * 1024
_TEXT = "text/plain; charset=utf-8"


def witness_app(witness: Witness) -> Starlette:
    """Return the application of one witness."""

    async def add_checkpoint(request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_REQUEST_BYTES:
                return Response("the request is too long\n", 413, media_type=_TEXT)
        try:
            # On the loop's thread on purpose: one request after the other, disk write included.
            line = witness.cosign(parse_request(body))
        except ValueError as error:
            return Response(f"{error}\n", 400, media_type=_TEXT)
        except NotCosigned as refusal:
            if refusal.size is not None:
                return Response(f"{refusal.size}\n", 409, media_type=SIZE_MEDIA_TYPE)
            return Response(f"{refusal}\n", refusal.status, media_type=_TEXT)
        return Response(line, media_type=_TEXT)

    return Starlette(routes=[Route(ADD_CHECKPOINT, add_checkpoint, methods=["POST"])])
