"""Owns every task the window starts: named, referenced until done, its failure reported.

It never swallows a cancellation and never shows anything itself.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from app.domain.errors import AppError, Bug

if TYPE_CHECKING:
    import asyncio

_log = logging.getLogger(__name__)


class Spawner:
    """Starts coroutines from Qt slots; `on_error` hears of each failure as an AppError.

    With `held` they wait for `release`: before the first painted frame there is no loop yet.
    """

    def __init__(self, on_error: Callable[[str, AppError], None], *, held: bool = False) -> None:
        self._on_error = on_error
        self._held: list[tuple[Coroutine[Any, Any, object], str]] | None = [] if held else None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    def spawn(self, work: Coroutine[Any, Any, object], name: str) -> asyncio.Task[None] | None:
        """Run `work` as a task called `name`; dropped unstarted once `close` began or the loop
        has ended (a last timer may still fire then)."""
        if self._held is not None and not self._closing:
            self._held.append((work, name))
            return None
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

    def release(self) -> None:
        """Start what was held, on the running loop; a second call does nothing."""
        held, self._held = self._held or (), None
        for work, name in held:
            self.spawn(work, name)

    async def close(self) -> None:
        """Take no more work, cancel what runs and wait for its end."""
        import asyncio

        self._closing = True
        for work, _ in self._held or ():
            work.close()
        self._held = None
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
    if "asyncio" not in sys.modules:
        return None
    from asyncio import get_running_loop

    try:
        return get_running_loop()
    except RuntimeError:
        return None
