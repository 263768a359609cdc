"""The card of the settings page about the local files: sizes, upkeep, a bar while it runs.

It never starts anything by itself: it says what the user asked for.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from app.domain.upkeep import StorageUse, UpkeepEnd, UpkeepJob, UpkeepState
from ui.models.storage_words import outcome_words, running_words, use_words
from ui.theme.tokens import Tokens
from ui.theme.widgets import button, label

_BAR_PX = 4
_STEPS = 1_000


class StorageCard(QFrame):
    """Buttons while nothing runs; a bar and Cancel while something does."""

    job_requested = Signal(object)
    cancel_requested = Signal()

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", True)
        self.setAccessibleName("Storage on this computer")
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(8)
        column.addWidget(label("Storage on this computer", "strong"))
        self.use = label("", "secondary")
        self.use.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setRange(0, _STEPS)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(_BAR_PX)
        self.bar.setAccessibleName("How far the work on the storage is")
        self.words = label("", "body")
        self.words.setWordWrap(True)
        for part in (self.use, self.bar, self.words):
            column.addWidget(part)
        column.addLayout(self._buttons())
        self._outcome = ""
        self.set_tokens(tokens)
        self.show_state(UpkeepState())

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self.bar.setStyleSheet(
            f"QProgressBar {{ border: none; border-radius: 2px; background: {tokens.line}; }}"
            f"QProgressBar::chunk {{ border-radius: 2px; background: {tokens.accent}; }}"
        )

    def show_use(self, use: StorageUse) -> None:
        """Show what the files take."""
        self.use.setText(use_words(use))

    def show_state(self, state: UpkeepState) -> None:
        """Show what is being done, or how the last work ended."""
        runs = state.job is not None
        had_focus = any(one.hasFocus() for one in (*self._starting, self.rebuild, self.cancel))
        self.bar.setVisible(runs)
        self.bar.setValue(round(_STEPS * state.fraction))
        self.cancel.setVisible(runs)
        for one in self._starting:
            one.setVisible(not runs)
        outcome = state.outcome
        stale = outcome is not None and outcome.end is UpkeepEnd.INDEX_STALE
        self.rebuild.setVisible(not runs and stale)
        if had_focus:
            (self.cancel if runs else self.check).setFocus()
        words = running_words(state) or outcome_words(outcome)
        self.words.setText(words)
        self.words.setVisible(bool(words))
        if not runs and words and words != self._outcome:
            self._announce(words)
        self._outcome = "" if runs else words

    def _buttons(self) -> QHBoxLayout:
        self.check = button("Check", "secondary", "Check the storage for damage")
        self.compact = button("Free unused space", "secondary")
        self.rebuild = button("Rebuild search", "secondary")
        self.cancel = button("Cancel", "secondary", "Cancel the work on the storage")
        self._starting = (self.check, self.compact)
        for one, job in (
            (self.check, UpkeepJob.CHECK),
            (self.compact, UpkeepJob.COMPACT),
            (self.rebuild, UpkeepJob.REBUILD_INDEX),
        ):
            one.clicked.connect(lambda _=False, job=job: self.job_requested.emit(job))
        self.cancel.clicked.connect(self.cancel_requested)
        row = QHBoxLayout()
        row.setSpacing(10)
        for one in (self.check, self.compact, self.rebuild, self.cancel):
            row.addWidget(one)
        row.addStretch(1)
        return row

    def _announce(self, words: str) -> None:
        event = QAccessibleAnnouncementEvent(self, words)
        event.setPoliteness(QAccessible.AnnouncementPoliteness.Polite)
        QAccessible.updateAccessibility(event)
