"""A read of the store that began with its asking: awaited later, or cancelled before its turn.

It never runs a job twice, but after the damage it met was mended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Generic, TypeVar

from app.domain.errors import CorruptStore
from app.store.threads import JobThread

T = TypeVar("T")


class BegunRead(Generic[T]):
    """A read under way; await it once, or `cancel` it: before its turn it then never runs."""

    def __init__(
        self,
        thread: JobThread,
        job: Callable[[], T],
        mend: Callable[[CorruptStore], Awaitable[None]],
    ) -> None:
        self._thread = thread
        self._job = job
        self._mend = mend
        self._submitted = thread.submit(job)

    def cancel(self) -> None:
        """Want the result no more."""
        self._submitted.cancel()

    def __await__(self) -> Generator[Any, None, T]:
        return self._result().__await__()

    async def _result(self) -> T:
        try:
            return await asyncio.wrap_future(self._submitted)
        except CorruptStore as fault:
            await self._mend(fault)
        return await self._thread.read(self._job)
