"""Shows that a backend restored from a back-up is known by its history id, however far it came.

It never stands in for the backend: its files are closed, copied, put back and opened again.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.store.store import Store
from app.sync.reference import META_BUNDLE, META_HISTORY, META_ORIGIN
from backend.inbox.stream_history import begin_history, history_id_of
from backend_client.client import GovernedApi
from backend_client.endpoint import BackendEndpoint
from backend_client.transport import Transport
from contract.ids import ConversationId
from tests.app.conftest import open_store
from tests.app.sync.conftest import Scene
from tests.app.sync.test_runner import syncing
from tests.backend.workspace import ELENA, TOKENS, Workspace, open_workspace, served
from tests.support.log_guard import LogGuard

DAY_MS = 86_400_000


@dataclass
class Firm:
    """A backend's files, and a client that stays while the backend comes and goes."""

    folder: Path
    transport: Transport
    store: Store
    days: int = 0

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Scene]:
        """Open the backend's files on a later day, unseen by the client."""
        self.days += 1
        async with open_workspace(self.folder) as workspace:
            workspace.clock.at_utc_ms += self.days * DAY_MS
            yield Scene(workspace, GovernedApi(self.transport), self.store)

    @asynccontextmanager
    async def day(self) -> AsyncIterator[Scene]:
        """Run the backend on its files for the length of a block."""
        async with self.opened() as scene, served(scene.workspace) as url:
            self.transport.swap_endpoint(BackendEndpoint(url=url, token=TOKENS[ELENA]))
            yield scene

    def syncing(self) -> AbstractAsyncContextManager[object]:
        """Run the client's sync for the length of a block, whether the backend runs or not."""
        return syncing(GovernedApi(self.transport), self.store)

    def back_up(self) -> Path:
        """Copy the files of the stopped backend."""
        copy = self.folder.with_name("copy")
        shutil.copytree(self.folder, copy)
        return copy

    def put_back(self, copy: Path) -> None:
        """Put a copy in the place of the files."""
        shutil.rmtree(self.folder)
        copy.rename(self.folder)


@pytest.fixture
async def firm(tmp_path: Path) -> AsyncIterator[Firm]:
    """Hand out the files and the client."""
    transport, store = Transport(None), await open_store(tmp_path)
    try:
        yield Firm(tmp_path / "backend", transport, store)
    finally:
        await transport.close()
        await store.close()


@pytest.mark.parametrize("runs_on", [False, True], ids=["client was away", "client runs on"])
async def test_a_restored_backend_that_overtook_the_client_is_synced_anew(
    firm: Firm, expect_log: LogGuard, *, runs_on: bool
) -> None:
    expect_log("restored from a back-up", logger="app.sync.reference")
    if runs_on:  # its stream connects anew by itself, and is refused for the other history
        expect_log("a snapshot is due", logger="app.sync.runner")
    async with firm.day() as scene:
        home, _ = await scene.write(0, "kept")
    copy = firm.back_up()
    always = firm.syncing() if runs_on else nullcontext()
    async with always:
        async with firm.day() as scene, firm.syncing() if not runs_on else nullcontext():
            await scene.write(0, "lost")
            await _synced(scene, home, ["kept", "lost"])
        await _restore_and_overtake(firm, copy)
        async with firm.day() as scene, firm.syncing() if not runs_on else nullcontext():
            # On the day that is lost this version and position were other ones.
            await scene.write(0, "live")
            theirs = await _texts_there(scene, home)
            assert "lost" not in theirs and theirs[0] == "kept" and theirs[-1] == "live"
            await _synced(scene, home, theirs)
            history = await scene.workspace.services.database.read(history_id_of)
            assert await firm.store.cache.get_meta(META_HISTORY) == history.encode()
            async with asyncio.timeout(60):
                while await firm.store.cache.get_meta(META_BUNDLE) is None:
                    await asyncio.sleep(0.02)
    assert (await firm.store.search.search("lost")).messages == ()


async def test_a_backend_started_again_costs_no_snapshot(firm: Firm) -> None:
    async with firm.syncing():
        async with firm.day() as scene:
            home, _ = await scene.write(0, "one")
            await _synced(scene, home, ["one"])
        await firm.store.cache.put_meta("canary", b"of this cache")
        async with firm.day() as scene:
            await scene.write(0, "two")
            await _synced(scene, home, ["one", "two"])
    async with firm.day() as scene, firm.syncing():
        await scene.write(0, "three")
        await _synced(scene, home, ["one", "two", "three"])
    assert await firm.store.cache.get_meta("canary") == b"of this cache"
    assert await firm.store.cache.get_meta(META_ORIGIN) is not None


async def _restore_and_overtake(firm: Firm, copy: Path) -> None:
    """Put the copy in place as an operator does, and let it come further than the client."""
    reached = await firm.store.cache.cursor()
    assert reached is not None
    firm.put_back(copy)
    async with firm.opened() as scene:
        await scene.workspace.services.database.write(begin_history)
    async with firm.opened() as scene:
        while await _position(scene.workspace) <= reached:
            await scene.write(0, "overtaken")


async def _synced(scene: Scene, home: ConversationId, texts: list[str]) -> None:
    async with asyncio.timeout(60):
        while await scene.texts(home) != texts:
            await asyncio.sleep(0.02)


async def _position(workspace: Workspace) -> int:
    counter = f"SELECT seq FROM event_counters WHERE employee_id = '{ELENA}'"
    return int(str(await workspace.scalar(counter)))


async def _texts_there(scene: Scene, home: ConversationId) -> list[str]:
    page = await scene.api.inbox.messages(home, "", 400)
    return [one.text for one in reversed(page.messages)]
