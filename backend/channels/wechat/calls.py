"""Owns calling WeChat's and WeCom's methods for an account under an access token.

It never logs an address: the token stands in it. A refused token is renewed once, never twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from backend.channels import faults
from backend.channels.modules import ChannelContext
from backend.channels.vendor_http import MOST_REPLY_BYTES, VendorReply
from backend.channels.wechat.tokens import AccessTokens
from backend.channels.wechat.wire import Answer, Film, Uploaded
from contract.ids import AccountId

RENEWED_AT = frozenset({40001, 40014, 42001})
MOST_FILE_BYTES = 25 * 1024 * 1024
_UPLOAD_TIMEOUT_S = 40.0
_FETCH_TIMEOUT_S = 60.0
_FILE_TYPES = ("image/", "audio/", "video/", "voice/", "application/octet-stream")
FaultOf = Callable[[int, int], faults.ChannelFault]


class Ask(NamedTuple):
    """One request of a method; `repeatable` says that asking twice does what once does."""

    method: str
    path: str
    repeatable: bool = True
    document: Mapping[str, Any] | None = None
    params: Mapping[str, str] | None = None
    files: Mapping[str, tuple[str, bytes, str]] | None = None
    timeout_s: float = 20.0
    most_bytes: int = MOST_REPLY_BYTES


class TokenCalls:
    """Calls methods; `fault_of(code, now_utc_ms)` says what the vendor's codes mean."""

    def __init__(
        self,
        context: ChannelContext,
        tokens: AccessTokens,
        base_url: Callable[[AccountId], str],
        fault_of: FaultOf,
    ) -> None:
        self._context = context
        self._tokens = tokens
        self._base_url = base_url
        self._fault_of = fault_of

    async def call(self, account_id: AccountId, ask: Ask) -> VendorReply:
        """Return an answer that refuses nothing; raises the fault of one that does.

        An answer that can't be read raises OutcomeUnknown, or Retryable if it is repeatable.
        """
        token = await self._tokens.token_of(account_id)
        reply = await self._request(account_id, ask, token)
        if error_code(reply) in RENEWED_AT:
            token = await self._tokens.token_of(account_id, refused=token)
            reply = await self._request(account_id, ask, token)
        return sound(reply, self._fault_of, self._context.now(), repeatable=ask.repeatable)

    def forget(self, account_id: AccountId) -> None:
        """Drop what is kept for an account whose settings changed."""
        self._tokens.forget(account_id)

    async def upload(self, account_id: AccountId, kind: str, file: tuple[str, bytes, str]) -> str:
        """Keep a file (name, bytes, media type) at the vendor for three days; returns its id."""
        ask = Ask(
            "POST",
            "/cgi-bin/media/upload",
            params={"type": kind},
            files={"media": file},
            timeout_s=_UPLOAD_TIMEOUT_S,
        )
        reply = await self.call(account_id, ask)
        found = msgspec.json.decode(reply.body, type=Uploaded).media_id
        if not found:
            raise faults.Retryable("WeChat did not keep the file. The message waits.")
        return found

    async def fetch(self, account_id: AccountId, media_id: str) -> bytes:
        """Return a client's file; raises ContentInvalid when it is gone, else Retryable."""
        ask = Ask(
            "GET",
            "/cgi-bin/media/get",
            params={"media_id": media_id},
            timeout_s=_FETCH_TIMEOUT_S,
            most_bytes=MOST_FILE_BYTES,
        )
        try:
            reply = await self.call(account_id, ask)
        except faults.Refusal as error:
            raise faults.ContentInvalid("The file is no longer there.") from error
        except faults.ChannelFault as error:
            raise faults.Retryable(error.reason) from error
        if _is_file(reply):
            return reply.body
        address = msgspec.json.decode(reply.body, type=Film).video_url
        if not address:
            raise faults.ContentInvalid("The file is no longer there.")
        return await self._film(account_id, address)

    async def _film(self, account_id: AccountId, address: str) -> bytes:
        """Return a film from where the vendor said; the token never goes there."""
        scheme = self._base_url(account_id).partition(":")[0]
        if address.partition(":")[0] != scheme:
            raise faults.ContentInvalid("The film's address is not one of WeChat's.")
        reply = await self._context.http.request(
            "GET",
            address,
            repeatable=True,
            timeout_s=_FETCH_TIMEOUT_S,
            most_bytes=MOST_FILE_BYTES,
        )
        if not reply.is_success:
            raise faults.Retryable("WeChat does not give the film just now.")
        return reply.body

    async def _request(self, account_id: AccountId, ask: Ask, token: str) -> VendorReply:
        return await self._context.http.request(
            ask.method,
            f"{self._base_url(account_id)}{ask.path}",
            repeatable=ask.repeatable,
            json=None if ask.document is None else msgspec.json.encode(ask.document),
            files=ask.files,
            params=dict(ask.params or {}) | {"access_token": token},
            timeout_s=ask.timeout_s,
            most_bytes=ask.most_bytes,
        )


def error_code(reply: VendorReply) -> int | None:
    """Return an answer's code, 0 where it has none; None for one that can't be read."""
    if _is_file(reply):
        return 0
    try:
        return msgspec.json.decode(reply.body, type=Answer).errcode
    except msgspec.DecodeError:
        return None


def sound(
    reply: VendorReply, fault_of: FaultOf, now_utc_ms: int, *, repeatable: bool
) -> VendorReply:
    """Return an answer that refuses nothing; raises what it means otherwise."""
    if reply.status >= 500:
        raise faults.Retryable("WeChat has a fault of its own. The message waits.")
    code = error_code(reply)
    if code is None:
        unread = faults.Retryable if repeatable else faults.OutcomeUnknown
        raise unread("WeChat's answer could not be read.")
    if code:
        raise fault_of(code, now_utc_ms)
    return reply


def _is_file(reply: VendorReply) -> bool:
    kind = reply.headers.get("content-type", "").casefold()
    return "content-disposition" in reply.headers or kind.startswith(_FILE_TYPES)
