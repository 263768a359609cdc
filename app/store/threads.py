"""Runs the store's work on named threads, one job at a time each.

It never drops a write whose caller was cancelled and never runs a read nobody waits for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class JobThread:
    """One thread with a queue."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def read(self, job: Callable[[], T]) -> T:
        """Run a job and return its result; when cancelled before its turn it never runs."""
        return await asyncio.wrap_future(self._executor.submit(job))

    async def write(self, job: Callable[[], T]) -> T:
        """Run a job and return its result; it runs to its end even when the caller is gone."""
        return await asyncio.shield(asyncio.wrap_future(self._executor.submit(job)))

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Queue a job from any thread."""
        return self._executor.submit(job)

    def close(self) -> None:
        """End the thread after the jobs already queued."""
        self._executor.shutdown(wait=True)
