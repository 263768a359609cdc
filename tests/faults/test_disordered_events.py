"""Events that come twice, in another order, or not at all on their way to the client.

It does not change what an event says.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.domain.status import Link
from contract.wire import Direction
from tests.backend_client.loopback_server import LoopbackServer
from tests.support.client_driver import Orders, make_core
from tests.support.core_side import all_done, conversation_of, linked, rows_of
from tests.support.event_disorder import Disorder, EventDisorder
from tests.support.log_guard import LogGuard
from tests.support.sandbox_face import SandboxFace
from tests.support.served_backend import SECRET, ServedBackend
from tests.support.waiting import eventually

TITLE = "Sofia Marin"


@pytest.mark.slow
@pytest.mark.parametrize(
    "mode", [Disorder.TWICE, Disorder.BACKWARDS, Disorder.EVERY_THIRD_LOST], ids=lambda m: m.name
)
async def test_the_timeline_is_right_whatever_happens_to_events(
    tmp_path: Path,
    served: ServedBackend,
    face: SandboxFace,
    mode: Disorder,
    expect_log: LogGuard,
) -> None:
    expect_log("snapshot is due", logger="app.sync", required=False)
    relay = EventDisorder(f"http://127.0.0.1:{served.port}")
    with LoopbackServer(relay.app) as server:
        core = make_core(Orders(root=str(tmp_path / "client"), url=server.url, token=SECRET))
        await core.open()
        await core.connect()
        try:
            here = await conversation_of(core, TITLE)
            await linked(core, Link.ONLINE)
            relay.mode = mode
            sent = [f"sent {n} #silent" for n in range(6)]
            said = [f"said {n}" for n in range(12)]
            for n, text in enumerate(said):
                await asyncio.to_thread(face.client_says, "con-sofia", text)
                if n % 2:
                    await core.messaging.send(here, sent[n // 2])

            async def everything_said() -> bool:
                rows = await rows_of(core, here)
                got = [row.message.text for row in rows if row.message.direction is Direction.IN]
                return [text for text in got if text in said] == said

            await eventually(everything_said, "each of the client's texts once, in order")
            await all_done(core, here, *sent)
            assert relay.frames > 12
        finally:
            await core.close()
