"""Owns the taking of times and percentiles, and of what the machine gives while it is done.

It never leaves out a slow sample.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

MS = 1e3
US = 1e6
SEED = 20_261_121


def percentile(samples: Sequence[float], percent: float) -> float:
    """Return the smallest sample that `percent` of all do not exceed (nearest rank)."""
    ordered = sorted(samples)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, min(len(ordered), int(rank)) - 1)]


@contextmanager
def steady() -> Iterator[None]:
    """Collect garbage first, and leave what stands now out of later collections."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def each_s(works: Sequence[Callable[[], object]]) -> list[float]:
    """Return how long each call took, in seconds, one after the other."""
    took: list[float] = []
    with steady():
        for work in works:
            began = time.perf_counter()
            work()
            took.append(time.perf_counter() - began)
    return took


def sync_ms(folder: Path, rounds: int = 100) -> tuple[float, float]:
    """Return median and 99th percentile of writing 4 kB to this disk durably, in ms."""
    path = folder / "sync"
    took: list[float] = []
    sync = getattr(os, "fdatasync", os.fsync)
    with path.open("wb", buffering=0) as file:
        for _ in range(rounds):
            began = time.perf_counter()
            file.write(bytes(4096))
            sync(file.fileno())
            took.append((time.perf_counter() - began) * MS)
    path.unlink()
    return median(took), percentile(took, 99)


def core_share(for_s: float = 0.5) -> float:
    """Return which share of one core a busy thread gets here: 1.0 where nothing else runs."""
    began, began_cpu = time.perf_counter(), time.thread_time()
    while (passed := time.perf_counter() - began) < for_s:
        pass
    return (time.thread_time() - began_cpu) / passed
