"""Owns a witness's HTTP face (C2SP tlog-witness): add-checkpoint, and nothing else.

It never judges: the Witness does. It needs no sign-in, because only the log can sign.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from backend.archive.witness import NotCosigned, Witness
from backend.archive.witness_request import ADD_CHECKPOINT, SIZE_MEDIA_TYPE, parse_request

MAX_REQUEST_BYTES = 64 * 1024
_TEXT = "text/plain; charset=utf-8"
_Answer = tuple[int, str, bytes]


def witness_app(witness: Witness) -> ASGIApp:
    """Return the application of one witness.

    It stands on ASGI alone: every message waits for the one thing it does.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http", "served without web sockets and lifespan"
        if scope["path"] != ADD_CHECKPOINT:
            status, media_type, answer = 404, _TEXT, b"there is nothing here\n"
        elif scope["method"] != "POST":
            status, media_type, answer = 405, _TEXT, b"only POST is known here\n"
        else:
            status, media_type, answer = _judged(witness, await _body(receive))
        headers = [
            (b"content-type", media_type.encode("ascii")),
            (b"content-length", b"%d" % len(answer)),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return app


async def _body(receive: Receive) -> bytes | None:
    """Return a request's body; None when it is too long or its sender left."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_REQUEST_BYTES:
            return None
    return body


def _judged(witness: Witness, body: bytes | None) -> _Answer:
    if body is None:
        return 413, _TEXT, b"the request is too long\n"
    try:
        # On the loop's thread on purpose: one request after the other, disk write included.
        return 200, _TEXT, witness.cosign(parse_request(body))
    except ValueError as error:
        return 400, _TEXT, f"{error}\n".encode()
    except NotCosigned as refusal:
        if refusal.size is not None:
            return 409, SIZE_MEDIA_TYPE, b"%d\n" % refusal.size
        return refusal.status, _TEXT, f"{refusal}\n".encode()
