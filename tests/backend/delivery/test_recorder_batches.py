"""Deliveries that tell of several things at once: what must wait holds up nothing else.

It never reaches a real channel.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from backend.channels.contract import Account, Inbound, Polled, RawItem
from backend.channels.events import InboundEvent, MessageIn, Receipt, Sender
from backend.delivery.accounts import governed_accounts
from backend.delivery.pump import store_raw
from backend.delivery.recorder import InboundRecorder
from backend.inbox.events import open_database
from backend.storage.database import Database
from backend.storage.tables import archive_entries, inbound_raw, messages
from contract.states import DeliveryState
from tests.backend.workspace import seed

SOFIA = Sender(id_type="uuid", address="7b0f6c1e-0000-4000-8000-00000000a001")
NOW_MS = 1_795_000_000_000


class Batches:
    """A vendor that tells of several things in one delivery: one JSON list a delivery."""

    def verify(self, account: Account, item: RawItem) -> bool:
        return True

    def parse(self, account: Account, raw: bytes) -> tuple[InboundEvent, ...]:
        return tuple(_event(one) for one in json.loads(raw))

    async def poll(self, account: Account, cursor: str) -> Polled:
        await asyncio.sleep(3600)
        return Polled(items=(), cursor=cursor)

    async def fetch_media(self, account: Account, ref: str) -> bytes:
        return b""


def _event(told: Mapping[str, str]) -> InboundEvent:
    if "read" in told:
        return Receipt(
            dedupe_key=told["read"],
            at_utc_ms=NOW_MS,
            sender=SOFIA,
            state=DeliveryState.READ,
            external_id=told["read"],
        )
    return MessageIn(
        dedupe_key=told["id"],
        at_utc_ms=NOW_MS,
        sender=SOFIA,
        external_id=told["id"],
        text=told["text"],
    )


class Desk:
    """A recorder over a filled database, with a clock of its own."""

    def __init__(self, database: Database) -> None:
        self.database, self.now_utc_ms = database, NOW_MS
        connector: Inbound = Batches()
        self.recorder = InboundRecorder(
            database,
            {"sandbox": connector},
            self._put,
            lambda employee_id, notice: None,
            lambda text, channel: None,
            now=lambda: self.now_utc_ms,
        )

    async def _put(self, attachment_id: str, body: bytes) -> None:
        raise AssertionError("no file was told of")

    async def comes(self, key: str, *told: Mapping[str, str]) -> None:
        body = json.dumps(told).encode()

        def work(connection: Connection) -> None:
            accounts = governed_accounts(connection)
            (account,) = [each for each in accounts if each.account_id == "acc-signal"]
            store_raw(
                connection, account, [RawItem(dedupe_key=key, body=body)], None, self.now_utc_ms
            )

        await self.database.write(work)

    async def look(self, key: str) -> tuple[bool, list[int]]:
        query = select(inbound_raw.c.parsed, inbound_raw.c.applied)
        query = query.where(inbound_raw.c.dedupe_key == key)
        row: Any = await self.database.read(lambda c: c.execute(query).one())
        return bool(row.parsed), json.loads(row.applied)

    async def texts(self) -> list[str]:
        query = select(messages.c.text).where(messages.c.external_id.like("$%"))
        return sorted(await self.database.read(lambda c: list(c.execute(query).scalars())))

    async def entries(self) -> int:
        query = select(func.count()).select_from(archive_entries)
        return await self.database.read(lambda c: int(c.execute(query).scalar_one()))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return a desk over a small firm's workspace."""
    database = open_database(tmp_path / "backend.db", bytes(32))
    database.write_now(seed)
    return Desk(database)


async def test_a_receipt_that_waits_holds_up_no_message(desk: Desk) -> None:
    before = await desk.entries()
    await desk.comes("t1", {"id": "$1", "text": "one"}, {"read": "$x"}, {"id": "$2", "text": "two"})
    assert await desk.recorder._drain()
    assert await desk.texts() == ["one", "two"]
    assert await desk.look("t1") == (False, [0, 2])
    assert await desk.recorder._drain()
    assert await desk.entries() == before + 2, "what was recorded is not recorded again"
    desk.now_utc_ms += 11 * 60_000
    assert not await desk.recorder._drain()
    assert await desk.look("t1") == (True, [0, 1, 2])
    assert await desk.entries() == before + 3, "what nobody knew is archived by itself"
    await desk.database.close()


async def test_what_was_recorded_is_known_after_a_restart(desk: Desk) -> None:
    await desk.comes("t1", {"read": "$later"}, {"id": "$1", "text": "one"})
    assert await desk.recorder._drain()
    again = Desk(desk.database)
    await again.comes("t2", {"id": "$later", "text": "known now"})
    entries = await again.entries()
    await again.recorder._drain()
    await again.recorder._drain()
    assert await again.look("t2") == (True, [0])
    assert await again.look("t1") == (True, [0, 1])
    assert await again.entries() == entries + 2  # the message, and the receipt of it
    await desk.database.close()
