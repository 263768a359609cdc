"""Tells of versions of Parley: a quiet strip about a newer one, a page where this one is too old.

It never fetches or installs a version; it opens the firm's own page at most.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QUrl
from PySide6.QtGui import QDesktopServices

from app.domain.client_versions import ClientVersions
from app.domain.status import CoreStatus
from app.domain.version import CLIENT_VERSION
from app.installation import installed
from ui.bridge.dialogs import ask_where_to_save
from ui.models.version_words import NEWER_VERSION, newer_banner, page_offered, too_old_words
from ui.unsent_texts import unsent_texts
from ui.views.pages.too_old import TooOldPage

if TYPE_CHECKING:
    from ui.workspace import Workspace

_FILE_NAME = "Unsent messages.txt"


class VersionNotice(QObject):
    """One workspace's; it follows the core's status until the workspace ends."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self._told = ClientVersions()
        self._installed = installed()
        self.page: TooOldPage | None = None
        workspace.signals.status_changed.connect(self.on_status)
        workspace.signals.changed.connect(lambda _changes: self._read_texts())
        self.on_status(workspace.core.status)

    def on_status(self, status: CoreStatus) -> None:
        """Show what the newest word on versions asks for."""
        if status.versions == self._told:
            return
        self._told = status.versions
        self._show_page()
        if self._told.newer and self._told.newer != self._workspace.state.dismissed_version():
            words = newer_banner(self._told, self._installed)
            self._workspace.banners.tell(words, quietly=True)
        else:
            self._workspace.banners.dismiss(NEWER_VERSION)

    def on_dismissed(self, key: str) -> None:
        """Keep that the user has read of this newer version: a later one is told of again."""
        if key == NEWER_VERSION:
            self._workspace.state.set_dismissed_version(self._told.newer)

    def open_page(self) -> None:
        """Open the firm's own page about versions in the browser."""
        url = QUrl(page_offered(self._told, self._installed))
        if url.scheme() == "https":
            QDesktopServices.openUrl(url)

    def _show_page(self) -> None:
        """Put the page in the place of everything while this version is too old."""
        window = self._workspace.window
        if not self._told.needed:
            if self.page is not None:
                self.page = None
                window.cover(None)
            return
        words = too_old_words(self._told, CLIENT_VERSION, self._installed)
        offers_page = bool(page_offered(self._told, self._installed))
        page = TooOldPage(words, self._workspace.look.tokens, offers_page=offers_page)
        page.look_again_requested.connect(self._workspace.core.rooms.sync.hurry)
        page.save_requested.connect(self._on_save)
        page.page_requested.connect(self.open_page)
        self.page = page
        window.cover(page)
        page.again.setFocus(Qt.FocusReason.OtherFocusReason)
        self._read_texts()

    def _read_texts(self) -> None:
        if self.page is not None:
            self._workspace.spawner.spawn(self._show_texts(), "read what is unsent")

    async def _show_texts(self) -> None:
        await self._workspace.composer.flush()
        texts = await unsent_texts(self._workspace.core)
        if self.page is not None:
            self.page.show_texts(texts)

    def _on_save(self) -> None:
        self._workspace.spawner.spawn(self._save(), "save what is unsent")

    async def _save(self) -> None:
        from asyncio import to_thread

        page = self.page
        chosen = await ask_where_to_save(self._workspace.window, "Save my texts", _FILE_NAME)
        if not chosen or page is None or page is not self.page:
            return
        try:
            await to_thread(_write, Path(chosen), f"{page.texts.toPlainText()}\n")
        except OSError as error:
            page.show_fault(f"The file could not be written: {error.strerror or error}.")
        else:
            page.show_fault("")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
