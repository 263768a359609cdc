"""Owns the way to a witness over HTTP, one connection kept open.

It never believes an answer: the sequencer verifies each line with the witness's key.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import httptools

from backend.archive.sequencer import WitnessAway, WitnessBehind, WitnessRefused
from backend.archive.witness_request import ADD_CHECKPOINT, SIZE_MEDIA_TYPE, format_request
from contract.receipts.encoding import decode_decimal
from contract.receipts.keys import VerifierKey

ANSWER_WITHIN_S = 5.0
_LONGEST_ANSWER_BYTES = 16 * 1024


class _Answer(NamedTuple):
    status: int
    media_type: str
    body: bytes


class HttpWitness:
    """A witness at an address; `move` it when it listens elsewhere. Ask one thing at a time."""

    def __init__(self, key: VerifierKey, url: str) -> None:
        """`url` is http on loopback, or https; "" while the witness is away."""
        self._key = key
        self._url = url
        self._line: _Line | None = None

    @property
    def key(self) -> VerifierKey:
        """Return the witness's public key."""
        return self._key

    def move(self, url: str) -> None:
        """Ask at another address from now on; "" says that the witness is away."""
        self._url = url
        self.close()

    async def cosign(self, old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
        """Return the witness's line; see WitnessLink."""
        answer = await self._post(format_request(old_size, proof, note))
        if answer.status == 200:
            return answer.body
        if answer.status == 409 and answer.media_type.startswith(SIZE_MEDIA_TYPE):
            with contextlib.suppress(ValueError):
                size = decode_decimal(answer.body.decode("ascii", "replace").strip())
                if size != old_size:
                    raise WitnessBehind(size)
        if answer.status in (503, 502, 504, 429, 500):
            raise WitnessAway(f"status {answer.status}")
        raise WitnessRefused(f"status {answer.status}")

    def close(self) -> None:
        """Close the connection; call it on the loop that asks."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    async def _post(self, body: bytes) -> _Answer:
        if not self._url:
            raise WitnessAway("not running")
        for again in (True, False):
            kept = self._line is not None and self._line.is_open
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    if self._line is None or not self._line.is_open:
                        self._line = await _connect(self._url)
                    return await self._line.post(body)
            except (OSError, TimeoutError) as error:
                self.close()
                if not (kept and again):  # a kept connection may just have been closed
                    raise WitnessAway(type(error).__name__) from error
            except asyncio.CancelledError:
                self.close()  # its answer would be taken for the next one's
                raise
        raise AssertionError("unreachable")


async def _connect(url: str) -> _Line:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    head = f"POST {ADD_CHECKPOINT} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: text/plain\r\n"
    _, line = await asyncio.get_running_loop().create_connection(
        lambda: _Line(head.encode("ascii")),
        host,
        port,
        ssl=ssl.create_default_context() if secure else None,
    )
    return line


class _Line(asyncio.Protocol):
    """One connection that carries one request at a time."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[_Answer] | None = None
        self._media_type = ""
        self._body = b""
        self._parser = httptools.HttpResponseParser(self)

    @property
    def is_open(self) -> bool:
        """Tell whether another request can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    async def post(self, body: bytes) -> _Answer:
        """Send a request and return its answer; raises OSError."""
        if self._transport is None:
            raise ConnectionResetError("the connection was closed")
        self._media_type, self._body = "", b""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(b"%bContent-Length: %d\r\n\r\n%b" % (self._head, len(body), body))
        return await self._answer

    def close(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header of the answer."""
        if name.lower() == b"content-type":
            self._media_type = value.decode("latin-1")

    def on_body(self, piece: bytes) -> None:
        """Take a piece of the answer's body."""
        self._body += piece
        if len(self._body) > _LONGEST_ANSWER_BYTES:
            self._fail(ConnectionAbortedError("the answer is too long"))

    def on_message_complete(self) -> None:
        """Give the whole answer to whoever asked."""
        if self._answer is not None and not self._answer.done():
            status = self._parser.get_status_code()
            self._answer.set_result(_Answer(status, self._media_type, self._body))
        if not self._parser.should_keep_alive():
            self.close()

    def _fail(self, error: OSError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
        self.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail(ConnectionAbortedError("the answer is not HTTP"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._fail(ConnectionResetError("the connection was closed"))
