"""Owns the core's running tasks: named, referenced, reported when they fail, ended together.

It never lets a fault vanish and never keeps a task beyond `close`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from app.domain.errors import AppError
from backend_client.backoff import Backoff

_LOG = logging.getLogger(__name__)


class TaskOwner:
    """Runs coroutines until they end or the owner closes."""

    def __init__(self, report: Callable[[str, Exception], None]) -> None:
        self._report = report
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def spawn(self, name: str, make: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `make()` once; a fault is reported."""
        self._start(name, self._once(name, make))

    def keep_running(self, name: str, make: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `make()` and, should it end by a fault, run it again after a growing pause."""
        self._start(name, self._for_ever(name, make))

    async def close(self) -> None:
        """Cancel everything and return once it has ended; nothing starts any more."""
        self._closed = True
        current = asyncio.current_task()
        while tasks := {task for task in self._tasks if task is not current}:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        if self._closed:
            work.close()
            return
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _once(self, name: str, make: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await make()
        except Exception as fault:  # noqa: BLE001 - the top of a task: reported, never lost
            self._note(name, fault)

    async def _for_ever(self, name: str, make: Callable[[], Coroutine[Any, Any, None]]) -> None:
        patience = Backoff(0.5, 60.0)
        while True:
            try:
                await make()
                return
            except Exception as fault:  # noqa: BLE001 - the top of a loop: reported, run again
                self._note(name, fault)
            await asyncio.sleep(patience.next_s())

    def _note(self, name: str, fault: Exception) -> None:
        # The class and the place alone: a message may quote what was being handled.
        kind = fault.code if isinstance(fault, AppError) else type(fault).__name__
        trace = fault.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else "?"
        _LOG.error("task %s: %s at %s", name, kind, place)
        self._report(name, fault)
