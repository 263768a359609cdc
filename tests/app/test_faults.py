"""Shows that everything that can go wrong on the wire has an error in the app.

It does not test what the app does about it.
"""

from __future__ import annotations

import pytest

from app.domain import errors
from app.faults import problem_to_error, to_app_error
from backend_client import errors as wire_errors
from backend_client.errors import ClientError, ProblemReply
from contract.problems import PROBLEM_STATUS, RETRYABLE, Problem, ProblemCode


def _problem(code: str, status: int) -> Problem:
    return Problem(type=f"urn:parley:problem:{code}", title="No", status=status, code=code)


def _all_kinds(kind: type[ClientError]) -> list[type[ClientError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in _all_kinds(child))]


@pytest.mark.parametrize("kind", _all_kinds(ClientError))
def test_every_client_error_maps_to_a_named_error(kind: type[ClientError]) -> None:
    """Only the abstract base itself may end as a bug."""
    fault: ClientError
    if issubclass(kind, ProblemReply):
        code = (
            ProblemCode.CURSOR_GONE if kind is wire_errors.CursorGone else ProblemCode.UNAVAILABLE
        )
        fault = kind(_problem(code, PROBLEM_STATUS[code]))
    else:
        fault = kind("detail")
    error = to_app_error(fault)
    assert isinstance(error, errors.Bug) == (kind is ClientError)
    assert error.user_message_key.startswith("error.")


@pytest.mark.parametrize("code", list(ProblemCode))
def test_every_problem_code_maps_and_is_retried_only_when_that_may_help(
    code: ProblemCode,
) -> None:
    """A refusal is never retried, a fault always."""
    error = problem_to_error(_problem(code, PROBLEM_STATUS[code]), 3.0)
    assert not isinstance(error, errors.Bug)
    assert error.retryable == (code in RETRYABLE)
    if isinstance(error, errors.Refused):
        assert error.problem is not None
    if code in RETRYABLE:
        assert error.retry_after_s == 3.0


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.AuthExpired),
        (403, errors.NotAllowed),
        (404, errors.NotAllowed),
        (409, errors.Conflict),
        (410, errors.CursorGone),
        (413, errors.TooLarge),
        (418, errors.Refused),
        (422, errors.Conflict),
        (426, errors.ClientTooOld),
        (429, errors.BackendFault),
        (500, errors.BackendFault),
        (599, errors.BackendFault),
    ],
)
def test_unknown_code_of_a_newer_backend_goes_by_its_status(
    status: int, kind: type[errors.AppError]
) -> None:
    """A code this version does not know is treated by its class."""
    assert type(problem_to_error(_problem("from_the_future", status))) is kind
