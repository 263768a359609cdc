"""Small WeChat and WeCom on loopback: they answer in the recorded shapes and refuse what is not.

They never open what we seal: nothing of ours is sealed. They seal what they send to us.
"""

from __future__ import annotations

import base64
import json
import os
import time
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from backend.channels import faults
from backend.channels.contract import RawItem
from backend.channels.wechat.sealing import signature_of
from tests.backend_client.loopback_server import LoopbackServer
from tests.support.vectors import require_vectors

TOKEN = "aWordOfOurs"
AES_KEY = base64.b64encode(bytes(range(32))).decode().rstrip("=")
RECEIVER = "wx0123456789"
CLIENT = "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"
_NEVER = 99  # a code that stands for bytes which are no answer


def recorded(name: str) -> dict[str, Any]:
    """Return one of the recorded answers."""
    found: dict[str, Any] = json.loads(
        (require_vectors("channels") / f"wechat/{name}.json").read_bytes()
    )
    return found


def seal(message: str, receiver: str = RECEIVER, key: str = AES_KEY) -> str:
    """Return a message as WeChat seals it."""
    body = message.encode()
    raw = os.urandom(16) + len(body).to_bytes(4, "big") + body + receiver.encode()
    raw += bytes([32 - len(raw) % 32]) * (32 - len(raw) % 32)
    secret = base64.b64decode(key + "=")
    encryptor = Cipher(algorithms.AES(secret), modes.CBC(secret[:16])).encryptor()
    return base64.b64encode(encryptor.update(raw) + encryptor.finalize()).decode()


def xml(**fields: str | int) -> str:
    """Return a document as WeChat writes it."""
    parts = (f"<{name}><![CDATA[{value}]]></{name}>" for name, value in fields.items())
    return f"<xml>{''.join(parts)}</xml>"


def callback(message: str, hook: str, receiver: str = RECEIVER) -> RawItem:
    """Return a sealed and signed callback at an address."""
    sealed, at = seal(message, receiver), str(int(time.time()))
    mark = signature_of(TOKEN, at, "n1", sealed)
    body = xml(ToUserName="gh_1", Encrypt=sealed).encode()
    url = f"{hook}?timestamp={at}&nonce=n1&msg_signature={mark}&encrypt_type=aes"
    return RawItem(dedupe_key="", body=body, url=url)


class WeChatPeer:
    """What WeChat's documents say of tokens, customer service messages and files."""

    def __init__(self) -> None:
        self.forget()
        routes = [
            Route("/cgi-bin/stable_token", self.token, methods=["POST"]),
            Route("/cgi-bin/media/upload", self.upload, methods=["POST"]),
            Route("/cgi-bin/media/get", self.media),
            Route("/film", self.film),
            Route("/cgi-bin/{path:path}", self.method, methods=["GET", "POST"]),
        ]
        self.server = LoopbackServer(Starlette(routes=routes))

    def forget(self) -> None:
        """Begin anew."""
        self.sent: list[dict[str, Any]] = []
        self.asked: list[tuple[str, Any]] = []
        self.granted = 0
        self.valid = ""
        self.next_code = 0
        self.forced: list[bool] = []

    async def token(self, request: Request) -> Response:
        body = await request.json()
        self.forced.append(body["force_refresh"])
        if body["secret"] != "a secret":
            return JSONResponse({"errcode": 40125, "errmsg": "invalid appsecret"})
        self.granted += 1
        self.valid = f"token-{self.granted}"
        return JSONResponse(recorded("token") | {"access_token": self.valid})

    async def method(self, request: Request) -> Response:
        refused = self._refused(request)
        if refused is not None:
            return refused
        path = request.path_params["path"]
        if path == "getcallbackip":
            return JSONResponse(recorded("getcallbackip"))
        body = await request.json()
        code, self.next_code = self.next_code, 0
        if code and code != _NEVER:
            return JSONResponse({"errcode": code, "errmsg": "no"})
        if path == "message/custom/send":
            self.sent.append(body)
            if code == _NEVER:
                return Response("<html>", media_type="text/html")
            return JSONResponse(recorded("message_custom_send"))
        self.asked.append((path, body))
        return JSONResponse({"errcode": 0, "errmsg": "ok", "msgid": 200228332})

    async def upload(self, request: Request) -> Response:
        refused = self._refused(request)
        if refused is not None:
            return refused
        self.asked.append((request.query_params["type"], await request.body()))
        return JSONResponse(recorded("media_upload"))

    async def media(self, request: Request) -> Response:
        refused = self._refused(request)
        if refused is not None:
            return refused
        ref = request.query_params["media_id"]
        if ref == "gone":
            return JSONResponse({"errcode": 40007, "errmsg": "invalid media_id"})
        if ref == "film":
            return JSONResponse({"video_url": f"{self.server.url}/film"})
        named = {"content-disposition": 'attachment; filename="m.jpg"'}
        return Response(b"the file's bytes", headers=named)

    async def film(self, request: Request) -> Response:
        assert "access_token" not in request.query_params
        return Response(b"the film's bytes")

    def _refused(self, request: Request) -> Response | None:
        if request.query_params["access_token"] != self.valid:
            return JSONResponse({"errcode": 42001, "errmsg": "access_token expired"})
        return None


class WeComPeer:
    """What WeCom's documents say of customer service: messages by key, pulls by cursor."""

    def __init__(self) -> None:
        self.forget()
        routes = [
            Route("/cgi-bin/gettoken", self.token),
            Route("/cgi-bin/kf/send_msg", self.send, methods=["POST"]),
            Route("/cgi-bin/kf/sync_msg", self.sync, methods=["POST"]),
            Route("/cgi-bin/kf/account/list", self.desks, methods=["POST"]),
            Route("/cgi-bin/kf/customer/batchget", self.customers, methods=["POST"]),
            Route("/cgi-bin/media/upload", self.upload, methods=["POST"]),
            Route("/cgi-bin/media/get", self.media),
        ]
        self.server = LoopbackServer(Starlette(routes=routes))

    def forget(self) -> None:
        """Begin anew."""
        self.sent: dict[str, dict[str, Any]] = {}
        self.waiting: list[dict[str, Any]] = []
        self.pulls: list[dict[str, Any]] = []
        self.next_code = 0
        self.page = 1000

    async def token(self, request: Request) -> Response:
        known = request.query_params["corpsecret"] == "a secret"
        return JSONResponse(recorded("work/gettoken") if known else {"errcode": 40001})

    async def send(self, request: Request) -> Response:
        body = await request.json()
        code, self.next_code = self.next_code, 0
        if code and code != _NEVER:
            return JSONResponse({"errcode": code, "errmsg": "no"})
        assert len(body["msgid"]) <= 32
        if body["msgid"] not in self.sent:
            self.sent[body["msgid"]] = body
            self.says("text", text={"content": "Thank you"})
        if code == _NEVER:
            return Response("<html>", media_type="text/html")
        return JSONResponse({"errcode": 0, "errmsg": "ok", "msgid": body["msgid"]})

    async def sync(self, request: Request) -> Response:
        body = await request.json()
        self.pulls.append(body)
        if body.get("token") == "stale":
            return JSONResponse({"errcode": 95007, "errmsg": "invalid msg token"})
        first = int(body.get("cursor") or 0)
        page = self.waiting[first : first + self.page]
        more = first + len(page) < len(self.waiting)
        answer = {"errcode": 0, "next_cursor": str(first + len(page)), "has_more": int(more)}
        return JSONResponse(answer | {"msg_list": page})

    async def desks(self, request: Request) -> Response:
        desk = {"open_kfid": "wk1", "name": "Bank desk", "avatar": ""}
        return JSONResponse({"errcode": 0, "errmsg": "ok", "account_list": [desk]})

    async def customers(self, request: Request) -> Response:
        asked = (await request.json())["external_userid_list"]
        known = [{"external_userid": "wm1", "nickname": "王小明"}] if "wm1" in asked else []
        return JSONResponse({"errcode": 0, "errmsg": "ok", "customer_list": known})

    async def upload(self, request: Request) -> Response:
        return JSONResponse(recorded("work/media_upload"))

    async def media(self, request: Request) -> Response:
        if request.query_params["media_id"] == "gone":
            return JSONResponse({"errcode": 40007, "errmsg": "invalid media_id"})
        return Response(b"the file's bytes", media_type="image/jpeg")

    def says(self, kind: str, origin: int = 3, **fields: Any) -> str:
        """Let a message or event wait to be pulled; returns its id."""
        number = f"kf-{len(self.waiting)}"
        base: dict[str, Any] = {"msgid": number, "send_time": 1_749_416_383, "origin": origin}
        if kind != "event":
            base |= {"open_kfid": "wk1", "external_userid": "wm1"}
        self.waiting.append(base | {"msgtype": kind} | fields)
        return number


CODES: dict[type[faults.ChannelFault], int] = {
    faults.Retryable: -1,
    faults.QuotaExhausted: 45009,
    faults.RateLimited: 45011,
    faults.WindowExpired: 45047,
    faults.ConsentMissing: 43004,
    faults.RecipientInvalid: 40003,
    faults.ContentInvalid: 45002,
    faults.AccountFault: 48001,
    faults.OutcomeUnknown: _NEVER,
}
KF_CODES: dict[type[faults.ChannelFault], int] = {
    faults.Retryable: -1,
    faults.RateLimited: 45009,
    faults.WindowExpired: 95001,
    faults.RecipientInvalid: 40096,
    faults.ContentInvalid: 45002,
    faults.AccountFault: 95000,
}
