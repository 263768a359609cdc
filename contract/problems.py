"""Error codes of the governed API and their problem documents (RFC 9457).

It never holds a sentence for the user: clients map the code to words.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from contract.wire import Message, WireFinding

PROBLEM_MEDIA_TYPE = "application/problem+json"


class ProblemCode(StrEnum):
    """Stable codes; a client treats an unknown one by the class of its HTTP status."""

    BAD_REQUEST = "bad_request"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    CONFLICT = "conflict"
    CURSOR_GONE = "cursor_gone"
    TOO_LARGE = "too_large"
    IDEMPOTENCY_KEY_MISSING = "idempotency_key_missing"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    POLICY_DENIED = "policy_denied"
    READ_ONLY = "read_only"
    ATTACHMENT_INCOMPLETE = "attachment_incomplete"
    ATTACHMENT_MISMATCH = "attachment_mismatch"
    CLIENT_TOO_OLD = "client_too_old"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    STORAGE_FULL = "storage_full"
    INTERNAL = "internal"


PROBLEM_STATUS: dict[ProblemCode, int] = {
    ProblemCode.BAD_REQUEST: 400,
    ProblemCode.UNAUTHENTICATED: 401,
    ProblemCode.FORBIDDEN: 403,
    ProblemCode.NOT_FOUND: 404,
    ProblemCode.METHOD_NOT_ALLOWED: 405,
    ProblemCode.CONFLICT: 409,
    ProblemCode.CURSOR_GONE: 410,
    ProblemCode.TOO_LARGE: 413,
    ProblemCode.IDEMPOTENCY_KEY_MISSING: 400,
    ProblemCode.IDEMPOTENCY_KEY_REUSED: 422,
    ProblemCode.POLICY_DENIED: 403,
    ProblemCode.READ_ONLY: 409,
    ProblemCode.ATTACHMENT_INCOMPLETE: 409,
    ProblemCode.ATTACHMENT_MISMATCH: 422,
    ProblemCode.CLIENT_TOO_OLD: 426,
    ProblemCode.RATE_LIMITED: 429,
    ProblemCode.UNAVAILABLE: 503,
    ProblemCode.STORAGE_FULL: 507,
    ProblemCode.INTERNAL: 500,
}
RETRYABLE = frozenset(
    {
        ProblemCode.RATE_LIMITED,
        ProblemCode.UNAVAILABLE,
        ProblemCode.STORAGE_FULL,
        ProblemCode.INTERNAL,
    }
)


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem document; `type` is `urn:parley:problem:<code>`.

    `detail` says in one plain sentence what was wrong; it never quotes message text.
    `findings` and `message` accompany `policy_denied`: what was found and the archived
    record of the refused submission.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    request_id: str = ""
    retry_after_s: float | None = None
    findings: tuple[WireFinding, ...] = ()
    message: Message | None = None
