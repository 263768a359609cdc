"""Tests of desktops whose local disk is wiped between sessions: what is unsent comes along.

They never use a network beyond loopback.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.core import Core
from app.domain.clock import SystemClock
from app.domain.drafts import Draft
from app.domain.errors import AppError, KeyLost, OutboxInUse, OutboxUnreachable, WrongKey
from app.domain.status import Link
from app.session.keys import KeyVault, MasterKey
from app.settings.paths import AppPaths, app_paths
from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source
from backend_client.endpoint import BackendEndpoint
from contract.ids import ConversationId
from contract.states import OutboxState
from tests.app.small_backend import SmallBackend, until
from tests.backend_client.loopback_server import LoopbackServer
from tests.support.log_guard import LogGuard

PASSPHRASE = "correct horse battery staple"
FIRST, SECOND = ConversationId("c1"), ConversationId("c2")


class Desktop:
    """A user's session on a desktop: a local disk that may be wiped, and a share that stays."""

    def __init__(self, root: Path, passphrase: str | None = PASSPHRASE) -> None:
        self.disk = root / "disk"
        self.share = root / "share" / "parley"
        self._passphrase = passphrase

    @property
    def paths(self) -> AppPaths:
        """Return the folders as settings and environment give them."""
        found = app_paths(self.settings, {"PARLEY_DATA_DIR": str(self.disk)})
        assert found.outbox_dir == self.share and found.data_dir.is_relative_to(self.disk)
        return found

    @property
    def settings(self) -> Settings:
        """Return what IT manages here."""
        values = {"OutboxFolder": str(self.share)}
        own = {"UndoSendSeconds": 0}
        return Settings(
            load_schema(),
            [Source(Origin.MANAGED, "test", values), Source(Origin.USER, "test", own)],
        )

    def wipe(self) -> None:
        """Let the next session find nothing but what lies on the share."""
        shutil.rmtree(self.disk)

    def core(self, port: int = 9) -> Core:
        """Return a core of a new session, whose backend is at that port."""
        endpoint = BackendEndpoint(url=f"http://127.0.0.1:{port}", token="secret")
        return Core(
            self.settings,
            self.paths,
            SystemClock(),
            endpoint=endpoint,
            passphrase=self._passphrase,
        )

    @asynccontextmanager
    async def session(self, port: int = 9) -> AsyncIterator[Core]:
        """Run a session to its end."""
        core = self.core(port)
        try:
            await core.open()
            await core.connect()
            yield core
        finally:
            await core.close()


@pytest.fixture
def quiet(expect_log: LogGuard) -> None:
    """Let the log say that the backend is away."""
    expect_log(".", required=False)


async def _write_without_a_line(desktop: Desktop) -> None:
    async with desktop.session() as core:
        await core.messaging.send(FIRST, "queued one")
        await core.messaging.send(SECOND, "queued two")
        await core.store.drafts.save(Draft(FIRST, "half a sentence"))


async def _sent_from_a_wiped_disk(desktop: Desktop) -> None:
    """Wipe, start again beside a backend, and see everything there or gone out, once."""
    desktop.wipe()
    world = SmallBackend()
    with LoopbackServer(world.app) as server:
        async with desktop.session(server.port) as core:
            await until(lambda: core.status.link is Link.ONLINE)
            await until(lambda: len(world.submitted) == 2)
            assert sorted(world.texts()) == ["queued one", "queued two"]
            draft = await core.store.drafts.get(FIRST)
            assert draft is not None and draft.text == "half a sentence"
        world.closing = True
    assert all(count == 1 for count in world.tries.values())


@pytest.mark.usefixtures("quiet")
async def test_queued_messages_and_drafts_outlive_the_local_disk(tmp_path: Path) -> None:
    desktop = Desktop(tmp_path)
    await _write_without_a_line(desktop)
    await _sent_from_a_wiped_disk(desktop)


@pytest.mark.usefixtures("quiet", "private_keyring")
async def test_so_they_do_with_the_key_in_a_keyring_that_roams(tmp_path: Path) -> None:
    desktop = Desktop(tmp_path, passphrase=None)
    await _write_without_a_line(desktop)
    await _sent_from_a_wiped_disk(desktop)
    KeyVault().forget(desktop.paths)


@pytest.mark.usefixtures("quiet", "private_keyring")
async def test_without_the_keyring_nothing_is_touched_and_it_can_bring_the_key_back(
    tmp_path: Path,
) -> None:
    desktop = Desktop(tmp_path, passphrase=None)
    await _write_without_a_line(desktop)
    desktop.wipe()
    kept = await asyncio.to_thread(KeyVault().load_or_create, desktop.paths)
    names = {path.name: path.read_bytes() for path in desktop.share.iterdir() if path.is_file()}
    _forget_only_the_entry(desktop)
    core = desktop.core()
    with pytest.raises(KeyLost):
        await core.open()
    await core.close()
    after = {path.name: path.read_bytes() for path in desktop.share.iterdir() if path.is_file()}
    assert {name: after[name] for name in names if name != "parley.lock"} == {
        name: content for name, content in names.items() if name != "parley.lock"
    }
    _bring_back(desktop, kept)
    await _sent_from_a_wiped_disk(desktop)
    KeyVault().forget(desktop.paths)


def _entry(desktop: Desktop) -> str:
    return f"database key {(desktop.share / 'key.instance').read_text('ascii').strip()}"


def _forget_only_the_entry(desktop: Desktop) -> None:
    from app.session import os_keyring

    os_keyring.delete_secret(_entry(desktop))


def _bring_back(desktop: Desktop, key: MasterKey) -> None:
    import base64

    from app.session import os_keyring

    os_keyring.write_secret(_entry(desktop), base64.b64encode(key.secret).decode())


@pytest.mark.usefixtures("quiet")
async def test_a_second_session_elsewhere_waits_for_the_first(tmp_path: Path) -> None:
    here, elsewhere = Desktop(tmp_path), Desktop(tmp_path)
    elsewhere.disk = tmp_path / "another disk"
    async with here.session():
        second = elsewhere.core()
        with pytest.raises(OutboxInUse):
            await second.open()
        await second.close()
    async with elsewhere.session() as core:
        assert core.is_open


async def test_a_share_that_is_away_is_said_and_nothing_is_begun_without_it(tmp_path: Path) -> None:
    desktop = Desktop(tmp_path)
    desktop.share.parent.write_text("no folder", "utf-8")
    assert await _fault_of(desktop) is OutboxUnreachable
    assert not list(desktop.disk.rglob("*.db")) and not list(desktop.disk.rglob("key*"))
    desktop.share.parent.unlink()
    async with desktop.session() as core:
        assert core.is_open


async def test_a_share_that_can_not_be_locked_is_said(tmp_path: Path) -> None:
    desktop = Desktop(tmp_path)
    (desktop.share / "parley.lock").mkdir(parents=True)
    assert await _fault_of(desktop) is OutboxUnreachable


async def _fault_of(desktop: Desktop) -> type[AppError]:
    core = desktop.core()
    try:
        with pytest.raises(AppError) as told:
            await core.open()
    finally:
        await core.close()
    return type(told.value)


@pytest.mark.usefixtures("quiet")
async def test_what_waits_moves_to_the_folder_that_is_set_later(tmp_path: Path) -> None:
    before, after = Desktop(tmp_path), Desktop(tmp_path)
    before.share = before.disk / "data"
    await _write_without_a_line(before)
    async with after.session() as core:
        waiting = await core.store.outbox.list_waiting()
        assert [entry.text for entry in waiting] == ["queued one", "queued two"]
        assert {entry.state for entry in waiting} <= {OutboxState.QUEUED, OutboxState.SENDING}
    assert not list((before.disk / "data").glob("outbox.db*"))
    await _sent_from_a_wiped_disk(after)


@pytest.mark.usefixtures("quiet", "private_keyring")
async def test_a_cache_of_another_key_makes_room_but_unsent_messages_never_do(
    tmp_path: Path,
) -> None:
    roaming = Desktop(tmp_path, passphrase=None)
    await _write_without_a_line(roaming)
    local = Desktop(tmp_path / "other", passphrase=None)
    local.share = local.disk / "data"
    async with local.session() as core:
        assert core.is_open
    joined = Desktop(tmp_path, passphrase=None)
    joined.disk = local.disk
    (local.disk / "data" / "outbox.db").rename(tmp_path / "away.db")
    async with joined.session() as core:
        texts = [entry.text for entry in await core.store.outbox.list_waiting()]
        assert texts == ["queued one", "queued two"]
    assert list((local.disk / "data").glob("kept-*/cache.db"))
    (joined.disk / "data" / "key.instance").write_text("0" * 16, "ascii")
    (tmp_path / "away.db").rename(local.disk / "data" / "outbox.db")
    assert await _fault_of(joined) is WrongKey
    KeyVault().forget(roaming.paths)
