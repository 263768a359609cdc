"""Holds what the steps of a tour share: the workspace, the backend's view, what was sent.

It never performs a step.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QAbstractButton, QWidget

from app.core import Core
from contract.ids import ConversationId, MessageId
from contract.states import DeliveryState
from contract.wire import Direction, Message
from ui.tour.backend_view import BackendView
from ui.tour.events import StepFailed
from ui.views.main_window import MainWindow
from ui.workspace import Workspace

_NO_CONVERSATION = ConversationId("")
_NO_MESSAGE = MessageId("")


@dataclass
class Stage:
    """`states` collects each delivery state of the sent message that the window showed."""

    core: Core
    workspace: Workspace
    backend: BackendView
    conversation_id: ConversationId = _NO_CONVERSATION
    client_text: str = ""
    sent_text: str = ""
    answer_text: str = ""
    sent_id: MessageId = _NO_MESSAGE
    states: list[DeliveryState] = field(default_factory=list)
    before_blocked: int = 0
    held_id: MessageId = _NO_MESSAGE
    messages_before: int = 0

    @property
    def window(self) -> MainWindow:
        """Return the window."""
        return self.workspace.window

    def shown_texts(self) -> list[str]:
        """Return what the timeline's rows say, from the top."""
        model = self.window.timeline.presenter.model
        words = (model.words_at(number) for number in range(model.rowCount()))
        return [one.text for one in words if one is not None]

    def shown_footer(self, message_id: MessageId) -> str:
        """Return the line under a message's bubble, "" when it is not on screen."""
        model = self.window.timeline.presenter.model
        number = model.number_of_message(message_id)
        words = model.words_at(number)
        return " ".join(part.text for part in words.footer) if words is not None else ""

    def is_verified(self, message_id: MessageId) -> bool:
        """Tell whether the window shows a message's seal as verified on this computer."""
        row = self.workspace.timeline.message(message_id)
        return row is not None and row.verified

    def footer_point(self, message_id: MessageId, act: str) -> QPoint:
        """Return the middle of a footer's part that offers `act`, within the timeline's viewport.

        Raises StepFailed when the message or the part is not on screen.
        """
        view = self.window.timeline
        number = view.presenter.model.number_of_message(message_id)
        words = view.presenter.model.words_at(number)
        if words is not None:
            layout = view.bubbles.bubble(words, view.viewport().width(), view.isRightToLeft())
            corner = view.visualRect(view.presenter.model.index(number)).topLeft()
            for part, rect in layout.footer:
                if part.act == act:
                    return corner + rect.center().toPoint()
        raise StepFailed(f"the bubble offers no “{act}”")

    def shown_message(self, text: str, direction: Direction) -> Message | None:
        """Return the timeline's newest message with exactly that text, None without one."""
        model = self.window.timeline.presenter.model
        for number in reversed(range(model.rowCount())):
            item = model.row_at(number)
            row = item.row if item is not None else None
            if row is None:
                continue
            if row.message.text == text and row.message.direction is direction:
                return row.message
        return None

    def follow_states(self) -> None:
        """Collect the sent message's states from now on, as the timeline shows them."""
        self.workspace.timeline.window_changed.connect(self._note_state)

    def has_shown(self, state: DeliveryState) -> bool:
        """Return True once the window showed the sent message in `state`."""
        self._note_state()
        return state in self.states

    def _note_state(self) -> None:
        row = self.workspace.timeline.message(self.sent_id) if self.sent_id else None
        if row is None or row.message.state is None:
            return
        if not self.states or self.states[-1] is not row.message.state:
            self.states.append(row.message.state)


def button_saying(parent: QWidget, text: str) -> QAbstractButton:
    """Return the visible button with exactly that text; raises StepFailed without one."""
    for one in parent.findChildren(QAbstractButton):
        if one.text() == text and one.isVisible():
            return one
    raise StepFailed(f"there is no button “{text}”")
