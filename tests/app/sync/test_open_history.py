"""Shows that what the cache let go comes back as one scrolls up, and nothing else is asked for.

It never uses another backend than the real routes over their real database.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.store.quota import KEPT_NEWEST
from app.store.store import Store
from app.sync.open_history import OpenHistory
from backend.directory.points import PointAddress
from backend_client.client import GovernedApi
from backend_client.endpoint import BackendEndpoint
from backend_client.transport import Transport
from contract.ids import ConversationId
from contract.wire import Channel
from tests.app.conftest import open_store
from tests.backend.workspace import ELENA, TOKENS, Workspace, open_workspace, served

_MESSAGES = 32


class _Scene:
    """A chat of the backend that the store had whole, then let go but for its newest messages."""

    def __init__(self, workspace: Workspace, api: GovernedApi, store: Store) -> None:
        self.store = store
        self.history = OpenHistory(api, store, lambda waits: None)
        self._workspace = workspace
        self._api = api

    async def begin(self) -> ConversationId:
        """Write the chat, sync it once, let it go; return its id."""
        point = PointAddress(Channel.WHATSAPP, "phone", "+15550001")
        for number in range(_MESSAGES):
            message = await self._workspace.inbound(f"text {number:03}", point=point)
        home = await self._workspace.conversation_of(message)
        page = await self._api.inbox.snapshot()
        assert not page.next_cursor
        await self.store.cache.apply_snapshot_page(page, first=True)
        assert await self.store.upkeep.let_go(0) == _MESSAGES - KEPT_NEWEST
        return home

    async def texts(self, home: ConversationId) -> list[str]:
        """Return what one finds by scrolling up from the newest message."""
        window = await self.store.timeline.around(home, None, 400)
        return [row.message.text for row in window.rows]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[_Scene]:
    """Yield the scene."""
    async with open_workspace(tmp_path / "backend") as workspace, served(workspace) as url:
        transport = Transport(BackendEndpoint(url=url, token=TOKENS[ELENA]))
        store = await open_store(tmp_path)
        try:
            yield _Scene(workspace, GovernedApi(transport), store)
        finally:
            await transport.close()
            await store.close()


async def test_scrolling_up_past_the_limit_brings_older_messages_back(
    scene: _Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.sync.open_history._PAGE_ROWS", 10)
    home = await scene.begin()
    every = [f"text {number:03}" for number in range(_MESSAGES)]
    assert await scene.texts(home) == every[-KEPT_NEWEST:]
    seen = [KEPT_NEWEST]
    async with asyncio.timeout(60):
        while len(await scene.texts(home)) < _MESSAGES:
            await scene.history.older_wanted(home)
            shown = await scene.texts(home)
            # What is shown is the newest part of the chat, without a hole.
            assert shown == every[-len(shown) :] and len(shown) >= seen[-1]
            seen.append(len(shown))
    assert seen[1] < _MESSAGES
    await scene.history.older_wanted(home)
    assert await scene.store.gaps.missing_before(home, None) is None


async def test_what_is_let_go_again_is_fetched_again(scene: _Scene) -> None:
    home = await scene.begin()
    await scene.history.older_wanted(home)
    assert len(await scene.texts(home)) == _MESSAGES
    await scene.store.upkeep.let_go(0)
    scene.history.forget_all()
    assert len(await scene.texts(home)) == KEPT_NEWEST
    await scene.history.older_wanted(home)
    assert len(await scene.texts(home)) == _MESSAGES
