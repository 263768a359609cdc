"""Owns the way to a witness over HTTP, one connection kept open.

It never believes an answer: the sequencer verifies each line with the witness's key.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from backend.archive.sequencer import WitnessAway, WitnessBehind, WitnessRefused
from backend.archive.witness_request import ADD_CHECKPOINT, SIZE_MEDIA_TYPE, format_request
from contract.receipts.encoding import decode_decimal
from contract.receipts.keys import VerifierKey

ANSWER_WITHIN_S = 5.0
_LONGEST_ANSWER_BYTES = 16 * 1024


class HttpWitness:
    """A witness at an address; `move` it when it listens elsewhere."""

    def __init__(self, key: VerifierKey, url: str) -> None:
        """`url` is http on loopback, or https; "" while the witness is away."""
        self._key = key
        self._url = url
        self._connection: http.client.HTTPConnection | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="witness")

    @property
    def key(self) -> VerifierKey:
        """Return the witness's public key."""
        return self._key

    def move(self, url: str) -> None:
        """Ask at another address from now on; "" says that the witness is away."""
        self._url = url

    async def cosign(self, old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
        """Return the witness's line; see WitnessLink."""
        body = format_request(old_size, proof, note)
        loop = asyncio.get_running_loop()
        status, media_type, answer = await loop.run_in_executor(self._thread, self._post, body)
        if status == 200:
            return answer
        if status == 409 and media_type.startswith(SIZE_MEDIA_TYPE):
            with contextlib.suppress(ValueError):
                size = decode_decimal(answer.decode("ascii", "replace").strip())
                if size != old_size:
                    raise WitnessBehind(size)
        if status in (503, 502, 504, 429, 500):
            raise WitnessAway(f"status {status}")
        raise WitnessRefused(f"status {status}")

    def close(self) -> None:
        """Close the connection once a request under way has ended."""
        self._thread.submit(self._drop)
        self._thread.shutdown(wait=True)

    def _post(self, body: bytes) -> tuple[int, str, bytes]:
        url = self._url
        if not url:
            raise WitnessAway("not running")
        for again in (True, False):
            fresh = self._connection is None
            try:
                connection = self._connect(url)
                connection.request("POST", ADD_CHECKPOINT, body, {"Content-Type": "text/plain"})
                answer = connection.getresponse()
                data = answer.read(_LONGEST_ANSWER_BYTES)
                return answer.status, answer.headers.get("Content-Type", ""), data
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                if fresh or not again:  # a kept connection may just have been closed
                    raise WitnessAway(type(error).__name__) from error
        raise AssertionError("unreachable")

    def _connect(self, url: str) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        kept = self._connection
        if kept is not None and (kept.host, kept.port) == (parts.hostname, parts.port):
            return kept
        self._drop()
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=ANSWER_WITHIN_S)
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
