"""Says what a held message shows in the supervisor's queue: who asks, to whom, what, since when.

It never paints by itself and never changes the model.
"""

from __future__ import annotations

from contract.supervision import Approval
from ui.delegates.waiting_delegate import AnyIndex, WaitingDelegate, WaitingRow
from ui.models.approval_words import ApprovalRow
from ui.models.approvals_model import ApprovalRole


class ApprovalsDelegate(WaitingDelegate):
    """Rows of ApprovalsModel."""

    def row_of(self, index: AnyIndex) -> WaitingRow | None:
        """Return what a held message says."""
        approval, words = index.data(ApprovalRole.APPROVAL), index.data(ApprovalRole.WORDS)
        if not isinstance(approval, Approval) or not isinstance(words, ApprovalRow):
            return None
        about = f"asked by {words.author}"
        return WaitingRow(
            approval.channel,
            words.title,
            words.when,
            about,
            words.preview,
            words.expiring,
            "warn",
        )
