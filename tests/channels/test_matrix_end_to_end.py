"""Matrix from a person's program to the app's window and back, over a real Synapse.

It never federates; everything on the way is what a firm would run.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from tests.channels.peers import free_port
from tests.channels.running_app import STORY_S, OpenApp, open_app, person_sees
from tests.channels.synapse import AS_TOKEN, FIRM_USER, HS_TOKEN, Homeserver, Person
from tests.channels.vendor_line import VendorLine
from tests.support.firm_backend import FirmBackend, ends_sound
from tests.support.log_guard import LogGuard
from tests.support.qt_loop import run_in_qt_loop
from tests.support.waiting import eventually
from tests.ui.kit import until

pytestmark = pytest.mark.timeout(600)
ACCOUNT, CLIENT, EMPLOYEE = "acc-matrix", "Ada Lovelace", "emp-ruth"
SEND = b"/send/m.room.message/"


class House:
    """Homeserver, the line to it, the firm, and the person, who has met the firm's account."""

    def __init__(
        self, homeserver: Homeserver, line: VendorLine, firm: FirmBackend, person: Person
    ) -> None:
        self.homeserver, self.line, self.firm, self.person = homeserver, line, firm, person
        self.token = ""
        self.room = ""

    async def meets(self) -> None:
        """Have the person open a chat with the firm's account, which accepts."""
        self.room = await asyncio.to_thread(self.person.meet, FIRM_USER)

        async def joined() -> bool:
            return FIRM_USER in await asyncio.to_thread(self.person.members, self.room)

        await eventually(joined, "the firm to accept", timeout_s=120)

    async def says(self, text: str) -> str:
        """Have the person write."""
        return await asyncio.to_thread(self.person.say, self.room, text)

    async def does(self, content: dict[str, Any], kind: str = "m.room.message") -> None:
        """Have the person do something else: an event as their program makes it."""
        await asyncio.to_thread(self.person.say, self.room, content, kind)

    async def seen(self) -> list[str]:
        """Return what the person was written, oldest first."""
        told = await asyncio.to_thread(self.person.seen, self.room)
        return [each["content"]["body"] for each in told]

    async def sees(self, *texts: str) -> None:
        """Wait until the person has seen these texts and no other."""
        await person_sees(self.firm, self.seen, *texts)

    async def restart(self) -> None:
        """Start the killed homeserver again, on its port, with its data."""
        await asyncio.to_thread(self.homeserver.start)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Run homeserver and firm, the employee's account and client set up by commands."""
    firm = FirmBackend(tmp_path / "firm", port=free_port())
    hook = f"{firm.public_url}/hooks/matrix/{ACCOUNT}"
    with (
        Homeserver(tmp_path / "synapse", hook) as homeserver,
        VendorLine(homeserver.port) as line,
        contextlib.closing(Person(homeserver.url, "ada")) as person,
        firm,
    ):
        house = House(homeserver, line, firm, person)
        house.token = firm.add_employee(EMPLOYEE, "Ruth Amsler")
        settings = {
            "homeserver_url": line.url,
            "user_id": FIRM_USER,
            "as_token": AS_TOKEN,
            "hs_token": HS_TOKEN,
        }
        assert firm.add_channel("matrix", ACCOUNT, settings, "--member", EMPLOYEE) == hook
        point = ["--point", f"matrix:{person.user}", "--consent", "recording=accepted@2026-1"]
        firm.admin("contact", "add", "--name", CLIENT, "--employee", EMPLOYEE, *point)
        firm.start()
        yield house


@contextlib.asynccontextmanager
async def _chat(qapp: QApplication, house: House, folder: Path) -> AsyncIterator[OpenApp]:
    """Open the app on a chat that the person has begun."""
    await house.meets()
    async with open_app(qapp, folder / "app", house.firm, house.token) as app:
        await house.says("Guten Morgen, ist die Order durch?")
        await app.opens(CLIENT)
        await app.shows("Guten Morgen, ist die Order durch?")
        yield app


def test_a_person_is_answered_from_the_window_and_both_sides_are_archived(
    qapp: QApplication, tmp_path: Path, house: House
) -> None:
    async def work() -> None:
        async with _chat(qapp, house, tmp_path) as app:
            await app.types("Ja, zu 41.20, Bestaetigung folgt.")
            await house.sees("Ja, zu 41.20, Bestaetigung folgt.")
            assert (await app.archives("Ja, zu 41.20, Bestaetigung folgt.")).own
            (event,) = await asyncio.to_thread(house.person.seen, house.room)
            await asyncio.to_thread(house.person.read_up_to, house.room, event["event_id"])
            await app.shows("Ja, zu 41.20, Bestaetigung folgt.", "Read")
            await house.says("Danke")
            await app.shows("Danke")

    run_in_qt_loop(qapp, work(), timeout_s=STORY_S)
    ends_sound(house.firm, 3)


def test_files_go_both_ways_and_a_persons_edits_and_reactions_show_in_the_window(
    qapp: QApplication, tmp_path: Path, house: House
) -> None:
    async def work() -> None:
        async with _chat(qapp, house, tmp_path) as app:
            uri = await asyncio.to_thread(house.person.upload, "Order.txt", b"100", "text/plain")
            info = {"mimetype": "text/plain", "size": 3}
            paper = {"msgtype": "m.file", "body": "Order.txt", "url": uri, "info": info}
            await house.does(paper)
            await app.shows("", "Order.txt")
            await app.types("Danke")
            await house.sees("Danke")
            (ours,) = await asyncio.to_thread(house.person.seen, house.room)
            liked = {
                "rel_type": "m.annotation",
                "event_id": ours["event_id"],
                "key": "\N{OK HAND SIGN}",
            }
            await house.does({"m.relates_to": liked}, "m.reaction")
            await app.shows("Danke", "\N{OK HAND SIGN}")
            note = tmp_path / "Abrechnung.txt"
            note.write_bytes(b"Kurs 41.20")
            await app.attaches(note)
            await app.types("Anbei")
            await house.sees("Danke", "Anbei")
            await app.shows("Anbei", "Abrechnung.txt", "Sent")
            (_, sent) = await asyncio.to_thread(house.person.seen, house.room)
            uri = sent["content"]["url"]
            assert await asyncio.to_thread(house.person.download, uri) == note.read_bytes()
            first = await house.says("um vier")
            await app.shows("um vier")
            newer = {"msgtype": "m.text", "body": "um fuenf"}
            about = {"rel_type": "m.replace", "event_id": first}
            await house.does({**newer, "m.new_content": newer, "m.relates_to": about})
            await app.shows("um fuenf", "edited")

    run_in_qt_loop(qapp, work(), timeout_s=STORY_S)
    ends_sound(house.firm, 5)


def test_what_is_changed_in_the_window_reaches_the_person(
    qapp: QApplication, tmp_path: Path, house: House
) -> None:
    async def work() -> None:
        async with _chat(qapp, house, tmp_path) as app:
            await app.types("um vier")
            await house.sees("um vier")
            (first,) = await asyncio.to_thread(house.person.seen, house.room)
            await app.shows("um vier", "Sent")
            await app.decides("um vier", "Change text…")
            app.window.composer.edit.clear()
            await app.types("um fuenf")
            await house.sees("um vier", "* um fuenf")
            assert (await app.archives("um fuenf")).own
            (_, newer) = await asyncio.to_thread(house.person.seen, house.room)
            assert newer["content"]["m.relates_to"]["event_id"] == first["event_id"]
            await app.decides("Guten Morgen, ist die Order durch?", "React \N{THUMBS UP SIGN}")
            await app.shows("Guten Morgen, ist die Order durch?", "\N{THUMBS UP SIGN}")

            async def liked() -> bool:
                told = await asyncio.to_thread(house.person.seen, house.room, "m.reaction")
                keys = [each["content"]["m.relates_to"]["key"] for each in told]
                return keys == ["\N{THUMBS UP SIGN}"]

            await eventually(liked, "the reaction to reach the person", timeout_s=120)
            await app.decides("um fuenf", "Delete for everyone…")
            await app.confirms("Delete")
            await app.shows("You deleted this message. It stays in the archive.")

            async def gone() -> bool:
                told = await asyncio.to_thread(house.person.seen, house.room)
                return "um vier" not in [each["content"].get("body") for each in told]

            await eventually(gone, "the message to be gone at the person", timeout_s=120)

    run_in_qt_loop(qapp, work(), timeout_s=STORY_S)
    ends_sound(house.firm, 2)


def test_a_slow_and_killed_homeserver_loses_nothing_and_doubles_nothing(
    qapp: QApplication, tmp_path: Path, house: House
) -> None:
    async def work() -> None:
        async with _chat(qapp, house, tmp_path) as app:
            house.line.slow(400)
            await app.types("eins")
            await house.sees("eins")
            await app.shows("eins", "Sent")
            house.line.restore()
            # The homeserver took it; its answer is lost, and so is what it remembered of it.
            house.line.lose_answer_to(SEND)
            await app.types("zwei")
            await until(lambda: house.line.lost == 1, 120)
            house.line.refuse()
            await asyncio.to_thread(house.homeserver.kill)
            await app.types("drei")
            await house.restart()
            house.line.restore()
            await house.sees("eins", "zwei", "drei")
            await app.shows("zwei", "Sent")
            # Killed while nothing was on its way; what is written meanwhile waits, and says so.
            await asyncio.to_thread(house.homeserver.kill)
            await app.types("vier")
            await app.shows("vier", "on its way")
            await house.restart()
            await house.sees("eins", "zwei", "drei", "vier")
            await house.says("alles da")
            await app.shows("alles da")
            for text in ("eins", "zwei", "drei", "vier"):
                await app.shows(text, "Sent")
                await app.archives(text)

    run_in_qt_loop(qapp, work(), timeout_s=STORY_S)
    ends_sound(house.firm, 6)


def test_a_killed_backend_loses_neither_sides_words(
    qapp: QApplication, tmp_path: Path, house: House, expect_log: LogGuard
) -> None:
    expect_log(".", logger="app", required=False)
    expect_log(".", logger="backend_client", required=False)

    async def work() -> None:
        async with _chat(qapp, house, tmp_path) as app:
            await asyncio.to_thread(house.firm.kill)
            await house.says("noch etwas")
            await app.types("Moment")
            await house.says("und noch etwas")
            await asyncio.to_thread(house.firm.start)
            await house.sees("Moment")
            await app.shows("noch etwas")
            await app.shows("und noch etwas")
            await app.archives("Moment")
            assert [text for text in app.texts() if "noch" in text] == [
                "noch etwas",
                "und noch etwas",
            ]

    run_in_qt_loop(qapp, work(), timeout_s=STORY_S)
    ends_sound(house.firm, 4)
