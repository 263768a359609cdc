"""Owns what can go wrong between client and backend, in words of the wire.

It never knows the app's errors: `app/faults.py` translates.

    ClientError
    ├─ Unreachable    no connection, or it broke off
    │  └─ StreamMute  an open stream brought no byte for too long
    ├─ TimedOut       no answer in time; the request may have arrived
    ├─ Garbled        what came is not what the contract says
    │  └─ GapPersists the stream skips positions again and again
    └─ ProblemReply   the backend answered with a problem document
       └─ CursorGone  410: the position is no longer held
"""

from __future__ import annotations

from contract.problems import Problem


class ClientError(Exception):
    """Base: `detail` is plain and holds neither content nor addresses of clients."""

    def __init__(self, detail: str, *, request_id: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.request_id = request_id


class Unreachable(ClientError):
    """The backend could not be reached or the connection broke off."""


class StreamMute(Unreachable):
    """An open event stream brought nothing, not even a heartbeat."""


class TimedOut(ClientError):
    """No answer came in time; the request may have arrived."""


class Garbled(ClientError):
    """A reply or an event could not be read."""


class GapPersists(Garbled):
    """The event stream skips a position each time it is asked again."""


class ProblemReply(ClientError):
    """The backend understood and answered with a problem document."""

    def __init__(
        self, problem: Problem, *, request_id: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(problem.detail or problem.title, request_id=request_id)
        self.problem = problem
        self.status = problem.status
        self.retry_after_s = (
            retry_after_s if problem.retry_after_s is None else (problem.retry_after_s)
        )


class CursorGone(ProblemReply):
    """The stream no longer holds the asked position."""
