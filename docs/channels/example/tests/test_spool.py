"""The spool against a gateway's side of the folder: Parley's own conformance suite.

It never starts a backend.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from backend.channels import faults
from backend.channels.conformance import ConnectorConformance
from backend.channels.contract import Account, Polled
from backend.channels.modules import ChannelContext, load_module
from backend.channels.vendor_http import VendorHttp
from contract.ids import AccountId
from contract.wire import Channel, IdempotencyClass

ACCOUNT = Account(
    account_id=AccountId("spool-1"),
    channel=Channel.SMS,
    connector="spool",
    idempotency=IdempotencyClass.SERVER_KEY,
)
SECRET = "shared with the gateway"  # noqa: S105 -- no real one


class Gateway:
    """The other side of the folder, as the suite's Vendor wants it."""

    def __init__(self, folder: Path, http: VendorHttp) -> None:
        for name in ("outgoing", "incoming", "done"):
            (folder / name).mkdir()
        self.folder, self.account, self.now_utc_ms = folder, ACCOUNT, 1
        settings = {"folder": str(folder), "secret": SECRET}
        context = ChannelContext(lambda _: settings, http, lambda: self.now_utc_ms)
        self.connector = load_module("spool").connect(context)

    async def received_texts(self) -> list[str]:
        """Take what lies there, and return all that was ever taken."""
        for path in (self.folder / "outgoing").glob("*.json"):
            path.rename(self.folder / "done" / path.name)
        taken = sorted((self.folder / "done").iterdir())
        return [msgspec.json.decode(path.read_bytes())["text"] for path in taken]

    async def client_writes(self, text: str) -> str:
        """Lay a signed file down, whole before it has its name."""
        number = f"{time.time_ns():020d}"
        body = msgspec.json.encode({"id": number, "from": "+10000000001", "text": text})
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest().encode()
        unnamed = self.folder / "incoming" / ".unnamed"
        unnamed.write_bytes(signature + b"\n" + body)
        unnamed.rename(unnamed.with_name(f"{number}.json"))
        return number

    async def incoming(self, cursor: str) -> Polled:
        """Poll; a client who wrote nothing yet says yes."""
        if not any((self.folder / "incoming").glob("*.json")):
            await self.client_writes("yes")
        return await self.connector.inbound.poll(self.account, cursor)

    async def next_send(self, fault: type[faults.ChannelFault], *, lost: bool = False) -> bool:
        """Show the faults a folder has: it can be gone."""
        if fault is faults.AccountFault:
            (self.folder / "outgoing").rmdir()
        return fault is faults.AccountFault


@pytest.fixture
async def vendor(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Return the connector with a gateway on the other side."""
    async with VendorHttp() as http:
        yield Gateway(tmp_path, http)


class TestSpool(ConnectorConformance):
    """The suite that every connector passes."""


async def test_the_check_says_which_folder_is_missing(vendor: Gateway) -> None:
    (vendor.folder / "incoming").rmdir()
    settings = {"folder": str(vendor.folder), "secret": SECRET}
    async with VendorHttp() as http:
        context = ChannelContext(lambda _: settings, http, lambda: 1)
        lines = await load_module("spool").check(context, ACCOUNT)
    assert [line.ok for line in lines] == [True, False]
