"""A small Telegram on loopback: it takes what the published Bot API allows, and nothing else.

It never guesses: a method, a field or a type that the API does not list is refused with 400.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from backend.channels import faults
from tests.backend_client.loopback_server import LoopbackServer
from tests.support.vectors import require_vectors

TOKEN = "123:secret"
CLIENT = 42
_FAULTS: dict[type[faults.ChannelFault], tuple[int, str, dict[str, int]]] = {
    faults.Retryable: (502, "Bad Gateway", {}),
    faults.RateLimited: (429, "Too Many Requests: retry after 3", {"retry_after": 3}),
    faults.ConsentMissing: (403, "Forbidden: bot was blocked by the user", {}),
    faults.RecipientInvalid: (400, "Bad Request: chat not found", {}),
    faults.ContentInvalid: (400, "Bad Request: message is too long", {}),
    faults.AccountFault: (401, "Unauthorized", {}),
}
_PYTHON = {"Integer": int, "String": str, "Boolean": bool, "Float": float, "Float number": float}


class TelegramPeer:
    """Chats of one bot; `updates` are what the bot has not taken yet."""

    def __init__(self) -> None:
        path = require_vectors("channels") / "telegram/api.json"
        self.api: dict[str, Any] = json.loads(path.read_bytes())["methods"]
        self.sent: dict[int, dict[str, Any]] = {}
        self.updates: list[dict[str, Any]] = []
        self.from_head = False  # as Telegram answers an offset that is no longer of its numbers
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.next: type[faults.ChannelFault] | None = None
        self.moved_to = 0
        self.rights = {"can_reply": True}
        self._number = 100
        routes = [
            Route("/bot{token}/{method}", self.method, methods=["POST"]),
            Route("/file/bot{token}/{path:path}", self.file),
        ]
        self.server = LoopbackServer(Starlette(routes=routes))

    @property
    def knows(self) -> set[type[faults.ChannelFault]]:
        """Return the faults this peer can show."""
        return {*_FAULTS, faults.OutcomeUnknown}

    async def method(self, request: Request) -> Response:
        name = request.path_params["method"]
        if request.path_params["token"] != TOKEN:
            return _refused(401, "Unauthorized")
        kind = request.headers.get("content-type", "")
        body = await request.body()
        values = json.loads(body) if kind.startswith("application/json") else _multipart(body, kind)
        wrong = self._wrong(name, values)
        if wrong:
            return _refused(400, f"Bad Request: {wrong}")
        self.calls.append((name, values))
        if name.startswith("send") and name != "sendChatAction":
            return self._send(name, values)
        return self._other(name, values)

    def _send(self, name: str, values: dict[str, Any]) -> Response:
        fault, self.next = self.next, None
        if self.moved_to and int(values["chat_id"]) != self.moved_to:
            return _refused(400, "Bad Request: group moved", migrate_to_chat_id=self.moved_to)
        if fault in _FAULTS:
            status, words, parameters = _FAULTS[fault]
            return _refused(status, words, **parameters)
        number = self._next_number()
        self.sent[number] = values
        if fault is faults.OutcomeUnknown:
            return Response("<html>", media_type="text/html")
        chat = {"id": int(values["chat_id"]), "type": "private"}
        self.writes("Thank you")
        return JSONResponse({"ok": True, "result": {"message_id": number, "date": 1, "chat": chat}})

    def _other(self, name: str, values: dict[str, Any]) -> Response:
        result: Any = True
        if name == "getUpdates":
            asked = 0 if self.from_head else values["offset"]
            result = [each for each in self.updates if each["update_id"] >= asked]
        elif name == "editMessageText":
            self.sent[values["message_id"]]["text"] = values["text"]
        elif name == "deleteMessage":
            del self.sent[values["message_id"]]
        elif name == "getMe":
            result = {"id": 1, "is_bot": True, "first_name": "Bank", "username": "bank_bot"}
        elif name == "getWebhookInfo":
            result = {"url": "", "pending_update_count": 0}
        elif name == "getBusinessConnection":
            person = {"id": 7, "is_bot": False, "first_name": "Elena"}
            result = {"id": "bc-1", "user": person, "user_chat_id": 7, "date": 1}
            result |= {"is_enabled": True, "rights": self.rights}
        elif name == "getFile":
            if values["file_id"] == "gone":
                return _refused(400, "Bad Request: wrong file_id or the file is too big")
            result = {"file_id": values["file_id"], "file_path": "photos/1.jpg"}
        return JSONResponse({"ok": True, "result": result})

    async def file(self, request: Request) -> Response:
        return Response(b"the file's bytes")

    def writes(self, text: str) -> str:
        """Let the client write; returns the message's number."""
        number = self._next_number()
        self.update(
            message={
                "message_id": number,
                "date": 1_749_416_383,
                "chat": {"id": CLIENT, "type": "private", "first_name": "Ada"},
                "from": {"id": CLIENT, "is_bot": False, "first_name": "Ada"},
                "text": text,
            }
        )
        return f"{CLIENT}/{number}"

    def update(self, **part: Any) -> bytes:
        """Queue an update and return its bytes."""
        whole = {"update_id": 7000 + len(self.updates)} | part
        self.updates.append(whole)
        return json.dumps(whole).encode()

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    def _wrong(self, name: str, values: dict[str, Any]) -> str:
        """Return what the Bot API does not allow, empty when all is well."""
        method = self.api.get(name)
        if method is None:
            return f"no method {name}"
        fields = {each["name"]: each for each in method.get("fields", [])}
        if unknown := set(values) - set(fields):
            return f"no field {sorted(unknown)}"
        missing = [n for n, each in fields.items() if each["required"] and n not in values]
        if missing:
            return f"{missing} is missing"
        for field, value in values.items():
            allowed = tuple(_PYTHON[t] for t in fields[field]["types"] if t in _PYTHON)
            if allowed and not isinstance(value, (*allowed, bytes)):
                return f"{field} has the wrong type"
        return ""


def _multipart(body: bytes, kind: str) -> dict[str, Any]:
    """Return the fields of a form; numbers as Telegram reads them."""
    mark = b"--" + kind.partition("boundary=")[2].encode()
    values: dict[str, Any] = {}
    for part in body.split(mark)[1:-1]:
        head, _, content = part.strip(b"\r\n").partition(b"\r\n\r\n")
        name = head.partition(b'name="')[2].partition(b'"')[0].decode()
        if b"filename=" in head:
            values[name] = content
        else:
            text = content.decode()
            values[name] = int(text) if text.lstrip("-").isdecimal() else text
    return values


def _refused(status: int, words: str, **parameters: int) -> Response:
    body: dict[str, Any] = {"ok": False, "error_code": status, "description": words}
    if parameters:
        body["parameters"] = parameters
    return JSONResponse(body, status_code=status)
