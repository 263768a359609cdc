"""Measures the first sync of a million messages and a back-log of a hundred thousand events.

It never leaves a part out: a real backend process serves, and the process that syncs shows the
real window.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks import backend_dataset
from tests.benchmarks.backend_backlog import add_backlog
from tests.benchmarks.lines import Group, Line, at_least, at_most
from tests.support.served_backend import SECRET, ServedBackend
from tests.support.surroundings import ROOT

MESSAGES = int(os.environ.get("PARLEY_BENCH_SYNC_MESSAGES", backend_dataset.MESSAGES))
CONVERSATIONS = max(100, MESSAGES // 100)
EVENTS = 100_000
_WITHIN_S = 1_200.0
_DATA = f"{MESSAGES:,} messages in {CONVERSATIONS:,} conversations"
_LOOP = "of a 4-ms heartbeat on the window's loop, from connecting to the end"
LINES = (
    Line(
        "first sync: rate",
        "messages/s",
        at_least(12_000),
        f"{_DATA} from a real backend process into the encrypted, indexed store, beside the open"
        " window; from connecting to the last page committed",
        "15 000 (JSON, rows and index alone, on an empty database)",
    ),
    Line("first sync: blocks of the window's loop, p99", "ms", at_most(16), f"Delays {_LOOP}"),
    Line("first sync: longest block of the window's loop", "ms", at_most(50), f"Delays {_LOOP}"),
    Line(
        "first sync: usable inbox",
        "s",
        at_most(3),
        "from connecting to rows in the inbox and messages in the opened conversation",
    ),
    Line(
        "back-log: applied in",
        "s",
        at_most(12),
        f"{EVENTS:,} events behind a start with {_DATA}; from connecting to the last one committed",
    ),
    Line(
        "back-log: usable",
        "s",
        at_most(3),
        "from connecting to messages in the conversation opened from the inbox's first row",
    ),
    Line("back-log: blocks of the window's loop, p99", "ms", at_most(16), f"Delays {_LOOP}"),
    Line("back-log: longest block of the window's loop", "ms", at_most(50), f"Delays {_LOOP}"),
)


def measure(folder: Path) -> Iterator[float]:
    """Yield the figures of LINES."""
    data_dir, client = folder / "backend", folder / "client"
    _copy(backend_dataset.ready(MESSAGES, CONVERSATIONS), data_dir)
    with ServedBackend(data_dir) as served:
        first = run_client(client, served, 0)
        served.stop()
    yield first["messages"] / first["took_s"]
    yield from (first["blocks_ms"][1], first["blocks_ms"][2], first["usable_s"])
    newest = add_backlog(data_dir, EVENTS)
    with ServedBackend(data_dir) as served:
        backlog = run_client(client, served, newest)
        served.stop()
    yield from (backlog["took_s"], backlog["usable_s"])
    yield from (backlog["blocks_ms"][1], backlog["blocks_ms"][2])


def run_client(root: Path, served: ServedBackend, upto_seq: int) -> dict[str, Any]:
    """Run a client over a folder until it stands at a position; return its figures."""
    orders = {
        "root": str(root),
        "url": f"http://127.0.0.1:{served.port}",
        "token": SECRET,
        "upto_seq": upto_seq,
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.first_sync_client"],
        input=json.dumps(orders).encode() + b"\n",
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"},
        timeout=_WITHIN_S,
        check=True,
    )
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert figures["sound"], "the store is not sound after the sync"
    return figures


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target)


GROUP = Group(LINES, measure)
