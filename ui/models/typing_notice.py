"""Tells the client's side that the employee types, and when typing has ended.

It never tells anything to a channel that can't show it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer

from contract.ids import ConversationId
from contract.wire import Conversation
from ui.bridge.spawn import Spawner

TYPING_ENDS_AFTER_MS = 4000
# The message itself shows the client that typing has ended: it goes first.
TOLD_AFTER_SENDING_MS = 500
Tell = Callable[[ConversationId, bool], Awaitable[Any]]


class TypingNotice(QObject):
    """One composer's word about typing, said once for each start and each end."""

    def __init__(self, tell: Tell, spawner: Spawner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tell = tell
        self._spawner = spawner
        self._told: Conversation | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.end)

    def typed(self, conversation: Conversation) -> None:
        """A key was pressed for this conversation."""
        self._timer.start(TYPING_ENDS_AFTER_MS)
        if self._told is None and conversation.send is not None and conversation.send.typing:
            self._told = conversation
            self._say(conversation, True)

    def sent(self) -> None:
        """The text goes out: that typing has ended is said after it, unless more is typed."""
        if self._told is not None:
            self._timer.start(TOLD_AFTER_SENDING_MS)

    def end(self) -> None:
        """Typing has ended: left, or nothing typed for a while."""
        self._timer.stop()
        if self._told is not None:
            told, self._told = self._told, None
            self._say(told, False)

    def _say(self, conversation: Conversation, typing: bool) -> None:
        async def tell() -> None:
            await self._tell(conversation.conversation_id, typing)

        self._spawner.spawn(tell(), "typing")
