"""Owns what the person does with many waiting messages at once: look through them, cancel them.

It never cancels what the backend may already have, and deletes a text only when told to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from app.domain.queue import Cancelled, QueuePage
from app.store.store import Store
from contract.ids import ConversationId

Progress = Callable[[int], None]
_MOST_CONVERSATIONS = 200


def ignored(_count: int) -> None:
    """Take progress nobody asked for."""


class OutboxQueue:
    """The outbox as one queue; raises errors of app.domain.errors."""

    def __init__(self, store: Store, wake: Callable[[], None]) -> None:
        """`wake` is called once entries went, so that lanes look anew."""
        self._store = store
        self._wake = wake

    async def later(self, position: int, limit: int) -> QueuePage:
        """Return rows behind a position in composing order; 0: the first ones."""
        return await self._store.outbox.queue.later(position, limit)

    async def earlier(self, position: int, limit: int) -> QueuePage:
        """Return rows before a position in composing order."""
        return await self._store.outbox.queue.earlier(position, limit)

    async def cancel(
        self,
        conversation_id: ConversationId | None,
        *,
        keep_texts: bool,
        progress: Progress = ignored,
    ) -> Cancelled:
        """Cancel a conversation's waiting messages, or all with None, newest first.

        With `keep_texts` they join their conversation's draft in order, each in the commit that
        takes it out of the queue; else they are deleted. Messages go on being sent meanwhile.
        `progress` hears how many were cancelled so far. A cancelled caller leaves whole messages
        either in the queue or in a draft.
        """
        done = 0
        try:
            if conversation_id is not None:
                done = await self._cancel_one(conversation_id, keep_texts, done, progress)
            else:
                after = ""
                while homes := await self._store.outbox.queue.conversations(
                    after, _MOST_CONVERSATIONS
                ):
                    for home in homes:
                        done = await self._cancel_one(home, keep_texts, done, progress)
                    after = homes[-1]
        finally:
            self._wake()
        return Cancelled(done, await self._store.outbox.queue.waiting(conversation_id))

    async def _cancel_one(
        self, home: ConversationId, keep_texts: bool, done: int, progress: Progress
    ) -> int:
        while True:
            step = await self._store.outbox.queue.take_back(home, keep_text=keep_texts)
            done += step.count
            if step.count:
                progress(done)
            if not step.left:
                return done
            await asyncio.sleep(0)  # let sends that are due come between
