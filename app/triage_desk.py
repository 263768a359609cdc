"""Owns the queue of unknown senders on this computer: how many wait, reading them, deciding.

It never keeps a stranger's message: each look asks the backend.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app.domain.listeners import Listeners
from app.faults import answered
from backend_client.client import GovernedApi
from contract.triage import TriageCommand, TriageItem
from contract.wire import Contact

MOST_PAGES = 5


class TriageDesk:
    """`pending` is how many unknown senders waited for this person when last told.

    `is_offered` tells whether this person looks after an account that strangers write to, which
    is learnt by reading: `is_asked` holds for everybody.
    """

    def __init__(
        self, api: GovernedApi, book: Callable[[], Awaitable[tuple[Contact, ...]]]
    ) -> None:
        """`book` returns the clients of the own book by name."""
        self.pending = 0
        self.is_offered = False
        self.is_asked = True
        self._api = api
        self._book = book
        self._listeners = Listeners[int]()

    def subscribe(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Call `callback` on the loop's thread whenever the queue changed; return its end."""
        return self._listeners.add(callback)

    def changed(self, pending: int) -> None:
        """The backend told that the queue changed: it tells owners alone."""
        self.pending = pending
        self.is_offered |= pending > 0
        self._listeners.tell(pending)

    async def read(self) -> tuple[TriageItem, ...]:
        """Return the unknown senders that wait, oldest first; at most a few hundred.

        Raises errors of app.domain.errors.
        """
        found: list[TriageItem] = []
        cursor = ""
        for _ in range(MOST_PAGES):
            page = await answered(self._api.triage.page(cursor=cursor))
            found += page.items
            self.pending, self.is_offered, cursor = page.pending, page.owner, page.next_cursor
            if not cursor:
                break
        return tuple(found)

    async def book(self) -> tuple[Contact, ...]:
        """Return the clients of the own book by name: one of them may be the sender."""
        return await self._book()

    async def decide(self, item: TriageItem, command: TriageCommand, *, key: str) -> TriageItem:
        """Claim, assign or dismiss an unknown sender; return them as they stand now.

        The same key decides once, however often it is sent. Raises errors of app.domain.errors.
        """
        return await answered(self._api.triage.decide(item.conversation_id, command, key=key))
