"""Shows how replies become values and refusals become errors.

It does not test the backend.
"""

from __future__ import annotations

import msgspec
import pytest

from backend_client.calls import decode_reply, refuse_problems
from backend_client.errors import CursorGone, Garbled, ProblemReply
from backend_client.transport import Reply
from contract.problems import PROBLEM_MEDIA_TYPE, PROBLEM_STATUS, Problem, ProblemCode
from contract.wire import Health, WireFinding

FINDING = WireFinding(
    rule_id="card", action="block", start=0, end=4, message_key="card", message="A card number"
)


def _reply(status: int, body: bytes, media_type: str = "application/json", **headers: str) -> Reply:
    return Reply(
        status=status,
        headers={"content-type": media_type} | {k.replace("_", "-"): v for k, v in headers.items()},
        body=body,
        request_id="r1",
        elapsed_ms=1.0,
    )


def _problem(code: str, status: int) -> bytes:
    return msgspec.json.encode(
        Problem(
            type=f"urn:parley:problem:{code}",
            title="No",
            status=status,
            code=code,
            findings=(FINDING,),
        )
    )


@pytest.mark.parametrize("code", list(ProblemCode))
def test_each_problem_is_raised_with_its_document(code: ProblemCode) -> None:
    """The document travels with the error; 410 has a class of its own."""
    status = PROBLEM_STATUS[code]
    reply = _reply(status, _problem(code, status), PROBLEM_MEDIA_TYPE, retry_after="7")
    with pytest.raises(ProblemReply) as raised:
        refuse_problems(reply)
    assert raised.value.problem.findings == (FINDING,)
    assert raised.value.request_id == "r1"
    assert isinstance(raised.value, CursorGone) == (code is ProblemCode.CURSOR_GONE)
    if code is not ProblemCode.CURSOR_GONE:
        assert raised.value.retry_after_s == 7


def test_nesting_without_end_is_garbled() -> None:
    """Unknown fields are skipped, but not to any depth."""
    deep = b'{"status":"ok","new":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with pytest.raises(Garbled):
        decode_reply(_reply(200, deep), Health)
    with pytest.raises(Garbled):
        refuse_problems(_reply(400, deep, PROBLEM_MEDIA_TYPE))


def test_media_type_may_have_parameters() -> None:
    """`; charset=utf-8` does not make a stranger of the backend."""
    media_type = f"{PROBLEM_MEDIA_TYPE}; charset=utf-8"
    with pytest.raises(ProblemReply):
        refuse_problems(_reply(404, _problem("not_found", 404), media_type))


@pytest.mark.parametrize("status", [502, 503, 504, 429])
def test_error_page_of_a_proxy_counts_as_the_backend_being_away(status: int) -> None:
    """What waits for the backend goes on waiting."""
    with pytest.raises(ProblemReply) as raised:
        refuse_problems(_reply(status, b"<html>", "text/html"))
    assert raised.value.problem.code == ProblemCode.UNAVAILABLE


@pytest.mark.parametrize("status", [302, 400, 403, 404, 407, 511])
def test_strangers_answer_is_never_a_refusal(status: int) -> None:
    """A captive portal's 403 must not refuse a message for good."""
    kind = ProblemReply if status >= 500 else Garbled
    with pytest.raises(kind):
        refuse_problems(_reply(status, b"<html>", "text/html"))


def test_unreadable_refusal_is_garbled() -> None:
    """A damaged problem document says nothing."""
    with pytest.raises(Garbled):
        refuse_problems(_reply(403, b"{", PROBLEM_MEDIA_TYPE))


@pytest.mark.parametrize("body", [b"", b"{", b'{"status": 1}', b"\xff\xfe", b"[]"])
def test_unreadable_reply_is_garbled(body: bytes) -> None:
    """A reply that is not what the contract says is never used in part."""
    with pytest.raises(Garbled):
        decode_reply(_reply(200, body), Health)


def test_unknown_fields_of_a_newer_backend_are_ignored() -> None:
    """Additive changes do not break this client."""
    body = b'{"status": "ok", "backend_version": "9", "mood": "fine"}'
    assert decode_reply(_reply(200, body), Health).status == "ok"
