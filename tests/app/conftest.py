"""Gives the client's rooms a real encrypted store and a small wire to talk to.

It does not start the backend.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.domain.clock import SystemClock
from app.store.store import Store
from backend_client.client import GovernedApi
from backend_client.endpoint import BackendEndpoint
from backend_client.transport import Transport
from tests.app.small_backend import SmallBackend
from tests.backend_client.loopback_server import LoopbackServer
from tests.support.tcp_proxy import TcpProxy


@pytest.fixture
def world() -> SmallBackend:
    """Make the small world the wire serves."""
    return SmallBackend()


@pytest.fixture
def wire_server(world: SmallBackend) -> Iterator[LoopbackServer]:
    """Serve it on loopback."""
    with LoopbackServer(world.app) as running:
        yield running
        world.closing = True


@pytest.fixture
def line(wire_server: LoopbackServer) -> Iterator[TcpProxy]:
    """Put a line in between that tests can cut."""
    with TcpProxy(wire_server.port) as proxy:
        yield proxy


@pytest.fixture
async def governed_api(line: TcpProxy) -> AsyncIterator[GovernedApi]:
    """Open the calls through that line."""
    transport = Transport(
        BackendEndpoint(url=f"http://127.0.0.1:{line.port}", token="secret"),
        client_version="0.1.0",
        answer_timeout_s=60.0,
    )
    yield GovernedApi(transport)
    await transport.close()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """Open a real encrypted store in the test's own folder."""
    opened = await open_store(tmp_path)
    yield opened
    await opened.close()


async def open_store(folder: Path) -> Store:
    """Open the store of a folder, as a start of Parley does."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    return await Store.open(data, data, b"c" * 32, b"o" * 32, SystemClock())
