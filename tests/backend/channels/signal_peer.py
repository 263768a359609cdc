"""A small signal-cli daemon on loopback, in the shapes version 0.13.19 was seen to use.

It never stands in for a real one, which the channels' own suite starts.
"""

from __future__ import annotations

import asyncio
import base64
import json
import queue
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from backend.channels import faults
from tests.backend_client.loopback_server import LoopbackServer

NUMBER = "+15550001111"
CLIENT = "a1b2c3d4-0000-4000-8000-000000000042"
CLIENT_NUMBER = "+10000000001"
_RESULTS: dict[type[faults.ChannelFault], tuple[int, str]] = {
    faults.RateLimited: (-5, "RATE_LIMIT_FAILURE"),
    faults.RecipientInvalid: (-1, "UNREGISTERED_FAILURE"),
    faults.IdentityChanged: (-4, "IDENTITY_FAILURE"),
    faults.Retryable: (-1, "INVALID_PRE_KEY_FAILURE"),
}
_PLAIN: dict[type[faults.ChannelFault], tuple[int, str]] = {
    faults.ContentInvalid: (-1, "Invalid attachment"),
    faults.AccountFault: (-32602, "Specified account does not exist"),
}
_SENDING = {"send", "remoteDelete", "sendReaction", "sendReceipt", "sendTyping"}


class SignalPeer:
    """One account with one client; `error` answers the next send as given."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.texts: dict[int, str] = {}
        self.files = {"file-1": b"the file's bytes"}
        self.next: type[faults.ChannelFault] | None = None
        self.error: dict[str, Any] | None = None
        self.results: list[dict[str, Any]] | None = None
        self.accounts = [{"number": NUMBER}]
        self.thanks = True
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._listeners = 0
        self._clock = 1_790_000_000_000
        routes = [
            Route("/api/v1/rpc", self.rpc, methods=["POST"]),
            Route("/api/v1/events", self.events),
        ]
        self.server = LoopbackServer(Starlette(routes=routes))

    @property
    def knows(self) -> set[type[faults.ChannelFault]]:
        """Return the faults this peer can show."""
        return {*_RESULTS, *_PLAIN, faults.OutcomeUnknown}

    async def rpc(self, request: Request) -> Response:
        asked = json.loads(await request.body())
        assert request.headers["content-type"] == "application/json"
        method, params = asked["method"], asked["params"]
        self.calls.append((method, params))
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": asked["id"]}
        fault, self.next = (self.next, None) if method in _SENDING else (None, self.next)
        told = self.error or _error_of(fault)
        if told is not None:
            return JSONResponse(answer | {"error": told})
        result = self._result(method, params)
        if fault is faults.OutcomeUnknown:
            return Response(b"", 201)
        return JSONResponse(answer | {"result": result})

    def _result(self, method: str, params: dict[str, Any]) -> Any:
        if method == "version":
            return {"version": "0.13.19"}
        if method == "listAccounts":
            return self.accounts
        if method == "getAttachment":
            return {"data": base64.b64encode(self.files[params["id"]]).decode()}
        assert params["account"] == NUMBER
        self._clock += 1000
        sent = self._clock
        if method == "send" and "editTimestamp" in params:
            self.texts[params["editTimestamp"]] = params["message"]
        elif method == "send":
            self.texts[sent] = params["message"]
            for kind in ("isDelivery", "isRead"):
                self.receipt(kind, sent)
            if self.thanks:
                self.writes("Thank you")
        elif method == "remoteDelete":
            del self.texts[params["targetTimestamp"]]
        success = [{"recipientAddress": {"uuid": CLIENT}, "type": "SUCCESS"}]
        return {"timestamp": sent, "results": self.results or success}

    async def events(self, request: Request) -> Response:
        if request.query_params.get("account") != NUMBER:
            return Response(status_code=400)
        return StreamingResponse(self._told(), media_type="text/event-stream")

    async def _told(self) -> AsyncIterator[bytes]:
        self._listeners += 1
        try:
            yield b":\n"
            while True:
                try:
                    event = self._events.get_nowait()
                except queue.Empty:
                    await asyncio.sleep(0.005)
                    continue
                if event is None:
                    return
                whole = json.dumps({"account": NUMBER} | event, ensure_ascii=False)
                yield f"event:receive\ndata:{whole}\n\n".encode()
        finally:
            self._listeners -= 1

    async def left(self) -> None:
        """Wait until nobody listens any more: who is gone would take what is told next along."""
        async with asyncio.timeout(60):
            while self._listeners:
                await asyncio.sleep(0.005)

    def hang_up(self) -> None:
        """End the stream."""
        self._events.put(None)

    def tell(self, event: dict[str, Any]) -> None:
        """Have the daemon hand an event over."""
        self._events.put(event)

    def envelope(self, timestamp: int = 0, **parts: Any) -> dict[str, Any]:
        """Return an event of the client's."""
        self._clock += 1000
        return {
            "envelope": {
                "source": CLIENT_NUMBER,
                "sourceNumber": CLIENT_NUMBER,
                "sourceUuid": CLIENT,
                "sourceName": "Ada",
                "sourceDevice": 1,
                "timestamp": timestamp or self._clock,
                "serverReceivedTimestamp": self._clock,
                "serverDeliveredTimestamp": self._clock,
            }
            | parts
        }

    def data(self, **parts: Any) -> dict[str, Any]:
        """Return a message of the client's."""
        self._clock += 1000
        message = {
            "timestamp": self._clock,
            "message": None,
            "expiresInSeconds": 0,
            "viewOnce": False,
        }
        return self.envelope(self._clock, dataMessage=message | parts)

    def writes(self, text: str) -> str:
        """Let the client write; returns the message's id."""
        event = self.data(message=text)
        self.tell(event)
        return f"{CLIENT}.{event['envelope']['timestamp']}"

    def receipt(self, kind: str, *timestamps: int) -> None:
        """Let the client's phone report on messages of ours."""
        told = {"isDelivery": False, "isRead": False, "isViewed": False} | {kind: True}
        self.tell(
            self.envelope(
                receiptMessage=told | {"when": self._clock, "timestamps": list(timestamps)}
            )
        )


def _error_of(fault: type[faults.ChannelFault] | None) -> dict[str, Any] | None:
    if fault in _PLAIN:
        code, words = _PLAIN[fault]
        return {"code": code, "message": words, "data": None}
    if fault in _RESULTS:
        code, kind = _RESULTS[fault]
        result = {"recipientAddress": {"uuid": CLIENT}, "type": kind}
        data = {"response": {"timestamp": 1, "results": [result]}}
        return {"code": code, "message": "Failed to send message", "data": data}
    return None
