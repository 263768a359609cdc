"""An employee at work: the app without its window over a firm's backend, and what clients wrote.

It never reads the backend's own files.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from app.core import Core
from app.domain.inbox import InboxQuery
from contract.ids import ConversationId
from contract.wire import Direction
from tests.app.core_world import new_core, online
from tests.support.firm_backend import FirmBackend
from tests.support.waiting import eventually


@contextlib.asynccontextmanager
async def at_work(firm: FirmBackend, token: str, folder: Path) -> AsyncIterator[Core]:
    """Run an employee's app, connected, until the block ends."""
    core = new_core(folder / "app", endpoint=firm.endpoint(token), **firm.client_settings())
    try:
        await core.open()
        await core.connect()
        await online(core)
        yield core
    finally:
        await core.close()


async def client_texts(
    core: Core, wanted: Callable[[list[str]], bool]
) -> tuple[ConversationId, list[str]]:
    """Wait until the client's texts in the one conversation are as wanted; oldest first."""
    seen: list[str] = []

    async def look() -> ConversationId | None:
        rows = (await core.store.inbox.page(InboxQuery(), 10)).rows
        if not rows:
            return None
        chat = rows[0].conversation.conversation_id
        timeline = (await core.store.timeline.around(chat)).rows
        seen[:] = [row.message.text for row in timeline if row.message.direction is Direction.IN]
        return chat if wanted(seen) else None

    chat = await eventually(look, "the client's texts", timeout_s=120)
    assert chat is not None
    return chat, seen
