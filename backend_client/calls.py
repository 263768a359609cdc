"""Owns the common shape of a call: encode, exchange, refuse problems, decode.

It never knows what a call means.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from typing import TypeVar

import msgspec

from backend_client.errors import CursorGone, Garbled, ProblemReply
from backend_client.transport import Reply, Transport
from contract import api
from contract.problems import PROBLEM_MEDIA_TYPE, Problem, ProblemCode

T = TypeVar("T")

JSON = {"Content-Type": "application/json"}


def of_history(history_id: str) -> dict[str, str]:
    """Return what to ask with a stream position that was told in this history ("": not known)."""
    return {api.HISTORY: history_id} if history_id else {}


def new_key() -> str:
    """Return an Idempotency-Key for a command that has none of its own."""
    return str(uuid.uuid4())


class Caller:
    """Calls of one backend over one transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get(
        self,
        path: str,
        kind: type[T],
        *,
        params: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> T:
        """GET a document of type `kind`; raises ClientError."""
        reply = await self.exchange("GET", path, params=params, timeout_s=timeout_s)
        return decode_reply(reply, kind)

    async def command(
        self,
        method: str,
        path: str,
        body: msgspec.Struct | None,
        kind: type[T],
        *,
        key: str = "",
        timeout_s: float | None = None,
    ) -> T:
        """Send a command under an Idempotency-Key and read its answer; raises ClientError."""
        reply = await self.exchange(
            method,
            path,
            headers=JSON | {api.IDEMPOTENCY_KEY: key or new_key()},
            body=b"" if body is None else msgspec.json.encode(body),
            timeout_s=timeout_s,
        )
        return decode_reply(reply, kind)

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_s: float | None = None,
        also: Collection[int] = (),
    ) -> Reply:
        """Do one exchange and refuse every status but 2xx and those in `also`."""
        reply = await self._transport.request(
            method, path, params=params, headers=headers, body=body, timeout_s=timeout_s
        )
        refuse_problems(reply, also=also)
        return reply


def decode_reply(reply: Reply, kind: type[T]) -> T:
    """Read a reply's JSON as `kind`; raises Garbled."""
    try:
        return msgspec.json.decode(reply.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        detail = f"The backend's answer is not a {kind.__name__}."
        raise Garbled(detail, request_id=reply.request_id) from fault


def refuse_problems(reply: Reply, *, also: Collection[int] = ()) -> None:
    """Raise what a reply's status says: ProblemReply, CursorGone, or Garbled for a stranger.

    An answer that is no problem document came from something in between: a proxy's error page
    with a 5xx status counts as the backend being away, anything else as garbled.
    """
    if 200 <= reply.status < 300 or reply.status in also:
        return
    problem = _problem_of(reply)
    if problem.code == ProblemCode.CURSOR_GONE:
        raise CursorGone(problem, request_id=reply.request_id)
    retry_after_s = _seconds(reply.headers.get("retry-after", ""))
    raise ProblemReply(problem, request_id=reply.request_id, retry_after_s=retry_after_s)


def _problem_of(reply: Reply) -> Problem:
    if reply.headers.get("content-type", "").split(";")[0].strip() == PROBLEM_MEDIA_TYPE:
        try:
            return msgspec.json.decode(reply.body, type=Problem)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
            raise Garbled("A refusal can't be read.", request_id=reply.request_id) from fault
    if reply.status >= 500 or reply.status == 429:
        return Problem(
            type="urn:parley:problem:unavailable",
            title="The backend is away",
            status=reply.status,
            code=ProblemCode.UNAVAILABLE.value,
            detail="Something between here and the backend answered in its place.",
            request_id=reply.request_id,
        )
    detail = f"Something that is not the backend answered with status {reply.status}."
    raise Garbled(detail, request_id=reply.request_id)


def _seconds(header: str) -> float | None:
    """Read Retry-After as seconds (RFC 9110, section 10.2.3); a date or nonsense is no wish."""
    try:
        seconds = float(header)
    except ValueError:
        return None
    return seconds if 0 <= seconds <= 86_400 else None
