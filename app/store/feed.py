"""Tells subscribers on the loop thread what each committed write changed.

It never tells of anything before its commit and drops no change when a caller was cancelled.

What the server tells comes in a flood at times: the first change of it is told at once, those of
the next moment together. What this computer did itself is never held back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from app.domain.changes import ChangeSet
from app.domain.listeners import Listeners

_LOG = logging.getLogger(__name__)

Subscriber = Callable[[ChangeSet], None]

# How long changes are gathered: short of what an eye sees; history comes from far up the list.
_GATHERED_S = {"sync": 0.04, "history": 0.25}


class ChangeFeed:
    """Carries change sets from the store's threads to the loop it was made on."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._subscribers = Listeners[ChangeSet]()
        self._held: dict[str, ChangeSet | None] = {}

    def subscribe(self, callback: Subscriber) -> Callable[[], None]:
        """Call `callback` with each change set; return a function that ends this."""
        return self._subscribers.add(callback)

    def publish_from_thread(self, changes: ChangeSet) -> None:
        """Hand one committed change set to the loop; called on a store thread."""
        if changes.is_empty():
            return
        try:
            self._loop.call_soon_threadsafe(self._take, changes)
        except RuntimeError:
            _LOG.debug("The loop is closed; nobody is left to be told of a commit.")

    def _take(self, changes: ChangeSet) -> None:
        kind = changes.initiator
        if kind not in _GATHERED_S or changes.reset:
            self._subscribers.tell(changes)
        elif kind in self._held:
            held = self._held[kind]
            self._held[kind] = changes if held is None else held.joined(changes)
        else:
            self._held[kind] = None
            self._loop.call_later(_GATHERED_S[kind], self._release, kind)
            self._subscribers.tell(changes)

    def _release(self, kind: str) -> None:
        held = self._held.pop(kind)
        if held is not None:
            self._take(held)
