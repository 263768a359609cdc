"""Measures the time from a message's offering to its receipt, at rates that do not yield.

It never waits for one message before it offers the next, and counts from when each was due.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection

from backend.archive.entries import NewEntry, append_entries
from tests.benchmarks.archive_side import (
    EntrySource,
    RunningArchive,
    loop_runner,
    now_utc_ms,
    running_archive,
)
from tests.benchmarks.lines import Group, Line, at_most
from tests.benchmarks.measuring import MS, SEED, percentile, steady

RATES_PER_S = (500, 2_000, 5_000)
OFFERED_FOR_S = 4.0
WARM_UP_S = 0.5
DRAINED_WITHIN_S = 6.0
_HOW = (
    f"arrivals at random for {OFFERED_FOR_S:g} s, each its own commit and wait as the API does,"
    " counted from when it was due; what has no receipt in time counts with its age"
)

LINES = tuple(
    Line(f"archive: message to receipt, {rate}/s offered, p{percent}", "ms", at_most(goal), _HOW)
    for rate in RATES_PER_S
    for percent, goal in ((50, 2), (99, 25))
)


def measure(folder: Path) -> Iterator[float]:
    """Yield the figures of LINES."""
    for rate in RATES_PER_S:
        with loop_runner() as runner, steady():
            took = runner.run(_at_rate(folder / str(rate), rate))
        yield percentile(took, 50)
        yield percentile(took, 99)


async def _at_rate(folder: Path, rate: int) -> list[float]:
    async with running_archive(folder) as running:
        source = EntrySource()
        await _offer(running, source, [n / 200 for n in range(int(WARM_UP_S * 200))])
        return await _offer(running, source, _arrivals_s(rate))


def _arrivals_s(rate: int) -> list[float]:
    """Return when each message is due, from the start, as many clients on their own make it."""
    source = random.Random(SEED + rate)
    at_s, arrivals = 0.0, []
    while (at_s := at_s + source.expovariate(rate)) < OFFERED_FOR_S:
        arrivals.append(at_s)
    return arrivals


async def _offer(
    running: RunningArchive, source: EntrySource, arrivals_s: list[float]
) -> list[float]:
    """Offer a message at each time; return how long each took to its receipt, in ms."""
    running.archive.desk.sealed_within_s = OFFERED_FOR_S + DRAINED_WITHIN_S
    entries = [source.next() for _ in arrivals_s]
    loop = asyncio.get_running_loop()
    began = time.perf_counter() + 0.05
    took: dict[int, float] = {}

    async def send(number: int) -> None:
        entry = entries[number]
        _, sealed = await running.archive.desk.sealed_after(
            entry.envelope.entry_id,
            lambda c: _record(c, entry),
            known=bool,
        )
        if sealed is not None:
            took[number] = (time.perf_counter() - began - arrivals_s[number]) * MS

    tasks: list[asyncio.Task[None]] = []
    for number, due_s in enumerate(arrivals_s):
        wait_s = began + due_s - time.perf_counter()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        tasks.append(loop.create_task(send(number)))
    await asyncio.wait(tasks, timeout=DRAINED_WITHIN_S)
    ended = time.perf_counter()
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome
    return [took.get(at, (ended - began - due_s) * MS) for at, due_s in enumerate(arrivals_s)]


def _record(connection: Connection, entry: NewEntry) -> bool:
    """Record one entry; returns that it was not known before."""
    append_entries(connection, [entry], now_utc_ms())
    return False


GROUP = Group(LINES, measure)
