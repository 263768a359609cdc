"""Gives fault tests a real backend, a line to it that breaks, and a client's core on both.

It does not soften a fault: what is not announced in the log fails the test.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.core import Core
from tests.support.client_driver import Orders, make_core
from tests.support.sandbox_face import SandboxFace
from tests.support.served_backend import SECRET, ServedBackend
from tests.support.tcp_proxy import TcpProxy


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedBackend]:
    """Run a backend of its own; its sandbox clients are quick and silent."""
    with ServedBackend(tmp_path / "backend") as running:
        yield running


@pytest.fixture
def line(served: ServedBackend) -> Iterator[TcpProxy]:
    """Put a line that can break between client and backend."""
    with TcpProxy(served.port) as proxy:
        yield proxy


@pytest.fixture
def face(served: ServedBackend) -> SandboxFace:
    """Reach the sandbox's clients, past the line that breaks."""
    return SandboxFace(f"http://127.0.0.1:{served.port}", SECRET)


@pytest.fixture
async def core(tmp_path: Path, line: TcpProxy) -> AsyncIterator[Core]:
    """Open a core that has synced once over the line."""
    opened = client_of(tmp_path / "client", line)
    await opened.open()
    await opened.connect()
    yield opened
    await opened.close()


def client_of(root: Path, line: TcpProxy) -> Core:
    """Return a client's core, not yet open, that reaches the backend over the line."""
    return make_core(Orders(root=str(root), url=f"http://127.0.0.1:{line.port}", token=SECRET))
