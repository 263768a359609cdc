"""Says what a held message shows in the supervisor's queue: who asks, to whom, what, since when.

It never paints by itself and never changes the model.
"""

from __future__ import annotations

from contract.supervision import Approval
from ui.delegates.waiting_delegate import AnyIndex, WaitingRow
from ui.models.approval_words import ApprovalRow
from ui.models.waiting_model import WaitingRole


def approval_waiting_row(index: AnyIndex) -> WaitingRow | None:
    """Return what the row of a held message says; None for any other index."""
    approval, words = index.data(WaitingRole.ROW), index.data(WaitingRole.WORDS)
    if not isinstance(approval, Approval) or not isinstance(words, ApprovalRow):
        return None
    about = f"asked by {words.author}"
    return WaitingRow(
        approval.channel, words.title, words.when, about, words.preview, words.expiring, "warn"
    )
