"""Runs real cores against the service with a log.

It never waits a minute for the next look at the archive.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from app.core import Core
from backend_client.endpoint import BackendEndpoint
from contract.ids import ConversationId
from tests.app.archive.logged_backend import LoggedBackend
from tests.app.archive.real_backend import Real
from tests.app.core_world import new_core, online
from tests.backend_client.loopback_server import LoopbackServer
from tests.support.rewriting_relay import RewritingRelay
from tests.support.served_backend import ServedBackend

HOME = ConversationId("c0")
Opening = Callable[..., AbstractAsyncContextManager[Core]]


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the archive several times a second."""
    monkeypatch.setattr("app.archive.watch.CHECK_EVERY_S", 0.2)
    monkeypatch.setattr("app.archive.watch.FIRST_RETRY_S", 0.05)
    monkeypatch.setattr("app.archive.watch.MOST_RETRY_S", 0.2)
    monkeypatch.setattr("app.outbox.submission.FIRST_RETRY_S", 0.02)


@pytest.fixture
def logged() -> Iterator[LoggedBackend]:
    """Make the service's world."""
    world = LoggedBackend()
    yield world
    world.closing = True


@pytest.fixture
def opening(logged: LoggedBackend, tmp_path: Path) -> Iterator[Opening]:
    """Hand out a way to run a core on the service, with settings as IT would manage them."""
    with LoopbackServer(logged.app) as server:

        @asynccontextmanager
        async def opened(**settings: object) -> AsyncIterator[Core]:
            endpoint = BackendEndpoint(url=server.url, token="secret")
            core = new_core(tmp_path, endpoint=endpoint, clock=None, **settings)
            try:
                await core.open()
                await core.connect()
                await online(core)
                yield core
            finally:
                await core.close()

        yield opened
        logged.closing = True


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Real]:
    """Run a backend process and the relay before it."""
    with ServedBackend(tmp_path / "backend") as backend:
        relay = RewritingRelay(backend.port)
        with LoopbackServer(relay.app) as server:
            made = Real(backend, relay, server.url, tmp_path)
            yield made
            made.backend.kill()
