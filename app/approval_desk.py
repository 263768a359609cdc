"""Owns the supervisor's queue on this computer: how many wait, reading them, deciding.

It never keeps a held message: each look asks the backend.
"""

from __future__ import annotations

from collections.abc import Callable

from app.domain.listeners import Listeners
from app.faults import answered
from backend_client.client import GovernedApi
from contract.supervision import Approval, ApprovalState
from contract.wire import Me, Role

MOST_PAGES = 5


class ApprovalDesk:
    """`pending` is how many held messages waited for this person when last told."""

    def __init__(self, api: GovernedApi, me: Callable[[], Me | None]) -> None:
        self.pending = 0
        self._api = api
        self._me = me
        self._listeners = Listeners[int]()

    @property
    def is_offered(self) -> bool:
        """Tell whether the signed-in person decides on held messages: supervisors do."""
        me = self._me()
        return me is not None and Role.SUPERVISOR in me.roles

    @property
    def is_asked(self) -> bool:
        """Tell whether asking for the queue makes sense: others are refused it."""
        return self.is_offered

    def subscribe(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Call `callback` on the loop's thread whenever the queue changed; return its end."""
        return self._listeners.add(callback)

    def changed(self, pending: int) -> None:
        """The backend told that the queue changed."""
        self.pending = pending
        self._listeners.tell(pending)

    async def read(self) -> tuple[Approval, ...]:
        """Return the held messages, oldest first; at most a few hundred.

        Raises errors of app.domain.errors.
        """
        found: list[Approval] = []
        cursor = ""
        for _ in range(MOST_PAGES):
            page = await answered(self._api.supervision.approvals(ApprovalState.PENDING, cursor))
            found += page.approvals
            self.pending, cursor = page.pending, page.next_cursor
            if not cursor:
                break
        return tuple(found)

    async def decide(self, approval: Approval, *, approve: bool, note: str, key: str) -> Approval:
        """Let a held message go or turn it down; return it as it stands now.

        The same key decides once, however often it is sent. Raises errors of app.domain.errors.
        """
        return await answered(
            self._api.supervision.decide_approval(
                approval.approval_id, approve=approve, note=note, key=key
            )
        )
