"""Finds words in the open conversation and steps from hit to hit, newest first.

It never searches itself; the store's search answers.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from contract.ids import ConversationId, MessageId
from ui.bridge.spawn import Spawner
from ui.models.search_presenter import SearchSource

LIMIT_MESSAGES = 500
_MOST_ROUNDS = 6


class FindPresenter(QObject):
    """`place_changed` says which hit of how many, and whether there are older ones beyond.

    `hit_chosen` asks to jump there.
    """

    place_changed = Signal(int, int, bool)
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
        self._next_row: int | None = None
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
        """Go to the next older (1) or newer (-1) hit, around the ends; older ones are fetched."""
        if self._hits and by > 0 and self._at == len(self._hits) - 1 and self._next_row is not None:
            self._question += 1
            self._spawn_search(self._next_row)
        elif self._hits:
            self._at = (self._at + by) % len(self._hits)
            self._tell()

    def _ask(self) -> None:
        if self._text.strip() and self._conversation_id is not None:
            self._spawn_search(None)
        else:
            self._hits, self._at, self._next_row = (), -1, None
            self.place_changed.emit(0, 0, False)

    def _spawn_search(self, below_row: int | None) -> None:
        if self._conversation_id is not None:
            work = self._search(self._question, self._conversation_id, below_row)
            self._spawner.spawn(work, "find")

    async def _search(
        self, question: int, conversation_id: ConversationId, below_row: int | None
    ) -> None:
        """Look for hits, or for those older than the known ones."""
        known = () if below_row is None else self._hits
        found: tuple[MessageId, ...] = ()
        for _ in range(_MOST_ROUNDS):
            results = await self._source.search(
                self._text, 0, LIMIT_MESSAGES, home=conversation_id, below_row=below_row
            )
            if question != self._question:
                return
            found = tuple(hit.message_id for hit in results.messages)
            below_row = results.next_row
            # A filter may leave nothing of the rows that were looked at.
            if found or below_row is None:
                break
        self._next_row = below_row
        self._hits = (*known, *found)
        # Where nothing older is left, a step goes around to the newest.
        self._at = (len(known) if found else 0) if self._hits else -1
        self._tell()

    def _tell(self) -> None:
        self.place_changed.emit(self._at + 1, len(self._hits), self._next_row is not None)
        if self._at >= 0:
            self.hit_chosen.emit(self._hits[self._at])
