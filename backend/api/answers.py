"""Owns the problem documents of refusals and faults (RFC 9457).

It never tells a client, or a log, what a message said.
"""

from __future__ import annotations

import errno
import logging
import traceback

import msgspec
from starlette.responses import Response

from backend.archive.probe import ProbeFailed
from backend.inbox.events import CursorGone
from backend.inbox.idempotency import Reply
from backend.refusals import Refused
from backend.storage.database import DatabaseError, StorageFull
from contract.problems import PROBLEM_MEDIA_TYPE, PROBLEM_STATUS, Problem, ProblemCode

_log = logging.getLogger("parley.backend.api")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def problem_answer(
    code: ProblemCode,
    detail: str,
    request_id: str,
    *,
    status: int | None = None,
    retry_after_s: float | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return a problem document; `status` only where HTTP asks for another than the code's."""
    sent = dict(headers or {})
    if retry_after_s is not None:
        sent["Retry-After"] = f"{max(1, round(retry_after_s))}"
    if code is ProblemCode.UNAUTHENTICATED:
        sent["WWW-Authenticate"] = "Bearer"
    problem = Problem(
        type=f"urn:parley:problem:{code}",
        title=code.replace("_", " ").capitalize(),
        status=status or PROBLEM_STATUS[code],
        code=code,
        detail=detail,
        request_id=request_id,
        retry_after_s=retry_after_s,
    )
    return Response(
        msgspec.json.encode(problem), problem.status, sent, media_type=PROBLEM_MEDIA_TYPE
    )


def reply_answer(reply: Reply) -> Response:
    """Return a stored reply byte for byte."""
    return Response(reply.body, reply.status, media_type=reply.media_type)


def fault_answer(error: Exception, request_id: str) -> Response:
    """Return the problem document of whatever a call raised; the unexpected is logged.

    The log names the kind of error and the lines of code, never the error's text.
    """
    if isinstance(error, Refused):
        return problem_answer(
            error.code, error.detail, request_id, retry_after_s=error.retry_after_s
        )
    if isinstance(error, CursorGone):
        detail = "The position is no longer kept: load everything again."
        return problem_answer(ProblemCode.CURSOR_GONE, detail, request_id)
    if isinstance(error, StorageFull) or (isinstance(error, OSError) and error.errno in _FULL):
        detail = "The backend's disk is full: tell your administrator. Nothing was lost."
        return problem_answer(ProblemCode.STORAGE_FULL, detail, request_id, retry_after_s=30)
    log_fault(error, request_id)
    if isinstance(error, DatabaseError | ProbeFailed):
        detail = "The backend's archive can't be used just now: tell your administrator."
        return problem_answer(ProblemCode.UNAVAILABLE, detail, request_id, retry_after_s=10)
    detail = "Something went wrong in the backend. Try again; quote the request id to support."
    return problem_answer(ProblemCode.INTERNAL, detail, request_id)


def log_fault(error: BaseException, request_id: str) -> None:
    """Log an unexpected error by its class and its place in the code."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
    _log.error("request %s failed: %s at %s", request_id, type(error).__name__, places)
