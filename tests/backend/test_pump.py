"""The inbound pump asks vendors no oftener than it must, and anew where an account changed.

It never starts a backend.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from backend.channels import events
from backend.channels.contract import Account, Inbound, Polled, RawItem
from backend.delivery import pump as pump_module
from backend.delivery.accounts import governed_accounts
from backend.delivery.files import DeliveryFiles
from backend.delivery.pump import InboundPump
from backend.delivery.recorder import InboundRecorder
from backend.storage.tables import channel_accounts
from contract.ids import AccountId
from tests.backend.workspace import Workspace, open_workspace


class Holding:
    """A vendor that holds each request until there is something; it counts those it holds."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.held: set[str] = set()

    def verify(self, account: Account, item: RawItem) -> bool:
        return True

    def parse(self, account: Account, raw: bytes) -> tuple[events.InboundEvent, ...]:
        return ()

    async def poll(self, account: Account, cursor: str) -> Polled:
        self.asked.append(account.account_id)
        self.held.add(account.account_id)
        try:
            await asyncio.Event().wait()
        finally:
            self.held.discard(account.account_id)
        return Polled(items=(), cursor=cursor)

    async def fetch_media(self, account: Account, ref: str) -> bytes:
        return b""


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


async def test_an_empty_answer_at_once_is_not_asked_for_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump_module, "_SHORTEST_WAIT_S", 3_600.0)
    vendor = Impatient()
    async with _pumping(tmp_path, vendor) as (_, workspace):
        await _until(lambda: len(set(vendor.asked)) == 2)
        for _ in range(100):  # a loop that does not wait asks again after each two of these
            await workspace.services.database.read(governed_accounts)
        assert sorted(vendor.asked) == ["acc-signal", "acc-wa"]


async def test_an_empty_answer_is_asked_for_again_after_a_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump_module, "_SHORTEST_WAIT_S", 0.01)
    vendor = Impatient()
    async with _pumping(tmp_path, vendor):
        await _until(lambda: min(map(vendor.asked.count, ("acc-signal", "acc-wa"))) > 1)


async def test_a_changed_account_is_asked_anew_and_the_others_are_left_alone(
    tmp_path: Path,
) -> None:
    vendor = Holding()
    async with _pumping(tmp_path, vendor) as (pump, workspace):
        await _until(lambda: vendor.held == {"acc-wa", "acc-signal"})
        pump.accounts_changed(frozenset({AccountId("acc-wa")}))
        await _until(lambda: vendor.asked.count("acc-wa") == 2 and "acc-wa" in vendor.held)
        assert vendor.asked.count("acc-signal") == 1
        await workspace.services.database.write(_take_out_of_use)
        pump.accounts_changed(frozenset({AccountId("acc-signal")}))
        await _until(lambda: vendor.held == {"acc-wa"})
        assert vendor.asked.count("acc-signal") == 1


def _take_out_of_use(connection: Connection) -> None:
    columns = channel_accounts.c
    connection.execute(
        update(channel_accounts).where(columns.account_id == "acc-signal").values(connector="")
    )


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def _pumping(folder: Path, vendor: Inbound) -> AsyncIterator[tuple[InboundPump, Workspace]]:
    """Run a pump on a workspace whose two governed accounts are a vendor's."""
    async with open_workspace(folder) as workspace:
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
        pump = InboundPump(database, connectors, recorder, now=workspace.clock)
        running = asyncio.create_task(pump.run())
        try:
            yield pump, workspace
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
