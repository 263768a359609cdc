"""Tells subscribers on the loop thread what each committed write changed.

It never tells of anything before its commit and drops no change when a caller was cancelled.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from app.domain.changes import ChangeSet

_LOG = logging.getLogger(__name__)

Subscriber = Callable[[ChangeSet], None]


class ChangeFeed:
    """Carries change sets from the store's threads to the loop it was made on."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._subscribers: dict[int, Subscriber] = {}
        self._next_key = 0

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Call `callback` with each change set; return a function that ends this."""
        key = self._next_key
        self._next_key += 1
        self._subscribers[key] = callback

        def unsubscribe() -> None:
            self._subscribers.pop(key, None)

        return unsubscribe

    def publish_from_thread(self, changes: ChangeSet) -> None:
        """Hand one committed change set to the loop; called on a store thread."""
        if changes.is_empty():
            return
        try:
            self._loop.call_soon_threadsafe(self._deliver, changes)
        except RuntimeError:
            _LOG.debug("The loop is closed; nobody is left to be told of a commit.")

    def _deliver(self, changes: ChangeSet) -> None:
        for callback in tuple(self._subscribers.values()):
            callback(changes)
