"""The sandbox as one part of a running backend: store, queue, vendor and connector together.

It never starts beside a connector to a real vendor.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from backend.channels.contract import Account, Connector
from backend.channels.sandbox.inbound import SandboxInbound
from backend.channels.sandbox.outbound import SandboxOutbound
from backend.channels.sandbox.peer import SandboxPeer
from backend.channels.sandbox.phone import Client
from backend.channels.sandbox.queue import SandboxQueue
from backend.channels.sandbox.store import SandboxStore
from contract.ids import AccountId

_SIGNING_LABEL = b"parley.sandbox.signing.v1"


class Sandbox:
    """The sandbox vendor with its clients; `connector` is what the delivery room uses."""

    def __init__(
        self,
        data_dir: Path,
        database_key: bytes,
        accounts: Iterable[Account],
        *,
        pace: float,
        answers: bool,
        now: Callable[[], int],
    ) -> None:
        """`pace` multiplies the clients' delays (0: at once); `answers` lets them write back."""
        self.accounts = {account.account_id: account for account in accounts}
        self._store = SandboxStore(data_dir, database_key)
        self._queue = SandboxQueue(self._store, pace=pace, now=now)
        self.peer = SandboxPeer(self._store, self._queue, answers=answers, now=now)
        signing_key = hmac.digest(database_key, _SIGNING_LABEL, "sha256")
        self.connector = Connector(
            outbound=SandboxOutbound(self.peer, self.account, now),
            inbound=SandboxInbound(self.peer, self._queue, signing_key),
        )
        self._clients: asyncio.Task[None] | None = None

    def account(self, account_id: AccountId) -> Account:
        """Return an account of the sandbox; raises KeyError for another."""
        return self.accounts[account_id]

    async def start(self, clients: Iterable[Client]) -> None:
        """Open the store, make the clients known and let their phones run."""
        known = tuple(clients)
        await self._store.open()
        await self._store.write(lambda c: _know(c, known))
        self._clients = asyncio.create_task(self._queue.run(), name="sandbox-clients")

    async def stop(self) -> None:
        """Stop the phones and close the store; what was planned stays planned."""
        if self._clients is not None:
            self._clients.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._clients
        await self._store.close()


def _know(connection: Any, clients: Iterable[Client]) -> None:
    connection.executemany(
        "INSERT INTO clients(account_id, address, id_type, name, language, answers)"
        " VALUES (?,?,?,?,?,?) ON CONFLICT(account_id, address) DO NOTHING",
        [(c.account_id, c.address, c.id_type, c.name, c.language, int(c.answers)) for c in clients],
    )
