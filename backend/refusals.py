"""Owns the one exception with which any room refuses a request, by its stable problem code.

It never quotes what the user wrote.
"""

from __future__ import annotations

from contract.problems import ProblemCode


class Refused(Exception):
    """A request can't be carried out; nothing of its transaction is kept.

    `detail` says in one plain sentence what was wrong and what to do.
    """

    def __init__(
        self, code: ProblemCode, detail: str, *, retry_after_s: float | None = None
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s


def not_found(what: str) -> Refused:
    """Return the refusal of something that does not exist or is not the asker's to see."""
    return Refused(ProblemCode.NOT_FOUND, f"There is no such {what}, or you have no access to it.")
