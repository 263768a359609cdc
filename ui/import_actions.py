"""Carries out the import from a phone: presenter and page, dropped files, the dialog on people.

It never identifies anybody and never takes a file without being asked.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from contract.imports.day_order import DayOrder
from ui.bridge.dialogs import ask, ask_for_file
from ui.models.banner_words import OPEN_IMPORT, BannerWords
from ui.models.import_presenter import Importing, ImportPresenter
from ui.models.import_state import ImportState
from ui.models.import_story import leaving_words
from ui.models.import_words import count_words, looks_like_export
from ui.views.dialogs.dropped_file import DroppedFileDialog, Meant
from ui.views.dialogs.import_person import ImportPersonDialog
from ui.views.pages.import_page import ImportPage
from ui.views.rail import Page

if TYPE_CHECKING:
    from ui.workspace import Workspace


class ImportActions(QObject):
    """The page, and the ways to it: a button, a command, a file dropped on the window."""

    def __init__(self, workspace: Workspace, desk: Importing) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self._desk = desk
        self.presenter = ImportPresenter(desk, workspace.spawner, workspace.clock, self)
        self.dialog: ImportPersonDialog | DroppedFileDialog | None = None
        self.page = ImportPage(self.presenter.preview, workspace.look.tokens)
        workspace.window.take_import(self.page)
        self._zones_wanted = True
        self._connect()
        workspace.leaving_words = lambda: leaving_words(self.presenter.state, self.presenter.begun)

    def open(self) -> None:
        """Bring the page to the front, where it was left."""
        self._workspace.show_page(Page.IMPORT)
        self.page.focus_step()

    def tell_unfinished(self) -> None:
        """Say above the pages that an import was left begun."""
        words = self.presenter.state.unfinished
        if words:
            self._tell(words, "Go on", "Later")

    def take(self, path: Path) -> None:
        """Read a file, the page in front."""
        self._workspace.show_page(Page.IMPORT)
        self.presenter.take_file(path)

    def on_dropped(self, paths: list[Path]) -> None:
        """Take one file; on an open conversation that takes files, ask what is meant."""
        takes_files = self._takes_files()
        if self.dialog is not None:
            return
        if takes_files and not any(looks_like_export(path.name) for path in paths):
            self._attach(paths)
        elif len(paths) > 1:
            self.open()
            self.presenter.say("Drop one exported file at a time.")
        elif takes_files:
            self._workspace.spawner.spawn(self._ask_meaning(paths[0]), "ask about a dropped file")
        else:
            self.take(paths[0])

    def _tell(self, words: str, open_words: str, dismiss_words: str) -> None:
        actions = ((OPEN_IMPORT, open_words), (f"dismiss:{OPEN_IMPORT}", dismiss_words))
        self._workspace.banners.tell(BannerWords(OPEN_IMPORT, "info", "", words, actions))

    def _on_finished(self) -> None:
        """Say that it is finished to whoever looks at something else by now."""
        if self._workspace.window.page() is not Page.IMPORT:
            self._tell("The import from a phone is finished.", "Show the report", "Understood")

    def _connect(self) -> None:
        page, presenter = self.page, self.presenter
        presenter.state_changed.connect(self._on_state)
        presenter.finished.connect(self._on_finished)
        page.file_requested.connect(self._on_file_requested)
        page.go_on_requested.connect(presenter.go_on)
        page.forget_requested.connect(presenter.discard)
        page.open_requested.connect(self._on_open)
        page.work.stop_requested.connect(presenter.stop)
        page.foot.back_requested.connect(presenter.back)
        page.foot.go_requested.connect(presenter.go)
        page.step.chat_chosen.connect(presenter.choose_chat)
        page.step.people.confirm_requested.connect(presenter.confirm)
        page.step.people.change_requested.connect(self._on_change)
        page.step.dates.zones.zone_chosen.connect(lambda zone: presenter.set_read_as(zone=zone))
        page.step.dates.order_chosen.connect(self._on_order)
        page.show_state(presenter.state)

    def _on_state(self, state: ImportState) -> None:
        self.page.show_state(state)
        if state.dates is not None and self._zones_wanted:
            self._zones_wanted = False
            self._workspace.spawner.spawn(self._offer_zones(), "time zones")

    async def _offer_zones(self) -> None:
        self.page.step.dates.zones.set_zones(await self._desk.zones())

    def _on_order(self, order: DayOrder) -> None:
        self.presenter.set_read_as(order=order)

    def _on_open(self) -> None:
        opens = self.presenter.state.opens
        if opens is not None:
            self._workspace.open_conversation(opens)

    def _on_file_requested(self) -> None:
        self._workspace.spawner.spawn(self._choose_file(), "choose a file to import")

    async def _choose_file(self) -> None:
        chosen = await ask_for_file(self._workspace.window, "Choose the exported file")
        if chosen:
            self.presenter.take_file(Path(chosen))

    def _on_change(self, name: str) -> None:
        if self.dialog is None:
            self._workspace.spawner.spawn(self._change(name), "say who somebody is")

    async def _change(self, name: str) -> None:
        line = next((one for one in self.presenter.state.people if one.name == name), None)
        if line is None:
            return
        dialog = ImportPersonDialog(
            name,
            count_words(line.messages, "message"),
            self._desk.my_name(),
            await self._desk.book(),
            self._workspace.look.tokens,
            self._workspace.window,
        )
        self.dialog = dialog
        try:
            if await ask(dialog) and (person := dialog.chosen()) is not None:
                self.presenter.choose(name, person)
        finally:
            self.dialog = None
            dialog.deleteLater()

    def _takes_files(self) -> bool:
        """Tell whether a conversation is in front whose composer takes files."""
        workspace = self._workspace
        facts = workspace.composer.state().sendability
        in_front = (
            workspace.window.page() is Page.INBOX and workspace.conversation.facts is not None
        )
        return in_front and facts.writable and facts.attachments

    async def _ask_meaning(self, path: Path) -> None:
        facts = self._workspace.conversation.facts
        title = facts.conversation.title if facts is not None else "this conversation"
        dialog = DroppedFileDialog(path.name, title, self._workspace.window)
        self.dialog = dialog
        try:
            if await ask(dialog):
                if dialog.meant is Meant.ATTACH:
                    self._attach([path])
                elif dialog.meant is Meant.IMPORT:
                    self.take(path)
        finally:
            self.dialog = None
            dialog.deleteLater()

    def _attach(self, paths: list[Path]) -> None:
        for path in paths:
            self._workspace.composer.offer_file(str(path))
