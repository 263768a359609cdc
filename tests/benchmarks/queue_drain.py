"""Measures how fast a long outbox empties into an embedded backend, and what each message costs.

It delivers nothing: the channel accounts are paused, so that the archive alone is waited for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

from app.core import Core
from app.domain.inbox import InboxQuery
from contract.ids import ConversationId
from tests.benchmarks.lines import Group, Line, at_least, at_most
from tests.benchmarks.measuring import MS, steady
from tests.support.client_driver import Orders, make_core
from tests.support.sandbox_face import SandboxFace
from tests.support.served_backend import SECRET, ServedBackend

QUEUED = 5_000
CONVERSATIONS = 50
DRAINED = 1_000
_LOOK_S = 0.05
_HOW = (
    f"{QUEUED} messages waiting in {CONVERSATIONS} conversations; the first {DRAINED} submitted to"
    " a backend process on this machine, archived, each receipt verified"
)
LINES = (
    Line("outbox: drained with 5,000 waiting", "messages/s", at_least(40), _HOW),
    Line("outbox: the app's CPU for a message drained", "ms", at_most(12), _HOW),
)


def measure(folder: Path) -> Iterator[float]:
    """Yield the figures of LINES."""
    with ServedBackend(folder / "backend") as backend, steady():
        url = f"http://127.0.0.1:{backend.port}"
        _pause_deliveries(SandboxFace(url, SECRET))
        orders = Orders(root=str(folder / "app"), url=url, token=SECRET)
        homes = asyncio.run(_synced(make_core(orders)))
        took_s, cpu_s = asyncio.run(_drain(make_core(orders), homes))
    yield DRAINED / took_s
    yield cpu_s / DRAINED * MS


def _pause_deliveries(face: SandboxFace) -> None:
    titles = [f"Queue Client {number:02}" for number in range(CONVERSATIONS)]
    for number, title in enumerate(titles):
        face.stranger_says("acc-line", f"queue-{number}", title, "Hello", id_type="user_id")
    face.claim_strangers(titles)
    face.ask_fault(kind="account_fault", count=1, account_id="acc-line")


async def _synced(core: Core) -> list[ConversationId]:
    """Read the backend's conversations by a first sync, then go offline."""
    await core.open()
    try:
        await core.connect()
        while True:
            page = await core.store.inbox.page(InboxQuery(), 500, None)
            homes = [
                row.conversation.conversation_id
                for row in page.rows
                if row.conversation.title.startswith("Queue Client")
            ]
            if len(homes) == CONVERSATIONS and not core.status.syncing:
                return homes
            await asyncio.sleep(_LOOK_S)
    finally:
        await core.close()


async def _drain(core: Core, homes: list[ConversationId]) -> tuple[float, float]:
    """Queue, send the first ones; return the seconds it took and those of this process's CPU."""
    await core.open()
    try:
        for number in range(QUEUED):
            text = f"Message {number} of a long flight"
            await core.messaging.send(homes[number % len(homes)], text, hint=b"")
        await core.connect()
        await _until_waiting(core, QUEUED - DRAINED // 10)  # the line is up, every lane at work
        began_s, cpu_s = time.perf_counter(), time.process_time()
        first = (await core.store.outbox.counts())[0]
        await _until_waiting(core, first - DRAINED)
        return time.perf_counter() - began_s, time.process_time() - cpu_s
    finally:
        await core.close()


async def _until_waiting(core: Core, most: int) -> None:
    while (await core.store.outbox.counts())[0] > most:
        await asyncio.sleep(_LOOK_S)


GROUP = Group(LINES, measure)
