"""Owns the waiting of requests for the seal of what they submitted.

It never reads the database, and it lives on one event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator

from backend.archive.sealing import SealedEntry


class SealBoard:
    """Requests of this process that wait, by entry id; the sequencer posts what was sealed."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Future[SealedEntry | None]]] = {}

    @contextlib.contextmanager
    def expect(self, entry_id: str) -> Iterator[asyncio.Future[SealedEntry | None]]:
        """Yield a future of the entry's seal; enter it before the commit that submits."""
        future: asyncio.Future[SealedEntry | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(entry_id, set()).add(future)
        try:
            yield future
        finally:
            waiting = self._waiting[entry_id]
            waiting.discard(future)
            if not waiting:
                del self._waiting[entry_id]
            future.cancel()

    def post(self, sealed: Iterable[SealedEntry]) -> None:
        """Wake who waits for these entries."""
        for entry in sealed:
            for future in self._waiting.get(entry.entry_id, ()):
                if not future.done():
                    future.set_result(entry)

    def close(self) -> None:
        """End all waiting without a seal: the service stops."""
        for futures in self._waiting.values():
            for future in futures:
                if not future.done():
                    future.set_result(None)


async def seal_within(
    future: asyncio.Future[SealedEntry | None], timeout_s: float
) -> SealedEntry | None:
    """Return the seal once it is posted; None when the time passed first."""
    try:
        async with asyncio.timeout(timeout_s):
            return await future
    except TimeoutError:
        return None
