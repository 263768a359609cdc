"""Owns every task the window starts: named, referenced until done, its failure reported.

It never swallows a cancellation and never shows anything itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from app.domain.errors import AppError, Bug

_log = logging.getLogger(__name__)


class Spawner:
    """Starts coroutines from Qt slots; `on_error` hears of each failure as an AppError."""

    def __init__(self, on_error: Callable[[str, AppError], None]) -> None:
        self._on_error = on_error
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    def spawn(self, work: Coroutine[Any, Any, object], name: str) -> asyncio.Task[None] | None:
        """Run `work` as a task called `name`; dropped unstarted once `close` began or the loop
        has ended (a last timer may still fire then)."""
        loop = _running_loop()
        if self._closing or loop is None:
            work.close()
            return None
        task = loop.create_task(self._guarded(work, name), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # Cancelled before its first step, a task would leave `work` behind unstarted.
        task.add_done_callback(lambda _: work.close())
        return task

    async def close(self) -> None:
        """Take no more work, cancel what runs and wait for its end."""
        self._closing = True
        own = asyncio.current_task()
        waiting = [task for task in self._tasks if task is not own]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def _guarded(self, work: Coroutine[Any, Any, object], name: str) -> None:
        try:
            await work
        except AppError as fault:
            _log.warning("%s ended with %s", name, fault.code)
            self._on_error(name, fault)
        except Exception as fault:  # noqa: BLE001 - the spawner is where unforeseen errors end
            _log.exception("%s failed", name)
            bug = Bug(type(fault).__name__)
            bug.__cause__ = fault
            self._on_error(name, bug)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
