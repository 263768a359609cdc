"""Owns the waking of event streams after a commit, with the events that are never stored.

It never reads the database, and it lives on one event loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType

from contract.events import EventBody
from contract.ids import EmployeeId

_MAX_PASSING = 64


class Subscription:
    """One waiting stream of one employee; use it as a context manager."""

    def __init__(self, notifier: Notifier, employee_id: EmployeeId) -> None:
        self._notifier = notifier
        self.employee_id = employee_id
        self._woken = asyncio.Event()
        self._passing: deque[EventBody] = deque(maxlen=_MAX_PASSING)

    def __enter__(self) -> Subscription:
        self._notifier.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._notifier.remove(self)

    async def wait(self, timeout_s: float) -> bool:
        """Wait until something may have come; False when the time passed first.

        A wake-up between two waits is not lost.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True

    def take_passing(self) -> list[EventBody]:
        """Return and forget the passing events that came."""
        taken = list(self._passing)
        self._passing.clear()
        return taken

    def wake(self, passing: EventBody | None = None) -> None:
        """Wake the stream; the oldest passing events give way when nobody takes them."""
        if passing is not None:
            self._passing.append(passing)
        self._woken.set()


class Notifier:
    """All waiting streams of this process."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._closed = False

    @property
    def closed(self) -> bool:
        """Tell whether the service is stopping: streams end then."""
        return self._closed

    def subscribe(self, employee_id: EmployeeId) -> Subscription:
        """Return a subscription, which counts while it is entered."""
        return Subscription(self, employee_id)

    def add(self, subscription: Subscription) -> None:
        """Start waking a subscription."""
        self._subscriptions.add(subscription)

    def remove(self, subscription: Subscription) -> None:
        """Stop waking a subscription."""
        self._subscriptions.discard(subscription)

    def wake(self) -> None:
        """Wake every stream: something was committed (Database.on_commit)."""
        for subscription in self._subscriptions:
            subscription.wake()

    def publish_passing(self, employee_id: EmployeeId, body: EventBody) -> None:
        """Give one employee's open streams an event that is never stored, such as typing."""
        for subscription in self._subscriptions:
            if subscription.employee_id == employee_id:
                subscription.wake(body)

    def close(self) -> None:
        """End all streams: the service stops."""
        self._closed = True
        self.wake()
