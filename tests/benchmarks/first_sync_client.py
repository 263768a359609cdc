"""A process with the real window that syncs, and tells how long its loop was not free meanwhile.

It never starts a backend: it is given one, and a data folder that is new or was synced before.

Usage: python -m tests.benchmarks.first_sync_client, with the orders as JSON on standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QApplication

from app.domain.clock import SystemClock
from app.domain.status import Link
from backend_client.endpoint import BackendEndpoint
from tests.app.core_world import new_core
from tests.benchmarks.frames import Heartbeat
from tests.benchmarks.measuring import percentile
from tests.support.qt_loop import run_in_qt_loop
from ui.bridge.garbage import collected_here
from ui.look import Look
from ui.window_state import WindowState
from ui.workspace import Workspace

_WITHIN_S = 900.0
_LOOK_S = 0.02


async def sync(
    application: QApplication, root: Path, endpoint: BackendEndpoint, upto_seq: int
) -> dict[str, Any]:
    """Sync until everything is here and the stream stands at `upto_seq`; return the figures."""
    core = new_core(root, endpoint=endpoint)
    await core.open()
    state = WindowState(root / "config")
    workspace = Workspace(core, SystemClock(), Look(application, "light"), state, "0.1.0")
    try:
        workspace.start()
        workspace.window.resize(1440, 900)
        await asyncio.sleep(1.0)  # the start itself is not what is measured here
        cpu_s, began_s = time.process_time(), time.perf_counter()
        async with Heartbeat(0.004) as heart, asyncio.timeout(_WITHIN_S):
            await core.connect()
            usable_s = await _usable(workspace, began_s)
            await _synced(workspace, upto_seq)
            took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
        check = await core.store.check()
        return {
            "usable_s": usable_s,
            "took_s": took_s,
            "cpu_s": cpu_s,
            "blocks_ms": [percentile(heart.blocks_ms, each) for each in (50, 99, 100)],
            "messages": check.message_count,
            "sound": check.ok,
            "size_bytes": check.cache_size_bytes,
        }
    finally:
        await workspace.close()
        await core.close()


async def _usable(workspace: Workspace, began_s: float) -> float:
    """Wait for the inbox's rows, open the first, wait for its messages; return the seconds."""
    inbox, timeline = workspace.inbox.model, workspace.timeline.model
    while not inbox.rowCount():
        await asyncio.sleep(_LOOK_S)
    workspace.open_conversation(inbox.rows()[0].conversation.conversation_id)
    while not timeline.rowCount():
        await asyncio.sleep(_LOOK_S)
    return time.perf_counter() - began_s


async def _synced(workspace: Workspace, upto_seq: int) -> None:
    core = workspace.core
    while core.status.link is not Link.ONLINE or core.status.syncing:
        await asyncio.sleep(_LOOK_S)
    while (await core.store.cache.cursor() or 0) < upto_seq:
        await asyncio.sleep(_LOOK_S)


def main() -> None:
    """Take the orders, sync, print the figures as one line of JSON."""
    orders = json.loads(sys.stdin.readline())
    application = QApplication([])
    endpoint = BackendEndpoint(url=orders["url"], token=orders["token"])
    work = sync(application, Path(orders["root"]), endpoint, orders["upto_seq"])
    with collected_here(application):  # as the product's own loop runs
        figures = run_in_qt_loop(application, work, timeout_s=_WITHIN_S)
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
