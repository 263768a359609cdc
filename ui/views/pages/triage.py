"""The page of unknown senders: the queue beside what the chosen one wrote.

It never reads the queue or decides by itself; its presenter does.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from contract.triage import TriageAction, TriageItem
from ui.delegates.triage_delegate import triage_waiting_row
from ui.delegates.waiting_delegate import WaitingDelegate
from ui.models.triage_presenter import TriagePresenter
from ui.models.triage_words import triage_detail
from ui.theme.tokens import Tokens
from ui.views.pages.queue_page import QueuePage, QueueWords
from ui.views.triage_detail import TriageDetailView

_WORDS = QueueWords(
    title="Unknown senders",
    line="Who wrote to a shared number and is in nobody’s book: take them over, or give them away",
    listed="Unknown senders",
    reading="Reading who waits…",
    nothing="Nobody unknown waits.",
)


class TriagePage(QueuePage[TriageItem]):
    """Unknown senders, each to be taken over, assigned or dismissed.

    `link_requested` carries the TriageItem that may be a client of the book.
    """

    link_requested = Signal(object)

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        self.detail = TriageDetailView(tokens)
        delegate = WaitingDelegate(tokens, triage_waiting_row)
        super().__init__(_WORDS, delegate, self.detail, parent)
        self._senders: TriagePresenter | None = None
        self.current_changed.connect(self._on_current_changed)
        self.detail.decided.connect(self._on_decided)
        self.detail.note_edited.connect(self.on_note_edited)
        self.detail.link_requested.connect(self._on_link_requested)
        self.detail.unlink_requested.connect(self._on_unlink_requested)

    def follow(self, presenter: TriagePresenter) -> None:
        """Show this queue from now on."""
        self._senders = presenter
        presenter.link_changed.connect(self._on_current_changed)
        self.show_queue(presenter)

    def _on_current_changed(self) -> None:
        item = self.current()
        if self._senders is not None and item is not None:
            detail = triage_detail(item, self._senders.now_utc_ms())
            client = self._senders.link(item)
            linked = client.display_name if client is not None else ""
            self.detail.show_detail(detail, self.current_note(), linked)

    def _on_link_requested(self) -> None:
        item = self.current()
        if item is not None:
            self.link_requested.emit(item)

    def _on_unlink_requested(self) -> None:
        item = self.current()
        if self._senders is not None and item is not None:
            self._senders.set_link(item, None)

    def _on_decided(self, action: TriageAction, employee_id: str) -> None:
        item = self.current()
        if self._senders is not None and item is not None:
            taken = self._senders.decide(item, action, employee_id)
            self.on_put(taken, needs_note=action is TriageAction.DISMISS)
