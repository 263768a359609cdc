"""kill -9 of the backend between any two commits of a send or of a client's message.

It does not choose its commits: the backend dies at the first, the second … until one survives.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.core import Core
from app.domain.errors import Conflict
from contract.ids import ConversationId
from contract.states import DeliveryState
from contract.wire import Direction
from tests.support.core_side import conversation_of, row_of, rows_of
from tests.support.log_guard import LogGuard
from tests.support.sandbox_face import SandboxFace
from tests.support.served_backend import (
    SECRET,
    ServedBackend,
    archived_submissions,
    verify_archive,
)
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import eventually

MOST_STEPS = 60
FIRST_OF_A_SEND = "before backend: submit_message"
FIRST_OF_A_CLIENTS_MESSAGE = "before vendor: SandboxPeer.say"
READ, SENT, UNKNOWN = DeliveryState.READ, DeliveryState.SENT, DeliveryState.UNKNOWN


class Kills:
    """A core that sends while its backend dies again and again behind an unbroken address."""

    def __init__(self, core: Core, served: ServedBackend, line: TcpProxy) -> None:
        self.core = core
        self.served = served
        self.line = line
        self.unknown: set[str] = set()

    async def rise(self) -> None:
        """Start the dead backend again, behind the same address."""
        await asyncio.to_thread(self.served.child.wait)
        await asyncio.to_thread(self.served.start)
        self.line.retarget(self.served.port)
        self.core.messaging.retry_now()

    async def settle(self, conversation_id: ConversationId, text: str, last: DeliveryState) -> bool:
        """Wait for the last state, acting on an unknown one; false when the backend died."""

        async def look() -> str:
            if not self.served.child.alive:
                return "dead"
            row = await row_of(self.core, conversation_id, text)
            if row is None or row.outbox is not None:
                return ""
            if row.message.state is UNKNOWN and row.message.message_id not in self.unknown:
                self.unknown.add(row.message.message_id)
                assert "not known whether the client got this" in row.message.state_detail
            return str(row.message.state) if row.message.state in {last, UNKNOWN} else ""

        return await eventually(look, f"{text} to settle") != "dead"

    async def decide(self, conversation_id: ConversationId, text: str) -> None:
        """Give up on a message that is still unknown, so that its lane goes on."""
        row = await row_of(self.core, conversation_id, text)
        assert row is not None
        if row.message.state is not UNKNOWN:
            return
        try:
            await self.core.messaging.resolve_unknown(row.message.message_id, "give_up")
        except Conflict:
            # The channel's echo was faster than the decision: its word stands and is shown.

            async def told() -> bool:
                shown = await row_of(self.core, conversation_id, text)
                return shown is not None and shown.message.state is not UNKNOWN

            await eventually(told, f"{text} to show what the channel said")


# Title, the state a quick sandbox leads to, and whether a lost answer leaves it unknown.
CLASSES = [
    pytest.param("Greta Sommer", READ, False, id="server_key"),
    pytest.param("Marcus Feld", READ, True, id="client_echo"),
    pytest.param("Tomás Silva", SENT, True, id="none"),
]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("title", "last", "may_be_unknown"), CLASSES)
async def test_backend_may_die_between_any_two_commits_of_a_send(
    core: Core,
    served: ServedBackend,
    line: TcpProxy,
    title: str,
    last: DeliveryState,
    may_be_unknown: bool,
    expect_log: LogGuard,
) -> None:
    expect_log(".*", logger="app", required=False)
    kills = Kills(core, served, line)
    here = await conversation_of(core, title)
    for n in range(1, MOST_STEPS):
        text = f"step {n:02} #silent"
        await asyncio.to_thread(served.arm, n, FIRST_OF_A_SEND)
        await core.messaging.send(here, text)
        if await kills.settle(here, text, last) and await asyncio.to_thread(served.disarm):
            break
        await kills.rise()
        assert await kills.settle(here, text, last)
        await kills.decide(here, text)
    else:
        pytest.fail(f"no send survived {MOST_STEPS} steps")
    texts = [f"step {k:02} #silent" for k in range(1, n + 1)]
    await check_all(kills, here, texts, may_be_unknown)


async def check_all(
    kills: Kills, here: ConversationId, texts: list[str], may_be_unknown: bool
) -> None:
    """Find each text once in the app and in the archive; on the phone once, or known unknown."""
    shown = await rows_of(kills.core, here)
    rows = [row for row in shown if row.message.direction is Direction.OUT]
    assert [row.message.text for row in rows][-len(texts) :] == texts
    face = SandboxFace(f"http://127.0.0.1:{kills.served.port}", SECRET)
    received = [line.text for line in await asyncio.to_thread(face.received)]
    unknown = {row.message.text for row in rows if row.message.message_id in kills.unknown}
    assert bool(unknown) is may_be_unknown
    assert [text for text in texts if text in set(received)] == received, "in order, none twice"
    assert set(texts) - set(received) <= unknown, "only what is shown as unknown may be missing"
    await asyncio.to_thread(kills.served.stop)
    assert verify_archive(kills.served.data_dir)["ok"]
    archived = [entry.text for entry in archived_submissions(kills.served.data_dir)]
    assert [text for text in archived if text in texts] == texts


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_backend_may_die_between_any_two_commits_of_a_clients_message(
    core: Core,
    served: ServedBackend,
    line: TcpProxy,
    expect_log: LogGuard,
    tmp_path: Path,
) -> None:
    expect_log(".*", logger="app", required=False)
    kills = Kills(core, served, line)
    here = await conversation_of(core, "Sofia Marin")
    said: list[str] = []
    for n in range(1, MOST_STEPS):
        text = f"a question at step {n}"
        await asyncio.to_thread(served.arm, n, FIRST_OF_A_CLIENTS_MESSAGE)
        face = SandboxFace(f"http://127.0.0.1:{served.port}", SECRET)
        try:
            await asyncio.to_thread(face.client_says, "con-sofia", text)
        except OSError:
            pass  # it died before the vendor answered its client
        died = False

        async def look(text: str = text) -> bool:
            row = await row_of(core, here, text)
            sealed = row is not None and row.message.archive is not None
            return sealed or not served.child.alive

        await eventually(look, f"{text} to arrive and to be sealed")
        died = not served.child.alive
        if not died:
            said.append(text)
            break
        steps = [line["name"] for line in served.child.told("step")]
        await kills.rise()
        if any(name == "after vendor: SandboxPeer.say" for name in steps):
            said.append(text)

        async def arrived(said: tuple[str, ...] = tuple(said)) -> bool:
            texts = [row.message.text for row in await rows_of(core, here)]
            got = [text for text in texts if "a question" in text]
            return got == list(said)

        await eventually(arrived, f"exactly {said}")
    else:
        pytest.fail(f"no message survived {MOST_STEPS} steps")
    assert len(said) > 3
