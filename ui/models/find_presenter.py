"""Finds words in the open conversation and steps from hit to hit, newest first.

It never searches itself; the store's search answers.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from contract.ids import ConversationId, MessageId
from ui.bridge.spawn import Spawner
from ui.models.search_presenter import SearchSource

LIMIT_MESSAGES = 500


class FindPresenter(QObject):
    """`place_changed` says which hit of how many; `hit_chosen` asks to jump there."""

    place_changed = Signal(int, int)
    hit_chosen = Signal(str)

    def __init__(
        self, source: SearchSource, spawner: Spawner, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._source = source
        self._spawner = spawner
        self._conversation_id: ConversationId | None = None
        self._hits: tuple[MessageId, ...] = ()
        self._at = -1
        self._text = ""
        self._question = 0
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.setInterval(0)
        self._turn.timeout.connect(self._ask)

    def set_conversation(self, conversation_id: ConversationId | None) -> None:
        """Look in another conversation."""
        self._conversation_id = conversation_id
        self.set_text("")

    def set_text(self, text: str) -> None:
        """Take the question as typed so far."""
        self._text = text
        self._question += 1
        self._turn.start()

    def step(self, by: int) -> None:
        """Go to the next older (1) or newer (-1) hit, around the ends."""
        if self._hits:
            self._at = (self._at + by) % len(self._hits)
            self._tell()

    def _ask(self) -> None:
        if self._text.strip() and self._conversation_id is not None:
            self._spawner.spawn(self._search(self._question, self._conversation_id), "find")
        else:
            self._hits, self._at = (), -1
            self.place_changed.emit(0, 0)

    async def _search(self, question: int, conversation_id: ConversationId) -> None:
        results = await self._source.search(self._text, 0, LIMIT_MESSAGES, home=conversation_id)
        if question != self._question:
            return
        self._hits = tuple(hit.message_id for hit in results.messages)
        self._at = 0 if self._hits else -1
        self._tell()

    def _tell(self) -> None:
        self.place_changed.emit(self._at + 1, len(self._hits))
        if self._at >= 0:
            self.hit_chosen.emit(self._hits[self._at])
