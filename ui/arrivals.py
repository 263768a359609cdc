"""Follows what reaches the running window from outside: links, and the wish to be seen.

It never trusts a link: what it names is looked up like anything else, and else said not to be here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication

from app.domain.errors import AppError
from app.domain.links import ParleyLink, parse_link
from ui.application import Application
from ui.models.banner_words import BannerWords

if TYPE_CHECKING:
    from contract.ids import ConversationId, MessageId
    from ui.views.main_window import MainWindow
    from ui.workspace import Workspace

_KEY = "link"
_UNKNOWN = "It leads to nothing you can open here. Ask who sent it what it was about."
_MALFORMED = "Parley can't read it. Copy the whole link and open it again."


class Arrivals(QObject):
    """What comes before there is a workspace waits for it; the newest one counts."""

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self._workspace: Workspace | None = None
        self._waiting: str | None = None
        if isinstance(application, Application):
            application.link_opened.connect(self.take)

    def take(self, link: str) -> None:
        """Bring the window to the front and follow a link; "" is the wish to be seen alone."""
        workspace = self._workspace
        if workspace is None:
            self._waiting = link
            return
        bring_to_front(workspace.window)
        if link:
            workspace.spawner.spawn(self._follow(workspace, link), "follow a link")

    def attach(self, workspace: Workspace) -> None:
        """Follow what has waited, and from now on everything, in this workspace."""
        self._workspace = workspace
        if self._waiting is not None:
            link, self._waiting = self._waiting, None
            self.take(link)

    def detach(self) -> None:
        """Follow nothing any more."""
        self._workspace = None

    async def _follow(self, workspace: Workspace, text: str) -> None:
        link = parse_link(text)
        if link is None:
            self._tell(workspace, _MALFORMED)
            return
        workspace.banners.dismiss(_KEY)
        place = await _place_of(workspace, link)
        if place is None:
            self._tell(workspace, _UNKNOWN)
        else:
            # Not to the composer: whoever types just now would write to another client.
            workspace.window.timeline.setFocus(Qt.FocusReason.OtherFocusReason)
            workspace.open_conversation(*place)

    def _tell(self, workspace: Workspace, words: str) -> None:
        actions = ((f"dismiss:{_KEY}", "Understood"),)
        lead = "The link could not be opened."
        workspace.banners.tell(BannerWords(_KEY, "warn", lead, words, actions))


def bring_to_front(window: MainWindow) -> None:
    """Show a window that may be minimised or behind others, and ask for the focus."""
    if window.isMinimized():
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()
    QApplication.alert(window)


async def _place_of(
    workspace: Workspace, link: ParleyLink
) -> tuple[ConversationId, MessageId | None] | None:
    """Return where a link leads on this computer, None when that is nowhere the person may be."""
    source = workspace.source
    if link.message_id is None:
        home = link.conversation_id
        return None if home is None or await source.conversation(home) is None else (home, None)
    row = await source.message(link.message_id)
    if row is None:
        try:
            await workspace.core.rooms.search.bring(link.message_id)
        except AppError:  # no line, or not this person's to see: either way it is not here
            return None
        row = await source.message(link.message_id)
    return None if row is None else (row.message.conversation_id, link.message_id)
