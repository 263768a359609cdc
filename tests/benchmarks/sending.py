"""Measures how long the app's own commit of a send takes before it may say that it is kept.

It never sends anything.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

from app.domain.drafts import Draft
from contract.ids import ConversationId
from tests.app.store.values import entry, open_at
from tests.benchmarks.lines import Group, Line, at_most
from tests.benchmarks.measuring import MS, percentile, steady

SENDS = 400
_HOW = (
    f"the outbox row in and the draft out in one durable commit of the encrypted outbox file;"
    f" {SENDS} sends in 40 conversations"
)
LINES = (
    Line("send: durable local commit, p50", "ms", at_most(1), _HOW),
    Line("send: durable local commit, p99", "ms", at_most(5), _HOW),
)


def measure(folder: Path) -> Iterator[float]:
    """Yield the figures of LINES."""
    with steady():
        took = asyncio.run(_send(folder))
    yield percentile(took, 50)
    yield percentile(took, 99)


async def _send(folder: Path) -> list[float]:
    store = await open_at(folder)
    took: list[float] = []
    try:
        for number in range(SENDS):
            home = ConversationId(f"home-{number % 40}")
            text = f"The report of the {number}th is attached; please tell me what you think of it."
            await store.drafts.save(Draft(home, text))
            began = time.perf_counter()
            await store.outbox.clear_draft_and_add(entry(f"m-{number}", text, home=home))
            took.append((time.perf_counter() - began) * MS)
    finally:
        await store.close()
    return took


GROUP = Group(LINES, measure)
