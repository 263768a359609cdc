"""The supervisor's page: the queue of held messages beside the one being read.

It never reads the queue or decides by itself; its presenter does.
"""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from contract.supervision import Approval
from ui.delegates.approvals_delegate import approval_waiting_row
from ui.delegates.waiting_delegate import WaitingDelegate
from ui.models.approval_words import approval_detail
from ui.models.approvals_presenter import ApprovalsPresenter
from ui.theme.tokens import Tokens
from ui.views.approval_detail import ApprovalDetailView
from ui.views.pages.queue_page import QueuePage, QueueWords

_WORDS = QueueWords(
    title="Approvals",
    line="Messages that wait for a supervisor’s word",
    listed="Messages waiting for approval",
    reading="Reading what waits for you…",
    nothing="Nothing waits for you.",
)


class ApprovalsPage(QueuePage[Approval]):
    """Held messages, each to be approved or rejected."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        self.detail = ApprovalDetailView(tokens)
        delegate = WaitingDelegate(tokens, approval_waiting_row)
        super().__init__(_WORDS, delegate, self.detail, parent)
        self._held: ApprovalsPresenter | None = None
        self.current_changed.connect(self._on_current_changed)
        self.detail.decided.connect(self._on_decided)
        self.detail.note_edited.connect(self.on_note_edited)

    def follow(self, presenter: ApprovalsPresenter) -> None:
        """Show this queue from now on."""
        self._held = presenter
        self.show_queue(presenter)

    def _on_current_changed(self) -> None:
        approval = self.current()
        if self._held is not None and approval is not None:
            detail = approval_detail(approval, self._held.now_utc_ms())
            self.detail.show_detail(detail, self.current_note())

    def _on_decided(self, approve: bool) -> None:
        approval = self.current()
        if self._held is not None and approval is not None:
            taken = self._held.decide(approval, approve=approve)
            self.on_put(taken, needs_note=not approve)
