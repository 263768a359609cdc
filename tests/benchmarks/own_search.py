"""Times our own search over a data folder, by whole terms.

It never counts the first round, which opens what later ones find open.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks import dataset
from tests.benchmarks.measuring import MS


def search_ms(root: Path, terms: Sequence[str]) -> list[float]:
    """Return what each term took over a copy of the data set, in ms: ask, read, highlight."""
    return asyncio.run(_search(root, terms))


async def _search(root: Path, terms: Sequence[str]) -> list[float]:
    store = await dataset.open_store(root)
    took: list[float] = []
    try:
        for _ in range(2):
            took.clear()
            for term in terms:
                began = time.perf_counter()
                await store.search.search(term)
                took.append((time.perf_counter() - began) * MS)
    finally:
        await store.close()
    return took
