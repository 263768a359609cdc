"""The backend beside the app is killed while messages go out: the window says so, none is lost.

It never kills a process but the backend of its own app.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.core import Core
from app.domain.status import Link
from tests.support.client_driver import Orders, make_core
from tests.support.core_side import all_done, conversation_of, linked, on_screen, sent_texts, shown
from tests.support.log_guard import LogGuard
from tests.support.processes import children_with


@pytest.fixture
async def embedded(tmp_path: Path) -> AsyncIterator[Core]:
    """Open a core with the backend beside it."""
    core = make_core(Orders(root=str(tmp_path)))
    await core.open()
    await core.connect()
    await linked(core, Link.ONLINE)
    yield core
    await core.close()


def kill_backend() -> None:
    """Kill this process's only backend."""
    (backend,) = children_with("backend")
    backend.kill()


@pytest.mark.slow
async def test_the_window_says_that_the_service_restarts_and_all_texts_arrive(
    embedded: Core, expect_log: LogGuard
) -> None:
    expect_log("the embedded backend ended with status -9", logger="app.embedded")
    expect_log(".*", logger="app", required=False)
    # A server-side key: whatever the kill leaves open is sent again under the same key.
    here = await conversation_of(embedded, "Greta Sommer")
    texts = [f"while the service dies {n} #silent" for n in range(12)]
    # Looked for from before the kill on: it stands there no longer than the restart takes.
    said = asyncio.create_task(
        shown(embedded, "stopped and is being started again. Nothing is lost.")
    )
    for n, text in enumerate(texts):
        await embedded.messaging.send(here, text)
        if n == 6:
            kill_backend()
    await said
    await linked(embedded, Link.ONLINE)
    assert "stopped" not in on_screen(embedded)
    await all_done(embedded, here, *texts)
    assert (await sent_texts(embedded, here))[-12:] == texts
