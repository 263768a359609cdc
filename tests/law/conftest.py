"""A workspace under the shipped policy, and short ways to write to its clients.

It never replaces a part: the application, database, archive and policy are the real ones.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection

from backend.directory.points import PointAddress
from contract.wire import Channel
from tests.backend.workspace import Workspace, client_of, draft, open_workspace, submit

DAY_MS = 86_400_000
HOUR_MS = 3_600_000


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Yield an open workspace under the shipped policy."""
    async with open_workspace(tmp_path) as opened:
        yield opened


@pytest.fixture
async def client(workspace: Workspace) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client signed in as Elena."""
    async with client_of(workspace) as opened:
        yield opened


@pytest.fixture
async def chat(workspace: Workspace) -> str:
    """Return the conversation with a client who has just written."""
    return await workspace.conversation_of(await workspace.inbound("Good morning"))


async def another_client(workspace: Workspace, number: int) -> str:
    """Return a conversation with one more client, who has just written."""
    point = PointAddress(Channel.WHATSAPP, "phone", f"+4179000{number:04d}")
    return await workspace.conversation_of(await workspace.inbound("Hello", point=point))


async def send(
    workspace: Workspace, client: httpx.AsyncClient, chat: str, text: str, **fields: object
) -> httpx.Response:
    """Submit a text to a conversation."""
    return await submit(client, chat, draft(text, clock=workspace.clock, **fields))


def rules_of(answer: httpx.Response) -> list[str]:
    """Return the ids of the rules that an answer names to its sender."""
    return [finding["rule_id"] for finding in answer.json().get("findings", ())]


async def contact_of(workspace: Workspace, chat: str) -> str:
    """Return the client of a conversation."""
    return str(
        await workspace.scalar(
            f"SELECT contact_id FROM conversation_contacts WHERE conversation_id = '{chat}'"
        )
    )


async def run(workspace: Workspace, statement: str, *values: object) -> None:
    """Run one statement, as an administrator's tool would."""

    def work(connection: Connection) -> None:
        connection.exec_driver_sql(statement, values)

    await workspace.services.database.write(work)
