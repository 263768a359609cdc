"""Owns the queue of unknown senders on this computer: how many wait, reading them, deciding.

It never keeps a stranger's message: each look asks the backend.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.faults import to_app_error
from backend_client.client import GovernedApi
from backend_client.errors import ClientError
from contract.triage import TriageAction, TriageItem

MOST_PAGES = 5
T = TypeVar("T")


class TriageDesk:
    """`pending` is how many unknown senders waited for this person when last told.

    `is_owner` tells whether this person looks after an account that strangers write to.
    """

    def __init__(self, api: GovernedApi) -> None:
        self.pending = 0
        self.is_owner = False
        self._api = api
        self._callbacks: dict[int, Callable[[int], None]] = {}
        self._next_key = 0

    def subscribe(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Call `callback` on the loop's thread whenever the queue changed; return its end."""
        key = self._next_key
        self._next_key += 1
        self._callbacks[key] = callback

        def unsubscribe() -> None:
            self._callbacks.pop(key, None)

        return unsubscribe

    def changed(self, pending: int) -> None:
        """The backend told that the queue changed: it tells owners alone."""
        self.pending = pending
        self.is_owner |= pending > 0
        for callback in tuple(self._callbacks.values()):
            callback(pending)

    async def read(self) -> tuple[TriageItem, ...]:
        """Return the unknown senders that wait, oldest first; at most a few hundred.

        Raises errors of app.domain.errors.
        """
        found: list[TriageItem] = []
        cursor = ""
        for _ in range(MOST_PAGES):
            page = await _mapped(self._api.triage.page(cursor=cursor))
            found += page.items
            self.pending, self.is_owner, cursor = page.pending, page.owner, page.next_cursor
            if not cursor:
                break
        return tuple(found)

    async def decide(
        self, item: TriageItem, action: TriageAction, *, employee_id: str, note: str, key: str
    ) -> TriageItem:
        """Claim, assign or dismiss an unknown sender; return them as they stand now.

        The same key decides once, however often it is sent. Raises errors of app.domain.errors.
        """
        return await _mapped(
            self._api.triage.decide(
                item.conversation_id, action, employee_id=employee_id, note=note, key=key
            )
        )


async def _mapped(call: Awaitable[T]) -> T:
    try:
        return await call
    except ClientError as fault:
        raise to_app_error(fault) from fault
