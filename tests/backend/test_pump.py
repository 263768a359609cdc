"""The inbound pump asks a vendor that does not hold the request no oftener than it must.

It never starts a backend.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from backend.channels import events
from backend.channels.contract import Account, Polled, RawItem
from backend.delivery.files import DeliveryFiles
from backend.delivery.pump import InboundPump
from backend.delivery.recorder import InboundRecorder
from tests.backend.workspace import open_workspace


class Impatient:
    """A vendor that says at once that nothing came."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def verify(self, account: Account, item: RawItem) -> bool:
        return True

    def parse(self, account: Account, raw: bytes) -> tuple[events.InboundEvent, ...]:
        return ()

    async def poll(self, account: Account, cursor: str) -> Polled:
        self.asked.append(account.account_id)
        return Polled(items=(), cursor=cursor)

    async def fetch_media(self, account: Account, ref: str) -> bytes:
        return b""


async def test_an_empty_answer_at_once_is_not_asked_for_again_at_once(tmp_path: Path) -> None:
    vendor = Impatient()
    async with open_workspace(tmp_path) as workspace:
        database = workspace.services.database
        connectors = {"sandbox": vendor}
        recorder = InboundRecorder(
            database,
            connectors,
            DeliveryFiles(database, workspace.services.blobs).put,
            workspace.services.notifier.publish_passing,
            lambda text, channel: None,
            now=workspace.clock,
        )
        running = asyncio.create_task(
            InboundPump(database, connectors, recorder, now=workspace.clock).run()
        )
        try:
            async with asyncio.timeout(20):
                while len(set(vendor.asked)) < 2:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.3)  # many rounds of a loop that does not wait
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
    assert len(vendor.asked) <= 4  # two accounts, once each, and once more where the start was slow
