"""Gives tests of sync a real backend with four chats, and a store that was synced with it.

It never stands in for a part of either.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.store.store import Store
from app.sync.reference import ReferenceKeeper
from app.sync.runner import SyncRunner
from backend.directory.points import PointAddress
from backend.inbox.events import trim_events
from backend_client.client import GovernedApi
from backend_client.endpoint import BackendEndpoint
from backend_client.transport import Transport
from contract.ids import ConversationId, MessageId
from contract.wire import Channel
from tests.app.conftest import open_store
from tests.app.small_backend import until
from tests.app.sync.test_runner import QUICK, Listener
from tests.backend.workspace import ELENA, TOKENS, Workspace, open_workspace, served

CLIENTS = 4


class Scene:
    """A backend with four chats, and a store that was synced and then cut off."""

    def __init__(self, workspace: Workspace, api: GovernedApi, store: Store) -> None:
        self.workspace = workspace
        self.api = api
        self.store = store
        self.asked: list[str] = []

    async def write(self, number: int, text: str) -> tuple[ConversationId, MessageId]:
        """Have a client write; return chat and message."""
        point = PointAddress(Channel.WHATSAPP, "phone", f"+1555000{number}")
        message = await self.workspace.inbound(text, point=point)
        return await self.workspace.conversation_of(message), message

    async def forget_events(self) -> None:
        """Let the backend keep no event: whoever is behind meets a gap."""
        await self.workspace.services.database.write(lambda c: trim_events(c, ELENA, 0))

    async def texts(self, home: ConversationId) -> list[str]:
        """Return a chat's messages as the client has them."""
        window = await self.store.timeline.around(home, None, 400)
        return [row.message.text for row in window.rows]

    @asynccontextmanager
    async def syncing(self) -> AsyncIterator[Listener]:
        """Run the client's sync for the length of a block."""
        listener = Listener()
        reference = ReferenceKeeper(self.api, self.store, "0.1.0", listener.references.append)
        await reference.load()
        runner = SyncRunner(self.api, self.store, reference, listener, timing=QUICK)
        task = asyncio.create_task(runner.run())
        try:
            yield listener
        finally:
            task.cancel()
            await asyncio.wait({task})


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """Yield the scene, synced."""
    async with open_workspace(tmp_path / "backend") as workspace, served(workspace) as url:
        transport = Transport(BackendEndpoint(url=url, token=TOKENS[ELENA]))
        store = await open_store(tmp_path)
        made = Scene(workspace, GovernedApi(transport), store)
        try:
            for number in range(CLIENTS):
                await made.write(number, f"hello {number}")
            async with made.syncing() as listener:
                await until(lambda: listener.done)
            exchange = transport.request

            async def counted(method: str, path: str, **more: object) -> object:
                made.asked.append(path)
                return await exchange(method, path, **more)  # type: ignore[arg-type]  # passed on

            transport.request = counted  # type: ignore[method-assign,assignment]  # to count
            yield made
        finally:
            await transport.close()
            await store.close()
