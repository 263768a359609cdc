"""Saves drafts soon after they change and keeps in memory what could not be stored yet.

It never drops a draft: only a store that took it, or a send that took it along, ends one here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from app.domain.drafts import Draft
from contract.ids import ConversationId
from ui.bridge.spawn import Spawner

if TYPE_CHECKING:
    import asyncio

SAVE_AFTER_MS = 100
# The name of the task that saves; its failures are told by whoever owns the window.
SAVE_DRAFT = "save draft"


class DraftSaver(QObject):
    """`draft_now` gives the draft on screen, None without a conversation.

    `taken` counts how often the store took a draft: one that was read before may be an older one.
    """

    def __init__(
        self,
        save: Callable[[Draft], Awaitable[None]],
        draft_now: Callable[[], Draft | None],
        spawner: Spawner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._save = save
        self._draft_now = draft_now
        self._spawner = spawner
        self._dirty = False
        self._unsaved: dict[ConversationId, Draft] = {}
        self._writing: asyncio.Lock | None = None
        self.paused = False
        self.taken = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SAVE_AFTER_MS)
        self._timer.timeout.connect(self._on_due)

    @property
    def writing(self) -> asyncio.Lock:
        """Return the lock under which drafts are saved, and sent."""
        if self._writing is None:
            from asyncio import Lock

            self._writing = Lock()
        return self._writing

    def mark_dirty(self) -> None:
        """The draft on screen changed: save it soon."""
        self._dirty = True
        self._timer.start()

    def newest(self, conversation_id: ConversationId, stored: Draft | None) -> Draft | None:
        """Return what is not stored yet of a conversation's draft, else what the store holds."""
        return self._unsaved.get(conversation_id, stored)

    def forget(self, conversation_id: ConversationId, *, on_screen: bool) -> None:
        """The store holds, or took along, all there is: an older copy must not come back."""
        self._unsaved.pop(conversation_id, None)
        self.taken += 1
        if on_screen:
            self._dirty = False

    def stash(self) -> None:
        """Take the draft on screen down, to be saved even when another is shown."""
        draft = self._draft_now()
        if draft is not None and self._dirty:
            self._unsaved[draft.conversation_id] = draft
            self._timer.start()
        self._dirty = False

    async def flush(self) -> None:
        """Save every draft that is not stored yet; raises what the store raises.

        A draft that could not be stored is kept in memory and tried again.
        """
        self.stash()
        self._timer.stop()
        async with self.writing:
            for conversation_id, draft in list(self._unsaved.items()):
                await self._save(draft)
                self.taken += 1
                if self._unsaved.get(conversation_id) is draft:
                    del self._unsaved[conversation_id]

    def _on_due(self) -> None:
        if not self.paused:
            self._spawner.spawn(self.flush(), SAVE_DRAFT)
