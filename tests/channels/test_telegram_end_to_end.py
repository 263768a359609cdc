"""Telegram from a person's app to the window and back, over telegram-test-api.

It never reaches Telegram itself; Telegram keeps no keys, so what can't be known is for a person.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from tests.channels.peers import free_port
from tests.channels.running_app import STORY_S, OpenApp, open_app, person_sees
from tests.channels.telegram_api import TOKEN, TelegramApi, TelegramPerson
from tests.channels.vendor_line import VendorLine
from tests.support.firm_backend import FirmBackend, ends_sound
from tests.support.log_guard import LogGuard
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import until

pytestmark = pytest.mark.timeout(600)
ACCOUNT, CLIENT, EMPLOYEE, NUMBER = "acc-telegram", "Ada Lovelace", "emp-ruth", 42
SEND = b"/sendMessage"
UNKNOWN = "We can’t tell whether Ada got this"


class House:
    """The peer, the line to it, the firm, and the person."""

    def __init__(
        self, api: TelegramApi, line: VendorLine, firm: FirmBackend, person: TelegramPerson
    ) -> None:
        self.api, self.line, self.firm, self.person = api, line, firm, person
        self.token = ""

    async def says(self, text: str) -> None:
        """Have the person write."""
        await asyncio.to_thread(self.person.says, text)

    async def sees(self, *texts: str) -> None:
        """Wait until the person has seen these texts and no other."""
        await person_sees(self.firm, lambda: asyncio.to_thread(self.person.seen), *texts)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Run peer and firm, the employee's account and client set up by commands."""
    with (
        TelegramApi(tmp_path) as api,
        VendorLine(api.port) as line,
        contextlib.closing(TelegramPerson(api.url, NUMBER, "Ada")) as person,
        FirmBackend(tmp_path / "firm", port=free_port()) as firm,
    ):
        house = House(api, line, firm, person)
        house.token = firm.add_employee(EMPLOYEE, "Ruth Amsler")
        settings = {"bot_token": TOKEN, "api_url": line.url}
        firm.add_channel("telegram", ACCOUNT, settings, "--member", EMPLOYEE)
        point = ["--point", f"telegram:{NUMBER}", "--consent", "recording=accepted@2026-1"]
        firm.admin("contact", "add", "--name", CLIENT, "--employee", EMPLOYEE, *point)
        firm.start()
        yield house


@contextlib.asynccontextmanager
async def _chat(qapp: QApplication, house: House, folder: Path) -> AsyncIterator[OpenApp]:
    """Open the app on a chat that the person has begun."""
    async with open_app(qapp, folder / "app", house.firm, house.token) as app:
        await house.says("Good morning, has the order gone through?")
        await app.opens(CLIENT)
        await app.shows("Good morning, has the order gone through?")
        yield app


def test_a_person_is_answered_from_the_window_and_both_sides_are_archived(
    qapp: QApplication, tmp_path: Path, house: House
) -> None:
    async def work() -> None:
        async with _chat(qapp, house, tmp_path) as app:
            await app.types("Yes, at 41.20.")
            await house.sees("Yes, at 41.20.")
            await app.shows("Yes, at 41.20.", "Sent")
            assert (await app.archives("Yes, at 41.20.")).own
            await house.says("Thanks")
            await app.shows("Thanks")

    run_in_qt_loop(qapp, work(), timeout_s=STORY_S)
    ends_sound(house.firm, 3)


def test_a_slow_and_killed_vendor_loses_nothing(
    qapp: QApplication, tmp_path: Path, house: House
) -> None:
    async def work() -> None:
        async with _chat(qapp, house, tmp_path) as app:
            house.line.slow(400)
            await app.types("one")
            await house.sees("one")
            await app.shows("one", "Sent")
            house.line.refuse()  # as a computer that is gone: nothing leaves this one
            await asyncio.to_thread(house.api.kill)
            await app.types("two")
            await app.types("three")
            await app.shows("two", "on its way")
            await app.warns("has not been reachable since")
            await asyncio.to_thread(house.api.start)
            house.line.restore()
            await house.sees("one", "two", "three")
            await app.warns("has not been reachable since", gone=True)
            await house.says("all there")
            await app.shows("all there")
            for text in ("one", "two", "three"):
                await app.shows(text, "Sent")
                await app.archives(text)

    run_in_qt_loop(qapp, work(), timeout_s=STORY_S)
    ends_sound(house.firm, 5)


def test_a_lost_answer_stays_unknown_until_the_employee_decides(
    qapp: QApplication, tmp_path: Path, house: House
) -> None:
    async def work() -> None:
        async with _chat(qapp, house, tmp_path) as app:
            house.line.lose_answer_to(SEND)
            await app.types("one")
            await app.shows("one", UNKNOWN, "Sending again may repeat it.")
            await app.types("two")
            await app.shows("two", "on its way")
            await house.sees("one")
            await app.decides("one", "It was delivered")
            await house.sees("one", "two")
            await app.shows("two", "Sent")
            house.line.hold_answer_to(SEND)
            await app.types("three")
            await house.sees("one", "two", "three")
            await asyncio.to_thread(house.api.kill)
            house.line.cut_once()  # what it had answered never came
            house.line.restore()
            await app.shows("three", UNKNOWN)
            await asyncio.to_thread(house.api.start)
            await house.sees("one", "two", "three")
            await app.decides("three", "Send again…")
            await app.confirms("Send again")
            await house.sees("one", "two", "three", "three")
            await app.shows("three", "Sent")
            for text in ("one", "two", "three"):
                await app.archives(text)

    run_in_qt_loop(qapp, work(), timeout_s=STORY_S)
    ends_sound(house.firm, 4)


def test_a_backend_killed_while_it_sends_sends_nothing_twice(
    qapp: QApplication, tmp_path: Path, house: House, expect_log: LogGuard
) -> None:
    expect_log(".", logger="app", required=False)
    expect_log(".", logger="backend_client", required=False)

    async def work() -> None:
        async with _chat(qapp, house, tmp_path) as app:
            house.line.hold_answer_to(SEND)
            await app.types("one")
            await until(lambda: house.line.held == 1, 120)
            await asyncio.to_thread(house.firm.kill)
            house.line.restore()
            await house.says("are you there?")
            await app.types("two")
            await asyncio.to_thread(house.firm.start)
            await app.shows("one", UNKNOWN)
            await app.shows("are you there?")
            await app.shows("two", "on its way")
            await house.sees("one")
            await app.decides("one", "It was delivered")
            await house.sees("one", "two")
            await app.archives("two")

    run_in_qt_loop(qapp, work(), timeout_s=STORY_S)
    ends_sound(house.firm, 4)
