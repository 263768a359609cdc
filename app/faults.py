"""Owns the translation of what went wrong on the wire into the app's errors.

It never decides what to do about an error.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.domain import errors
from backend_client.errors import (
    ClientError,
    Garbled,
    ProblemReply,
    TimedOut,
    Unreachable,
)
from contract.problems import Problem, ProblemCode

T = TypeVar("T")

_REFUSALS: dict[ProblemCode, type[errors.Refused]] = {
    ProblemCode.BAD_REQUEST: errors.Refused,
    ProblemCode.UNAUTHENTICATED: errors.AuthExpired,
    ProblemCode.FORBIDDEN: errors.NotAllowed,
    ProblemCode.NOT_FOUND: errors.NotAllowed,
    ProblemCode.METHOD_NOT_ALLOWED: errors.Refused,
    ProblemCode.CONFLICT: errors.Conflict,
    ProblemCode.TOO_LARGE: errors.TooLarge,
    ProblemCode.IDEMPOTENCY_KEY_MISSING: errors.Refused,
    ProblemCode.IDEMPOTENCY_KEY_REUSED: errors.Conflict,
    ProblemCode.POLICY_DENIED: errors.PolicyDenied,
    ProblemCode.READ_ONLY: errors.NotAllowed,
    ProblemCode.ATTACHMENT_INCOMPLETE: errors.Conflict,
    ProblemCode.ATTACHMENT_MISMATCH: errors.Conflict,
    ProblemCode.CLIENT_TOO_OLD: errors.ClientTooOld,
}
_FAULTS: dict[ProblemCode, type[errors.EnvironmentFault]] = {
    ProblemCode.RATE_LIMITED: errors.BackendFault,
    ProblemCode.UNAVAILABLE: errors.BackendFault,
    ProblemCode.STORAGE_FULL: errors.BackendFault,
    ProblemCode.INTERNAL: errors.BackendFault,
}
_REFUSALS_BY_STATUS: dict[int, type[errors.Refused]] = {
    401: errors.AuthExpired,
    403: errors.NotAllowed,
    404: errors.NotAllowed,
    409: errors.Conflict,
    413: errors.TooLarge,
    422: errors.Conflict,
    426: errors.ClientTooOld,
}
_BY_CLASS: tuple[tuple[type[ClientError], Callable[[str], errors.AppError]], ...] = (
    (Unreachable, errors.Offline),
    (TimedOut, errors.Timeout),
    (Garbled, errors.MalformedReply),
)


async def answered(call: Awaitable[T]) -> T:
    """Await a call of the backend's client; raises errors of app.domain.errors for its own."""
    try:
        return await call
    except ClientError as fault:
        raise to_app_error(fault) from fault


def to_app_error(fault: ClientError) -> errors.AppError:
    """Return the app's error for one of backend_client's; raise it `from` the fault."""
    if isinstance(fault, ProblemReply):
        return problem_to_error(fault.problem, fault.retry_after_s)
    for kind, make in _BY_CLASS:
        if isinstance(fault, kind):
            return make(fault.detail)
    return errors.Bug(fault.detail)


def problem_to_error(problem: Problem, retry_after_s: float | None = None) -> errors.AppError:
    """Return the app's error for a problem document; an unknown code goes by its status."""
    detail = problem.detail or problem.title
    try:
        code = ProblemCode(problem.code)
    except ValueError:
        return _by_status(problem, detail, retry_after_s)
    if code is ProblemCode.CURSOR_GONE:
        return errors.CursorGone(detail)
    if code in _FAULTS:
        return _FAULTS[code](detail, retry_after_s=retry_after_s)
    return _REFUSALS[code](detail, problem=problem)


def _by_status(problem: Problem, detail: str, retry_after_s: float | None) -> errors.AppError:
    if problem.status >= 500 or problem.status == 429:
        return errors.BackendFault(detail, retry_after_s=retry_after_s)
    if problem.status == 410:
        return errors.CursorGone(detail)
    return _REFUSALS_BY_STATUS.get(problem.status, errors.Refused)(detail, problem=problem)
