"""Owns HTTP to vendors: what a failure means for a message, and what never reaches a log.

It never follows a redirect and never repeats a request by itself.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx

from backend.channels import faults

MOST_REPLY_BYTES = 4 * 1024 * 1024
DEFAULT_TIMEOUT_S = 20.0
CONNECT_TIMEOUT_S = 8.0
# Meta's description wants a name with three numbers; a test keeps them the backend's.
USER_AGENT = "Parley/0.1.0"
_MOST_CONNECTIONS = 40
# Below the five seconds of many servers: a message on a line that its vendor ends is unknown.
_KEEP_ALIVE_S = 3.0
_NOT_REACHED = "The channel can't be reached just now."
_NO_ANSWER = "The channel gave no answer after the message had left."
_TOO_LARGE = "The channel's answer is larger than it may be."

# The vendors' tokens stand in URLs, which these loggers would write.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class VendorReply(NamedTuple):
    """A whole answer; `headers` have lower-case names."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def is_success(self) -> bool:
        """Tell whether the vendor answered 2xx."""
        return 200 <= self.status < 300


class VendorHttp:
    """One pool of connections for all connectors of a process; use it as a context."""

    def __init__(self, *, verify: bool = True) -> None:
        """`verify` is False for peers on loopback that have no certificate's chain."""
        self._verify = verify
        self._client = self._new_client(_MOST_CONNECTIONS)
        # Streams keep their connections, so they take none away from requests.
        self._streams: httpx.AsyncClient | None = None

    def _new_client(self, most_connections: int | None) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=self._verify,
            follow_redirects=False,
            trust_env=True,
            limits=httpx.Limits(max_connections=most_connections, keepalive_expiry=_KEEP_ALIVE_S),
            headers={"User-Agent": USER_AGENT},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        if self._streams is not None:
            await self._streams.aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        repeatable: bool,
        json: bytes | None = None,
        form: Mapping[str, str | list[str]] | Mapping[str, str] | None = None,
        content: bytes | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        most_bytes: int = MOST_REPLY_BYTES,
    ) -> VendorReply:
        """Send one request and return the whole answer, whatever its status.

        `json` is an encoded document; `files` maps a field to (name, bytes, media type).
        A list in `form` is a field that comes several times.
        `repeatable` says that the same request twice does what once does. Raises Retryable when
        nothing left this computer or the request is repeatable, else OutcomeUnknown;
        ContentInvalid for an answer of more than `most_bytes`.
        """
        told = dict(headers or {})
        if json is not None:
            told.setdefault("Content-Type", "application/json")
        try:
            request = self._client.build_request(
                method,
                url,
                content=json if json is not None else content,
                data=dict(form) if form is not None else None,
                files=dict(files) if files is not None else None,
                headers=told,
                params=dict(params) if params is not None else None,
                timeout=httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
            )
        except (httpx.InvalidURL, ValueError, TypeError) as error:
            raise faults.AccountFault("The account's address is not a valid URL.") from error
        return await self._answer(request, repeatable, most_bytes)

    @contextlib.asynccontextmanager
    async def stream(
        self, url: str, *, params: Mapping[str, str] | None = None, quiet_s: float
    ) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
        """Open an answer that never ends; yields its status with its pieces as they come.

        Raises Retryable, also from the pieces, when it can't be reached, breaks or stays quiet
        for longer than `quiet_s`.
        """
        self._streams = self._streams or self._new_client(None)
        request = self._streams.build_request(
            "GET",
            url,
            params=dict(params or {}),
            headers={"Accept": "text/event-stream"},
            timeout=httpx.Timeout(quiet_s, connect=CONNECT_TIMEOUT_S),
        )
        try:
            reply = await self._streams.send(request, stream=True)
        except httpx.HTTPError as error:
            raise faults.Retryable(_NOT_REACHED) from error
        pieces = _pieces(reply)
        try:
            yield reply.status_code, pieces
        finally:
            await pieces.aclose()
            await reply.aclose()

    async def _answer(
        self, request: httpx.Request, repeatable: bool, most_bytes: int
    ) -> VendorReply:
        try:
            reply = await self._client.send(request, stream=True)
            try:
                body = await _bounded(reply, most_bytes)
            finally:
                await reply.aclose()
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.PoolTimeout,
            httpx.ProxyError,
            httpx.UnsupportedProtocol,
        ) as error:
            raise faults.Retryable(_NOT_REACHED) from error
        except httpx.HTTPError as error:
            if repeatable:
                raise faults.Retryable(_NOT_REACHED) from error
            raise faults.OutcomeUnknown(_NO_ANSWER) from error
        headers = {name.lower(): value for name, value in reply.headers.items()}
        return VendorReply(reply.status_code, body, headers)


async def _pieces(reply: httpx.Response) -> AsyncGenerator[bytes, None]:
    try:
        async for piece in reply.aiter_bytes():
            yield piece
    except httpx.HTTPError as error:
        raise faults.Retryable(_NOT_REACHED) from error


async def _bounded(reply: httpx.Response, most_bytes: int) -> bytes:
    whole = bytearray()
    async for piece in reply.aiter_bytes():
        whole += piece
        if len(whole) > most_bytes:
            raise faults.ContentInvalid(_TOO_LARGE)
    return bytes(whole)


def retry_after_ms(reply: VendorReply, *, default_ms: int, most_ms: int = 3_600_000) -> int:
    """Return how long the vendor's Retry-After asks to wait; `default_ms` without one.

    Only the form in seconds is read (RFC 9110 section 10.2.3).
    """
    told: Any = reply.headers.get("retry-after", "")
    try:
        return max(0, min(most_ms, round(float(told) * 1000)))
    except ValueError:
        return default_ms
