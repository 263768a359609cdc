"""SMS from a phone behind Kannel to an employee's app and back, over SMPP, killed in between.

It never sends beyond loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract.states import DeliveryState
from tests.app.core_world import row_when
from tests.channels.employee import at_work, client_texts
from tests.channels.peers import free_port
from tests.channels.sms_centre import (
    FIRM,
    PASSWORD,
    PHONE,
    Phones,
    SmsCentre,
    phones_behind_kannel,
    sms_centre,
)
from tests.support.firm_backend import FirmBackend
from tests.support.log_guard import LogGuard
from tests.support.served_backend import archive_is_sound
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not os.environ.get("PARLEY_PEERS"), reason="whole processes run in `make test-channels`"
    ),
]
ANNA = "emp-anna"


@dataclass
class House:
    """The centre, the phones behind it, and the firm with one employee."""

    centre: SmsCentre
    phones: Phones
    firm: FirmBackend
    token: str

    def shown(self) -> list[str]:
        """Return what the phone shows, parts put together."""
        return [
            each["text"].encode("latin-1").decode(each["charset"]) for each in self.phones.received
        ]

    async def writes(self, *texts: str) -> None:
        """Have the phone send texts, one after the other."""
        for text in texts:
            said = await asyncio.to_thread(self.phones.write, text)
            assert said.startswith(("0: Accepted", "3: Queued")), said

    async def acknowledged(self) -> None:
        """Wait until the firm has acknowledged all that the centre handed to it."""

        async def look() -> bool:
            return await asyncio.to_thread(self.centre.answered)

        await eventually(look, "the firm to acknowledge what came", timeout_s=120)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Run the centre, Kannel and the firm."""
    with contextlib.ExitStack() as stack:
        centre = stack.enter_context(sms_centre(tmp_path))
        phones = stack.enter_context(phones_behind_kannel(tmp_path, centre))
        firm = stack.enter_context(FirmBackend(tmp_path / "firm", port=free_port()))
        token = firm.add_employee(ANNA, "Anna Keller")
        account = {
            "host": "127.0.0.1",
            "port": str(centre.port),
            "system_id": "parley",
            "password": PASSWORD,
            "source": FIRM,
        }
        firm.add_channel("smpp", "acc-sms", account, "--member", ANNA)
        point = ["--point", f"sms:{PHONE}", "--consent", "recording=accepted@2026-1"]
        firm.admin("contact", "add", "--name", "Ada Lovelace", "--employee", ANNA, *point)
        firm.start()
        yield House(centre, phones, firm, token)


async def test_a_phone_and_an_employee_write_to_each_other(house: House, tmp_path: Path) -> None:
    question = "明日の約定確認をお願いします。" * 8
    answer = "Gern. Wir kaufen 100 Stück zu höchstens 12,50 €. " * 5
    async with at_work(house.firm, house.token, tmp_path) as core:
        await house.writes(question)
        chat, _ = await client_texts(core, lambda texts: texts == [question])
        message_id = await core.messaging.send(chat, answer)
        row = await row_when(
            core, message_id, lambda r: r.message.state is DeliveryState.DELIVERED, 120
        )
        assert row.message.archive is not None
        await eventually(lambda: _shows(house, answer), "the phone to show it", timeout_s=120)
        told = "Kannel to hear that its text was delivered"
        await eventually(lambda: _told(house, 1), told, timeout_s=120)
    house.firm.stop()
    assert archive_is_sound(house.firm.data_dir)


async def _shows(house: House, text: str) -> bool:
    await asyncio.sleep(0)
    return text in house.shown()


async def _told(house: House, kind: int) -> bool:
    await asyncio.sleep(0)
    return kind in house.phones.reports


async def test_what_comes_while_the_backend_is_dead_comes_once(
    house: House, tmp_path: Path, expect_log: LogGuard
) -> None:
    expect_log(".", logger="app", required=False)  # what a killed backend leaves half done
    expect_log(".", logger="backend_client", required=False)
    async with at_work(house.firm, house.token, tmp_path) as core:
        await house.writes("one")
        await client_texts(core, lambda texts: texts == ["one"])
        await house.acknowledged()  # a centre numbers no text: what isn't comes again, as another
        house.firm.kill()
        long = "Lange Frage " * 30
        await house.writes("ok", "ok", long)
        await asyncio.to_thread(house.firm.start)
        expected = ["one", "ok", "ok", long]
        await client_texts(core, lambda texts: sorted(texts) == sorted(expected))
        await house.acknowledged()
        house.centre.order("drop")
        await house.writes("after the break")
        await client_texts(core, lambda texts: texts == [*expected, "after the break"])


async def test_a_lost_answer_is_unknown_and_never_sent_again(
    house: House, tmp_path: Path, expect_log: LogGuard
) -> None:
    expect_log(".", logger="app", required=False)  # what a killed backend leaves half done
    expect_log(".", logger="backend_client", required=False)
    async with at_work(house.firm, house.token, tmp_path) as core:
        await house.writes("hello")
        chat, _ = await client_texts(core, lambda texts: texts == ["hello"])
        await house.acknowledged()
        house.centre.order("set", lose=True)
        lost = await core.messaging.send(chat, "Buy 100")
        await row_when(core, lost, lambda r: r.message.state is DeliveryState.UNKNOWN, 120)
        house.centre.order("set", lose=False)
        house.firm.kill()
        await asyncio.to_thread(house.firm.start)
        await house.writes("did you get it?")
        await client_texts(core, lambda texts: texts == ["hello", "did you get it?"])
        assert house.centre.state()["texts"].count("Buy 100") == 1
        row = await core.store.timeline.message(lost)
        assert row is not None
        assert row.message.state is DeliveryState.UNKNOWN


async def test_stop_ends_it_with_one_confirmation(house: House, tmp_path: Path) -> None:
    async with at_work(house.firm, house.token, tmp_path) as core:
        await house.writes("hello")
        chat, _ = await client_texts(core, lambda texts: texts == ["hello"])
        before = len(house.shown())
        await house.writes("STOP")
        await eventually(lambda: _shown(house, before + 1), "the confirmation", timeout_s=120)
        message_id = await core.messaging.send(chat, "One more offer")
        row = await row_when(
            core, message_id, lambda r: r.message.state is not DeliveryState.QUEUED, 120
        )
        assert row.message.state is not DeliveryState.SENT
        assert "One more offer" not in house.shown()


async def _shown(house: House, count: int) -> bool:
    await asyncio.sleep(0)
    return len(house.shown()) >= count
