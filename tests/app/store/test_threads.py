"""Tests of the store's threads: stale reads are dropped, writes never.

It never measures time.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from app.store.threads import JobThread


@pytest.fixture
def thread() -> Iterator[JobThread]:
    """Return a thread and end it."""
    made = JobThread("parley-test")
    yield made
    made.close()


async def _cancel_while_queued(thread: JobThread, kind: str) -> list[str]:
    ran: list[str] = []
    gate = threading.Event()
    thread.submit(lambda: gate.wait(60))
    call = thread.read if kind == "read" else thread.write
    waiting = asyncio.create_task(call(lambda: ran.append(kind)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.set()
    await thread.read(lambda: None)
    return ran


async def test_a_read_nobody_waits_for_is_never_run(thread: JobThread) -> None:
    assert await _cancel_while_queued(thread, "read") == []


async def test_a_write_runs_though_its_caller_is_gone(thread: JobThread) -> None:
    assert await _cancel_while_queued(thread, "write") == ["write"]


async def test_errors_come_back_to_the_caller(thread: JobThread) -> None:
    with pytest.raises(ZeroDivisionError):
        await thread.write(lambda: 1 // 0)
