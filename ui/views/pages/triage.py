"""The page of unknown senders: the queue beside what the chosen one wrote.

It never reads the queue or decides by itself; its presenter does.
"""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from contract.triage import TriageAction, TriageItem
from ui.delegates.triage_delegate import TriageDelegate
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


class TriagePage(QueuePage):
    """Unknown senders, each to be taken over, assigned or dismissed."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        self.detail = TriageDetailView(tokens)
        super().__init__(_WORDS, TriageDelegate(tokens), self.detail, parent)
        self._presenter: TriagePresenter | None = None
        self.detail.decided.connect(self._on_decided)
        self.detail.note_edited.connect(self._on_note_edited)

    def follow(self, presenter: TriagePresenter) -> None:
        """Show this queue from now on."""
        self._presenter = one = presenter
        self.show_queue(one.model, one.state_changed, one.announced, one.refresh, one.state)

    def show_current(self) -> None:
        """Show the chosen sender."""
        presenter, item = self._presenter, self._current()
        if presenter is not None and item is not None:
            detail = triage_detail(item, presenter.now_utc_ms())
            self.detail.show_detail(detail, presenter.note(item.conversation_id))

    def _on_note_edited(self, words: str) -> None:
        presenter, item = self._presenter, self._current()
        if presenter is not None and item is not None:
            presenter.set_note(item.conversation_id, words)

    def _on_decided(self, action: TriageAction, employee_id: str) -> None:
        presenter, item = self._presenter, self._current()
        if presenter is None or item is None:
            return
        if presenter.decide(item, action, employee_id):
            self.focus_list()
        elif action is TriageAction.DISMISS:
            self.detail.focus_note()

    def _current(self) -> TriageItem | None:
        row = self.list.currentIndex().row()
        return self._presenter.model.row_at(row) if self._presenter is not None else None
