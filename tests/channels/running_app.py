"""The real app over a firm's backend: its window, what it shows, keys and clicks into it.

It never reads the store: what a test learns stands on the screen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QPushButton

from app.core import Core
from app.domain.clock import SystemClock
from app.domain.status import Link
from app.settings.schema import Origin, load_schema
from app.settings.settings import Settings
from app.settings.sources import Source
from tests.support.client_driver import PASSPHRASE, paths_below
from tests.support.firm_backend import FirmBackend
from tests.support.waiting import eventually
from tests.ui.kit import until
from ui.look import Look
from ui.views.dialogs.plain_dialog import PlainDialog
from ui.window_state import WindowState
from ui.workspace import Workspace

PATIENCE_S = 120.0
# How long one story may take from its first to its last step.
STORY_S = 560.0


class Bubble(NamedTuple):
    """What one bubble on screen says: its text, and every word beneath it, reactions and files too.

    `verified` tells that it says "Archived" in green: this computer has checked the proof.
    """

    number: int
    text: str
    own: bool
    words: str
    verified: bool


class OpenApp:
    """One running window with an open conversation."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.window = workspace.window

    async def opens(self, title: str) -> None:
        """Wait until a conversation stands in the inbox, and click it."""
        inbox, model = self.window.inbox, self.workspace.inbox.model
        await until(lambda: self._inbox_number(title) >= 0, PATIENCE_S)
        listed = inbox.list
        index = model.index(self._inbox_number(title))
        listed.scrollTo(index)
        QTest.mouseClick(
            listed.viewport(),
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
            listed.visualRect(index).center(),
        )
        await until(lambda: self.window.header.texts()[0] == title, PATIENCE_S)
        await until(self.window.composer.edit.isEnabled, PATIENCE_S)

    def bubbles(self) -> list[Bubble]:
        """Return the bubbles on screen, oldest first."""
        model, found = self.workspace.timeline.model, []
        for number in range(model.rowCount()):
            if (words := model.words_at(number)) is not None:
                parts = (*words.footer, *words.below)
                green = any(p.tone == "ok" and p.text.startswith("Archived #") for p in parts)
                said = [part.text for part in parts]
                said += [each.emoji for each in words.reactions]
                said += [each.name for each in words.files]
                found.append(Bubble(number, words.text, words.own, " · ".join(said), green))
        return found

    def texts(self) -> list[str]:
        """Return the texts on screen, oldest first."""
        return [bubble.text for bubble in self.bubbles()]

    async def shows(self, text: str, *words: str) -> Bubble:
        """Wait until a text stands on screen once, with these words beneath it."""

        def look() -> Bubble | None:
            found = [bubble for bubble in self.bubbles() if bubble.text == text]
            assert len(found) < 2, f"{text!r} stands there twice"
            fits = found and all(word in found[0].words for word in words)
            return found[0] if fits else None

        return await self._until(look, f"{text!r} with {words}")

    async def archives(self, text: str) -> Bubble:
        """Wait until a text says that it is archived, as this computer has checked."""

        def look() -> Bubble | None:
            return next((b for b in self.bubbles() if b.text == text and b.verified), None)

        return await self._until(look, f"the checked receipt of {text!r}")

    async def types(self, text: str) -> None:
        """Type into the composer key by key, and press Send."""
        composer = self.window.composer
        await until(
            lambda: composer.edit.isEnabled() and not composer.edit.toPlainText(), PATIENCE_S
        )
        composer.edit.setFocus()
        QTest.keyClicks(composer.edit, text)
        await until(composer.send_button.isEnabled, PATIENCE_S)
        QTest.mouseClick(composer.send_button, Qt.MouseButton.LeftButton)
        await until(lambda: not composer.edit.toPlainText(), PATIENCE_S)

    async def attaches(self, path: Path) -> None:
        """Paste a file into the composer, and wait until it is uploaded."""
        pasted = QMimeData()
        pasted.setUrls([QUrl.fromLocalFile(str(path))])
        self.window.composer.edit.insertFromMimeData(pasted)
        uploads = self.workspace.composer.uploads
        await until(lambda: bool(uploads.ready_ids), PATIENCE_S)

    async def decides(self, text: str, entry: str) -> None:
        """Choose an entry of a message's context menu, as soon as it offers that."""
        await self.shows(text)
        await until(lambda: self._chose(text, entry), PATIENCE_S)

    async def confirms(self, words: str) -> None:
        """Press the button with these words in the dialog that asks."""

        def button() -> QPushButton | None:
            for dialog in self.window.findChildren(PlainDialog):
                for each in dialog.findChildren(QPushButton):
                    if dialog.isVisible() and each.text() == words:
                        return each
            return None

        await until(lambda: button() is not None, PATIENCE_S)
        found = button()
        assert found is not None
        QTest.mouseClick(found, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))

    async def warns(self, words: str, *, gone: bool = False) -> None:
        """Wait until a strip above the inbox says these words, or until none does any more."""
        strips = self.window.banners
        try:
            await until(lambda: any(words in one for one in strips.texts()) is not gone, PATIENCE_S)
        except TimeoutError:
            raise AssertionError(f"{words!r} in vain: {strips.texts()}") from None

    def _chose(self, text: str, entry: str) -> bool:
        """Open a message's context menu and click an entry; without it close the menu again."""
        view = self.window.timeline
        (bubble,) = [each for each in self.bubbles() if each.text == text]
        view.setCurrentIndex(self.workspace.timeline.model.index(bubble.number))
        at = view.visualRect(view.currentIndex()).center()
        asked = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, view.mapToGlobal(at))
        QApplication.sendEvent(view.viewport(), asked)
        (menu,) = [each for each in view.findChildren(QMenu) if each.isVisible()]
        offered = [each for each in menu.actions() if each.text() == entry]
        if not offered:
            menu.close()
            return False
        at = menu.actionGeometry(offered[0]).center()
        QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=at)
        return True

    async def _until(self, look: Callable[[], Bubble | None], what: str) -> Bubble:
        try:
            await until(lambda: look() is not None, PATIENCE_S)
        except TimeoutError:
            raise AssertionError(f"{what} in vain: {self.bubbles()}") from None
        bubble = look()
        assert bubble is not None
        return bubble

    def _inbox_number(self, title: str) -> int:
        rows = self.workspace.inbox.model.rows()
        titles = [row.conversation.title for row in rows]
        return titles.index(title) if title in titles else -1


@asynccontextmanager
async def open_app(
    application: QApplication, folder: Path, firm: FirmBackend, token: str
) -> AsyncIterator[OpenApp]:
    """Open a core on a running firm and its window, online and synced; close both afterwards.

    IT manages what it manages in a firm: the keys of log, witness and policy.
    """
    paths, clock = paths_below(folder), SystemClock()
    managed = Source(Origin.MANAGED, "the test", firm.client_settings())
    own = Source(Origin.USER, "the test", {"UndoSendSeconds": 0})
    core = Core(
        Settings(load_schema(), [managed, own]),
        paths,
        clock,
        endpoint=firm.endpoint(token),
        passphrase=PASSPHRASE,
    )
    await core.open()
    look, state = Look(application, "light"), WindowState(paths.config_dir)
    workspace = Workspace(core, clock, look, state, "0.1.0")
    try:
        workspace.start()
        workspace.window.resize(1440, 900)
        await core.connect()
        await until(lambda: core.status.link is Link.ONLINE and not core.status.syncing, PATIENCE_S)
        yield OpenApp(workspace)
    finally:
        await workspace.close()
        await core.close()


async def person_sees(
    firm: FirmBackend, seen: Callable[[], Awaitable[list[str]]], *texts: str
) -> None:
    """Wait until a person at a vendor has seen these texts and no other, oldest first."""

    async def look() -> bool:
        return await seen() == list(texts)

    try:
        await eventually(look, f"the person to see {texts}", timeout_s=PATIENCE_S)
    except AssertionError as error:
        said = f"saw {await seen()}; the backend said {firm.child.errors[-3000:]}"
        raise AssertionError(f"{error}; {said}") from None
