"""Fixtures of the backend's tests: an open workspace, and a client signed in to it.

It never makes a part up: both stand on the real encrypted database.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.backend.workspace import Workspace, client_of, open_workspace


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Yield an open workspace that seals."""
    async with open_workspace(tmp_path) as opened:
        yield opened


@pytest.fixture
async def client(workspace: Workspace) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client signed in as Elena."""
    async with client_of(workspace) as opened:
        yield opened
