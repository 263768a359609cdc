"""The supervisor's page: the queue of held messages beside the one being read.

It never reads the queue or decides by itself; its presenter does.
"""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from contract.supervision import Approval
from ui.delegates.approvals_delegate import ApprovalsDelegate
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


class ApprovalsPage(QueuePage):
    """Held messages, each to be approved or rejected."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        self.detail = ApprovalDetailView(tokens)
        super().__init__(_WORDS, ApprovalsDelegate(tokens), self.detail, parent)
        self._presenter: ApprovalsPresenter | None = None
        self.detail.decided.connect(self._on_decided)
        self.detail.note_edited.connect(self._on_note_edited)

    def follow(self, presenter: ApprovalsPresenter) -> None:
        """Show this queue from now on."""
        self._presenter = one = presenter
        self.show_queue(one.model, one.state_changed, one.announced, one.refresh, one.state)

    def show_current(self) -> None:
        """Show the chosen message."""
        presenter, approval = self._presenter, self._current()
        if presenter is not None and approval is not None:
            detail = approval_detail(approval, presenter.now_utc_ms())
            self.detail.show_detail(detail, presenter.note(approval.approval_id))

    def _on_note_edited(self, words: str) -> None:
        presenter, approval = self._presenter, self._current()
        if presenter is not None and approval is not None:
            presenter.set_note(approval.approval_id, words)

    def _on_decided(self, approve: bool) -> None:
        presenter, approval = self._presenter, self._current()
        if presenter is None or approval is None:
            return
        if presenter.decide(approval, approve=approve):
            self.focus_list()
        elif not approve:
            self.detail.focus_note()

    def _current(self) -> Approval | None:
        row = self.list.currentIndex().row()
        return self._presenter.model.row_at(row) if self._presenter is not None else None
