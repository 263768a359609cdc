"""Signal through a firm's backend, over the recorded shapes of a signal-cli daemon on loopback.

It never reaches Signal: no peer of it runs without the internet.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.channels import faults
from contract.states import DeliveryState
from tests.app.core_world import row_when
from tests.backend.channels.signal_peer import CLIENT, NUMBER, SignalPeer
from tests.channels.employee import at_work, client_texts
from tests.channels.peers import free_port
from tests.support.firm_backend import FirmBackend
from tests.support.log_guard import LogGuard
from tests.support.served_backend import archive_is_sound

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not os.environ.get("PARLEY_PEERS"), reason="whole processes run in `make test-channels`"
    ),
]
ANNA = "emp-anna"


@dataclass
class House:
    """The daemon, and the firm with one employee."""

    peer: SignalPeer
    firm: FirmBackend
    token: str


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Run both."""
    peer = SignalPeer()
    peer.thanks = False
    with peer.server, FirmBackend(tmp_path / "firm", port=free_port()) as firm:
        token = firm.add_employee(ANNA, "Anna Keller")
        account = {"account": NUMBER, "api_url": peer.server.url}
        firm.add_channel("signal", "acc-signal", account, "--member", ANNA)
        point = ["--point", f"signal:{CLIENT}", "--consent", "recording=accepted@2026-1"]
        firm.admin("contact", "add", "--name", "Ada Lovelace", "--employee", ANNA, *point)
        firm.start()
        yield House(peer, firm, token)
        firm.kill()
        peer.hang_up()


async def test_a_client_and_an_employee_write_to_each_other(house: House, tmp_path: Path) -> None:
    peer = house.peer
    async with at_work(house.firm, house.token, tmp_path) as core:
        first = peer.data(message="Sell 10")
        peer.tell(first)
        chat, _ = await client_texts(core, lambda texts: texts == ["Sell 10"])
        began = first["envelope"]["timestamp"]
        better = peer.data(message="Sell 100")["envelope"]
        edit = {"targetSentTimestamp": began, "dataMessage": better["dataMessage"]}
        peer.tell(peer.envelope(better["timestamp"], editMessage=edit))
        await client_texts(core, lambda texts: texts == ["Sell 100"])
        answer = await core.messaging.send(chat, "Done")
        await row_when(core, answer, lambda r: r.message.state is DeliveryState.READ, 120)
        assert list(peer.texts.values()) == ["Done"]
    await asyncio.to_thread(house.firm.stop)
    assert archive_is_sound(house.firm.data_dir)


async def test_a_changed_safety_number_holds_the_message_for_a_person(
    house: House, tmp_path: Path
) -> None:
    async with at_work(house.firm, house.token, tmp_path) as core:
        house.peer.writes("hello")
        chat, _ = await client_texts(core, lambda texts: texts == ["hello"])
        house.peer.next = faults.IdentityChanged
        held = await core.messaging.send(chat, "Buy 100")
        row = await row_when(core, held, lambda r: r.message.state is DeliveryState.FAILED, 120)
        assert "safety number" in row.message.state_detail
        assert house.peer.texts == {}


async def test_what_came_before_the_backend_died_is_not_lost(
    house: House, tmp_path: Path, expect_log: LogGuard
) -> None:
    expect_log(".", logger="app", required=False)  # what a killed backend leaves half done
    expect_log(".", logger="backend_client", required=False)
    async with at_work(house.firm, house.token, tmp_path) as core:
        house.peer.writes("one")
        await client_texts(core, lambda texts: texts == ["one"])
        await asyncio.to_thread(house.firm.kill)
        await house.peer.left()
        await asyncio.to_thread(house.firm.start)
        house.peer.writes("two")
        await client_texts(core, lambda texts: texts == ["one", "two"])
