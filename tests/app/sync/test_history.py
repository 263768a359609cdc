"""Shows how history fills in: with a pause that holds, and what is opened before its turn.

It never stands in for the backend: its routes and its database are the real ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.domain.inbox import InboxQuery
from app.store.store import Store
from app.sync.history_fill import HistoryFill
from app.sync.open_history import OpenHistory
from tests.app.conftest import open_store
from tests.app.small_backend import until
from tests.app.sync.conftest import CLIENTS, Scene

PAGE_ROWS = 5
MESSAGES_EACH = 6


class Filling:
    """A new store beside the scene's, with its filling in pages of five rows."""

    def __init__(self, scene: Scene, store: Store) -> None:
        self.told: list[tuple[int, int, bool]] = []
        self.store = store
        self.fill = HistoryFill(
            scene.api, store, lambda *told: self.told.append(told), lambda: PAGE_ROWS
        )
        self.opened = OpenHistory(scene.api, store, self.fill.give_way)

    async def count(self) -> int:
        """Return how many messages are here."""
        return (await self.store.check()).message_count

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Fill for the length of a block, at most."""
        task = asyncio.create_task(self.fill.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.result()


@pytest.fixture
async def filling(scene: Scene, tmp_path: Path) -> AsyncIterator[Filling]:
    """Yield a filling whose first page is here: the chats, newest first."""
    for number in range(CLIENTS * (MESSAGES_EACH - 1)):
        await scene.write(number % CLIENTS, f"message {number}")
    folder = tmp_path / "second"
    folder.mkdir()
    store = await open_store(folder)
    made = Filling(scene, store)
    await made.fill.begin()
    yield made
    await store.close()


async def test_the_inbox_and_the_stream_are_there_with_the_first_page(filling: Filling) -> None:
    page = await filling.store.inbox.page(InboxQuery(), 100)
    assert len(page.rows) == CLIENTS
    assert await filling.store.cache.cursor() is not None
    assert await filling.count() < PAGE_ROWS


async def test_a_pause_holds_over_a_restart(scene: Scene, filling: Filling) -> None:
    await filling.fill.set_paused(True)
    async with filling.running():
        await asyncio.sleep(0.2)
    few = await filling.count()
    again = Filling(scene, filling.store)
    await again.fill.load()
    assert again.fill.is_paused
    async with again.running():
        await until(lambda: bool(again.told) and again.told[-1][2])
        assert await again.count() == few
        await again.fill.set_paused(False)
        async with asyncio.timeout(60):
            while await filling.store.cache.snapshot_progress() is not None:
                await asyncio.sleep(0.01)
    assert await again.count() == CLIENTS * MESSAGES_EACH
    assert not again.told[-1][2]


async def test_an_opened_conversation_comes_before_its_turn(filling: Filling) -> None:
    rows = (await filling.store.inbox.page(InboxQuery(), 100)).rows
    oldest = rows[-1].conversation.conversation_id
    assert not (await filling.store.timeline.around(oldest, None, 100)).rows
    await filling.opened.opened(oldest)
    shown = (await filling.store.timeline.around(oldest, None, 100)).rows
    assert len(shown) == MESSAGES_EACH
    before = await filling.count()
    await filling.opened.older_wanted(oldest)  # all of it is here: nothing is asked for
    assert await filling.count() == before
    async with filling.running():
        async with asyncio.timeout(60):
            while await filling.store.cache.snapshot_progress() is not None:
                await asyncio.sleep(0.01)
    assert await filling.count() == CLIENTS * MESSAGES_EACH
    assert (await filling.store.check()).ok
