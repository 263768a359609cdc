"""Measures how long the embedded backend takes from its start to its first healthy answer.

It never leaves a backend running.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from app.backend_process import EmbeddedPlan
from app.embedded import EmbeddedBackend, ask_health
from backend_client.endpoint import BackendEndpoint
from tests.benchmarks.lines import Group, Line, at_most

STARTS = 5
READY_WITHIN_S = 60.0
LINES = (
    Line(
        "embedded backend: ready",
        "s",
        at_most(0.9),
        f"as the app starts it, over a workspace that exists, until it is healthy; median of"
        f" {STARTS}",
    ),
)


def measure(folder: Path) -> Iterator[float]:
    """Yield the figures of LINES."""
    plan = EmbeddedPlan(folder / "data", folder / "logs", bytes(range(32)))
    asyncio.run(_start(plan))  # makes the workspace
    yield median(asyncio.run(_start(plan)) for _ in range(STARTS))


async def _start(plan: EmbeddedPlan) -> float:
    """Return the seconds one start took; the backend has ended when this returns."""
    ready: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def moved(endpoint: BackendEndpoint) -> None:
        ready.set_result(time.perf_counter())

    async def healthy(endpoint: BackendEndpoint) -> bool:
        return await ask_health(endpoint, client_version="0.1.0")

    backend = EmbeddedBackend(plan, healthy=healthy, moved=moved, changed=lambda _: None)
    began = time.perf_counter()
    task = asyncio.create_task(backend.run())
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            return await ready - began
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


GROUP = Group(LINES, measure)
