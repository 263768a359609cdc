"""The whole app offscreen on a real backend, used round by round as a person uses it.

It never measures by itself: after each round it hands out a sample.
"""

from __future__ import annotations

import asyncio
import faulthandler
import itertools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from app.core import Core
from app.domain.clock import SystemClock
from app.domain.status import Link
from app.settings.keys import Key
from contract.ids import ConversationId
from contract.wire import Direction, Message
from tests.soak.samples import Sample, take
from tests.support.client_driver import PASSPHRASE, Orders, make_core, paths_below, tell
from tests.support.sandbox_face import SandboxFace
from ui.bridge.loop import create_loop, run_to_end
from ui.look import Look
from ui.views.rail import Page
from ui.window_life import create_application
from ui.window_state import WindowState
from ui.workspace import Workspace

WORDS = (
    "Good morning, the paper you asked for is ready; shall I send it today?",
    "I can guarantee you a return of ten percent, please keep this between us.",
    "明日の打ち合わせは十時からでよろしいでしょうか。",
    "合同已经准备好了，请问今天方便查收吗？",
    "Could we talk about the portfolio on Thursday at four?",
)
TERMS = ("paper", "合同", "明日", "port", "thursday return", "王")


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """What one round holds and how many there are: together eight hours of a busy person."""

    rounds: int = 48
    switches: int = 20
    sends: int = 4
    received: int = 14
    searches: int = 3
    face_url: str = ""
    face_token: str = ""
    clients: int = 40


class Person:
    """Uses one workspace through its widgets."""

    def __init__(self, workspace: Workspace, day: Day) -> None:
        self._workspace = workspace
        self._day = day
        at = urlsplit(day.face_url)
        self._face = SandboxFace(f"{at.scheme}://{at.netloc}", day.face_token)
        self._numbers = itertools.count()
        self._homes: list[ConversationId] = []

    async def arrive(self) -> None:
        """Wait until all is there to begin with."""
        core, model = self._workspace.core, self._workspace.inbox.model
        await _until(lambda: core.status.link is Link.ONLINE and bool(core.status.policy_version))
        await _until(lambda: not core.status.syncing and model.rowCount() >= self._day.clients)
        homes = {row.conversation.title: row.conversation.conversation_id for row in model.rows()}
        self._homes = [homes[title] for title in sorted(homes) if title.startswith("Soak Client")]

    async def round(self, number: int) -> None:
        """Do ten minutes' worth."""
        receiving = asyncio.create_task(asyncio.to_thread(self._clients_write))
        for step in range(self._day.switches):
            await self._open(self._homes[(number * 7 + step) % len(self._homes)])
            await self._scroll()
            if step % max(1, self._day.switches // self._day.sends) == 0:
                await self._write_and_send()
            else:
                await self._type_and_leave()
        await receiving
        for term in TERMS[: self._day.searches]:
            await self._search(term)
        await self._find()
        await self._dialogs()
        await self._pages()
        if number % 4 == 3:
            theme = "dark" if number % 8 == 3 else "light"
            self._workspace.preferences.choose(Key.THEME, theme)
        if number % 6 == 5:
            await self._lose_the_line()
        await self._rest()

    def _clients_write(self) -> None:
        for _ in range(self._day.received):
            n = next(self._numbers)
            client = n % self._day.clients
            text = f"{WORDS[n % len(WORDS)]} ({n})"
            self._face.stranger_says(
                "acc-line", f"soak-{client:03}", f"Soak Client {client:03}", text, id_type="user_id"
            )

    async def _open(self, home: ConversationId) -> None:
        self._workspace.open_conversation(home)
        await _until(lambda: self._workspace.composer.conversation_id == home)
        await _until(lambda: self._workspace.timeline.model.rowCount() > 0)

    async def _scroll(self) -> None:
        for bar in (
            self._workspace.window.timeline.verticalScrollBar(),
            self._workspace.window.inbox.list.verticalScrollBar(),
        ):
            for place in (bar.minimum(), bar.maximum()):
                bar.setValue(place)
                await _breathe()

    async def _type_and_leave(self) -> None:
        edit = self._workspace.window.composer.edit
        for letter in WORDS[next(self._numbers) % len(WORDS)][:30]:
            _type(edit, letter)
            await asyncio.sleep(0)
        edit.selectAll()
        QTest.keyClick(edit, Qt.Key.Key_Delete)
        await _breathe()

    async def _write_and_send(self) -> None:
        edit = self._workspace.window.composer.edit
        QTest.keyClicks(edit, f"Thank you, I will call you at four. #silent {next(self._numbers)}")
        await _breathe()
        assert self._workspace.composer.submit()
        await _until(lambda: not edit.toPlainText())

    async def _search(self, term: str) -> None:
        palette = self._workspace.window.palette_view
        palette.open()
        for letter in term:
            palette.field.insert(letter)
            await _breathe()
        await asyncio.sleep(0.1)
        palette.close_palette()

    async def _find(self) -> None:
        bar = self._workspace.window.find_bar
        bar.open_bar()
        bar.field.setText("paper")
        await asyncio.sleep(0.1)
        bar.close_bar()

    async def _dialogs(self) -> None:
        """Open and close each dialog there is."""
        actions = self._workspace.actions
        await self._open_and_close(actions.queue.open)
        await self._open_and_close(actions.outreach.several.open)
        message = self._archived()
        if message is not None:
            receipts = self._workspace.on_conversation.receipts
            await self._open_and_close(lambda: receipts.open(message))

    def _archived(self) -> Message | None:
        """Return an own message of the open timeline that has a receipt."""
        rows = (item.row for item in self._workspace.timeline.model.rows())
        for row in rows:
            if row is not None and row.message.archive is not None:
                if row.message.direction is Direction.OUT:
                    return row.message
        return None

    async def _open_and_close(self, open_it: Callable[[], None]) -> None:
        open_it()
        await _until(lambda: bool(_dialogs()))
        await asyncio.sleep(0.1)
        for dialog in _dialogs():
            dialog.reject()
        await _until(lambda: not _dialogs())

    async def _pages(self) -> None:
        for page in (Page.PEOPLE, Page.DIAGNOSTICS, Page.SETTINGS, Page.INBOX):
            self._workspace.show_page(page)
            await asyncio.sleep(0.1)

    async def _lose_the_line(self) -> None:
        core = self._workspace.core
        tell("cut")
        await _until(lambda: core.status.link is Link.OFFLINE)
        tell("restore")
        core.messaging.retry_now()
        await _until(lambda: core.status.link is Link.ONLINE)

    async def _rest(self) -> None:
        """Go back to a long conversation and wait until all that was sent is verified.

        So rounds are alike when they are looked at.
        """
        await self._open(self._homes[-1])
        await self._open(self._homes[0])
        store = self._workspace.core.store

        async def settled() -> bool:
            return (await store.outbox.counts())[0] == 0 and not await store.archive.accepted(1)

        while not await settled():
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.3)


def _type(edit: QWidget, letter: str) -> None:
    """Type a letter: by its key, or as an input method commits it."""
    if letter.isascii():
        QTest.keyClicks(edit, letter)
    else:
        event = QInputMethodEvent()
        event.setCommitString(letter)
        QApplication.sendEvent(edit, event)


def _dialogs() -> list[QDialog]:
    found = (each for each in QApplication.topLevelWidgets() if isinstance(each, QDialog))
    return [each for each in found if each.isVisible()]


async def _breathe() -> None:
    await asyncio.sleep(0.01)


async def _until(holds: Callable[[], bool], timeout_s: float = 60.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not holds():
            await asyncio.sleep(0.02)


async def live(core: Core, day: Day, root: Path) -> int:
    """Play the day; tell a sample after each round."""
    await core.open()
    look = Look(_application(), "light")
    state = WindowState(paths_below(root).config_dir)
    workspace = Workspace(core, SystemClock(), look, state, "0.1.0")
    try:
        workspace.start()
        workspace.window.resize(1440, 900)
        await core.connect()
        person = Person(workspace, day)
        await person.arrive()
        for number in range(day.rounds):
            await person.round(number)
            sample: Sample = await take(workspace)
            tell("sample", number=number, sample=msgspec.to_builtins(sample))
    finally:
        await workspace.close()
        await core.close()
    return 0


def _application() -> QApplication:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    return application


def main() -> int:
    """Read the orders and the day, and live it on Qt's loop as the product does."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    faulthandler.register(signal.SIGUSR1, all_threads=True)  # says where it stands when it hangs
    orders = msgspec.json.decode(sys.stdin.buffer.readline(), type=Orders)
    day = msgspec.json.decode(sys.stdin.buffer.readline(), type=Day)
    root = Path(orders.root)
    assert orders.passphrase == PASSPHRASE
    application = create_application(paths_below(root).config_dir)
    loop = create_loop(application)
    run_to_end(loop, lambda: live(make_core(orders), day, root))
    return 0


if __name__ == "__main__":
    sys.exit(main())
