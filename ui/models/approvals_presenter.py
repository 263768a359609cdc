"""Knows the decisions on held messages: that a refusal needs a note, and what came of each.

It never reads or keeps the queue by itself: what all waiting queues share does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject

from contract.supervision import Approval, ApprovalState
from ui.bridge.spawn import Spawner
from ui.models.approvals_model import ApprovalsModel
from ui.models.waiting_presenter import Decision, WaitingPresenter, WaitingWords

_WORDS = WaitingWords(
    reading="read approvals",
    deciding="decide approval",
    taken="This was decided meanwhile. The list is read anew.",
)


class ApprovalQueue(Protocol):
    """What the presenter asks of the core's desk."""

    async def read(self) -> tuple[Approval, ...]:
        """Return the held messages, oldest first."""
        ...

    async def decide(self, approval: Approval, *, approve: bool, note: str, key: str) -> Approval:
        """Let a held message go or turn it down."""
        ...


class ApprovalsPresenter(WaitingPresenter[Approval]):
    """The supervisor's two answers."""

    def __init__(
        self,
        queue: ApprovalQueue,
        spawner: Spawner,
        now_utc_ms: Callable[[], int],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(ApprovalsModel(), queue.read, _WORDS, spawner, now_utc_ms, parent)
        self._queue = queue

    def decide(self, approval: Approval, *, approve: bool) -> bool:
        """Decide on a held message; False while another is decided, or when a note is missing."""
        note = self.note(approval.approval_id).strip()
        if self.state.deciding:
            return False
        if not approve and not note:
            self.tell(f"Say why, so that {approval.author_name} can mend it.")
            return False
        return self.put(
            Decision(
                approval,
                (approve, note),
                lambda key: self._queue.decide(approval, approve=approve, note=note, key=key),
                _outcome,
            )
        )


def _outcome(decided: Approval) -> str:
    to = decided.title
    return {
        ApprovalState.APPROVED: f"Approved. The message to {to} is on its way.",
        ApprovalState.REJECTED: f"Rejected. {decided.author_name} reads your note.",
        ApprovalState.EXPIRED: "Too late: the request had expired. Nothing was sent.",
    }.get(decided.state, "Noted.")
