"""The page “Import from a phone”: a file, its people, a preview, what became of it in the archive.

It never reads a file and never uploads one: it says what the person asked for.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from ui.models.import_state import ImportState, Step
from ui.models.import_words import FIRST_LINE, KINDS_OF_FILES, TITLE
from ui.models.timeline_presenter import TimelinePresenter
from ui.theme.tokens import RADIUS_CARD_PX, Tokens
from ui.theme.widgets import button, label
from ui.views.pages.import_parts import (
    FittingScroll,
    ImportFoot,
    StepStrip,
    WorkStrip,
    card,
    wrapped,
)
from ui.views.pages.import_people import PeopleStep
from ui.views.pages.page_frame import PageFrame
from ui.views.timeline_view import TimelineView


class ImportPage(PageFrame):
    """`go_requested` is the primary button of the step in front; `step` holds its people card."""

    file_requested = Signal()
    go_on_requested = Signal()
    forget_requested = Signal()
    open_requested = Signal()

    def __init__(
        self, preview: TimelinePresenter, tokens: Tokens, parent: QWidget | None = None
    ) -> None:
        super().__init__(TITLE, FIRST_LINE, parent)
        self._tokens = tokens
        self._state = ImportState()
        self.strip = StepStrip(tokens)
        self.work = WorkStrip(tokens)
        self.foot = ImportFoot()
        self.step = PeopleStep(tokens)
        self.preview = TimelineView(preview, tokens)
        self.preview.setAccessibleName("Preview of the chat")
        self._fault = wrapped("", "error")
        self._notes = wrapped("", "secondary")
        self._parts: dict[Step, QWidget] = {
            Step.FILE: self._file_part(),
            Step.PEOPLE: FittingScroll("People of the chat", self.step),
            Step.PREVIEW: self._preview_part(),
            Step.ARCHIVE: self._archive_part(),
        }
        for each in (self.strip, self._fault, self.work):
            self.body.addWidget(each)
        for step, part in self._parts.items():
            # Only a preview takes all the room; elsewhere the foot follows what stands there.
            self.body.addWidget(part, 1 if step is Step.PREVIEW else 0)
        self.body.addWidget(self.foot)
        self.body.addStretch(0)
        self.set_tokens(tokens)
        self.show_state(self._state)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take another look."""
        self._tokens = tokens
        for part in (self.strip, self.work, self.step, self.preview):
            part.set_tokens(tokens)
        self._preview_frame.setStyleSheet(
            f"QFrame#previewFrame {{ background: {tokens.background};"
            f" border: 1px solid {tokens.line}; border-radius: {RADIUS_CARD_PX}px; }}"
        )

    def show_state(self, state: ImportState) -> None:
        """Show where the import stands."""
        old, self._state = self._state, state
        self.line.setText(state.line)
        self.strip.show_step(state.step, done=state.done)
        self.work.show_work(state.work)
        self._fault.setText(state.fault)
        self._fault.setVisible(bool(state.fault))
        self._show_unfinished(state.unfinished)
        self.step.show_state(state)
        self._notes.setText("\n".join(state.notes))
        self._notes.setVisible(bool(state.notes))
        self._outcome.setText(state.outcome)
        self._open.setVisible(state.opens is not None)
        self._again.setVisible(state.done)
        self.foot.setVisible(state.step is not Step.FILE)
        self.foot.show_state(state)
        for step, part in self._parts.items():
            part.setVisible(step is state.step)
        self._file_button.setEnabled(state.work is None)
        if state.step is not old.step or state.done is not old.done:
            self.focus_step()
        self._say(state, old)

    def focus_step(self) -> None:
        """Put the keyboard where this step is worked on."""
        reason = Qt.FocusReason.OtherFocusReason
        if self._state.step is Step.FILE:
            first = self._go_on if self._state.unfinished else self._file_button
            first.setFocus(reason)
        elif self._state.step is Step.PEOPLE:
            self.step.focus_first()
        elif self._state.step is Step.PREVIEW:
            self.preview.setFocus(reason)
        else:
            (self._open if self._state.opens is not None else self._outcome).setFocus(reason)

    def texts(self) -> list[str]:
        """Return the sentences on screen beside the people and the preview."""
        shown = (self.line, self._fault, self._unfinished, self._notes, self._outcome)
        return [one.text() for one in shown if one.text() and one.isVisible()]

    def _file_part(self) -> QWidget:
        drop = card()
        self._file_button = button("Choose a file…", "primary")
        self._file_button.clicked.connect(self.file_requested)
        column = QVBoxLayout(drop)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(12)
        column.addWidget(label("Drop the exported file anywhere on this window", "name"))
        said = (
            "It is read on this computer first. You say who is who, look at a preview, and only "
            "then it goes to your firm’s archive. A chat without any of your clients is not taken."
        )
        column.addWidget(wrapped(said, "secondary"))
        kinds = QGridLayout()
        kinds.setHorizontalSpacing(18)
        kinds.setVerticalSpacing(6)
        kinds.setColumnStretch(1, 1)
        for number, (name, words) in enumerate(KINDS_OF_FILES):
            kinds.addWidget(label(name, "strong"), number, 0, Qt.AlignmentFlag.AlignTop)
            kinds.addWidget(wrapped(words), number, 1)
        column.addLayout(kinds)
        column.addWidget(self._file_button, 0, Qt.AlignmentFlag.AlignLeft)
        inside = QWidget()
        outer = QVBoxLayout(inside)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(16)
        outer.addWidget(self._unfinished_part())
        outer.addWidget(drop)
        return FittingScroll("Choose a file", inside)

    def _unfinished_part(self) -> QFrame:
        self._unfinished_card = card()
        self._unfinished = wrapped("")
        self._go_on = button("Go on", "primary", "Go on with the import")
        self._forget = button("Discard", "secondary", "Discard the import")
        self._go_on.clicked.connect(self.go_on_requested)
        self._forget.clicked.connect(self.forget_requested)
        row = QHBoxLayout(self._unfinished_card)
        row.setContentsMargins(20, 14, 20, 14)
        row.setSpacing(12)
        row.addWidget(self._unfinished, 1)
        row.addWidget(self._forget)
        row.addWidget(self._go_on)
        return self._unfinished_card

    def _preview_part(self) -> QWidget:
        part = QWidget()
        frame = self._preview_frame = QFrame()
        frame.setObjectName("previewFrame")
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(1, 8, 1, 8)
        inner.addWidget(self.preview)
        column = QVBoxLayout(part)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self._notes)
        column.addWidget(frame, 1)
        return part

    def _archive_part(self) -> QWidget:
        frame = card()
        self._outcome = wrapped("")
        self._outcome.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._outcome.setAccessibleName("Report of the import")
        self._open = button("Open the conversation", "primary")
        self._open.clicked.connect(self.open_requested)
        self._again = button("Import another file…", "secondary")
        self._again.clicked.connect(self.file_requested)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self._open)
        row.addWidget(self._again)
        row.addStretch(1)
        column = QVBoxLayout(frame)
        column.setContentsMargins(20, 18, 20, 18)
        column.setSpacing(12)
        column.addWidget(self._outcome)
        column.addLayout(row)
        return FittingScroll("What became of the import", frame)

    def _show_unfinished(self, words: str) -> None:
        self._unfinished.setText(words)
        self._unfinished_card.setVisible(bool(words))

    def _say(self, state: ImportState, old: ImportState) -> None:
        """Tell a listener what is new: a fault first, then the outcome, then the step."""
        words = ""
        if state.fault and state.fault != old.fault:
            words = state.fault
        elif state.outcome and state.outcome != old.outcome:
            words = state.outcome
        elif state.step is not old.step:
            words = self.strip.accessibleName()
        if words:
            event = QAccessibleAnnouncementEvent(self, words)
            event.setPoliteness(QAccessible.AnnouncementPoliteness.Polite)
            QAccessible.updateAccessibility(event)
