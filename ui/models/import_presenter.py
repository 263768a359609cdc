"""Leads one file from being read here to its report: people, preview, confirmation.

It never uploads before the person asked for the preview, and never stores before they confirmed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal

from app.domain.clock import Clock
from app.domain.errors import AppError, Conflict
from app.domain.imports import (
    Export,
    Imported,
    Person,
    ReadAs,
    Staged,
    Suggestion,
    Unfinished,
    figures_of,
)
from contract.imports.day_order import DayOrder
from contract.imports.model import ImportedChat
from contract.wire import Contact
from ui.bridge.spawn import Spawner
from ui.models.import_people import PeopleChoices
from ui.models.import_preview import PREVIEW, ImportedTimeline
from ui.models.import_state import ImportState, Step, Work
from ui.models.import_story import (
    MOVED,
    archived_state,
    busy_words,
    file_state,
    people_state,
    previewed_state,
    sentence_on,
    without_work,
)
from ui.models.timeline_presenter import TimelinePresenter

Told = Callable[[float], None]


class Importing(Protocol):
    """What the presenter asks of the core's desk; every error is an AppError."""

    def my_name(self) -> str:
        """Return the signed-in person's name, "" while unknown."""
        ...

    def usual_zone(self) -> str:
        """Return the time zone a phone of this person most likely has."""
        ...

    async def zones(self) -> tuple[str, ...]:
        """Return the time zones this computer knows, by name."""
        ...

    async def book(self) -> tuple[Contact, ...]:
        """Return the clients of the own book by name."""
        ...

    async def read(self, path: Path, read_as: ReadAs, told: Told) -> Export:
        """Read a file on this computer; cancel the call to stop it."""
        ...

    async def suggestions(self, chat: ImportedChat) -> dict[str, Suggestion]:
        """Return whom the chat's names may stand for."""
        ...

    async def stage(self, export: Export, begun: Unfinished, told: Told) -> Staged:
        """Upload the file and have the backend look into it; nothing is stored yet."""
        ...

    async def confirm(self, begun: Unfinished, told: Told) -> Imported:
        """Have what was staged stored, and follow it to its end."""
        ...

    async def discard(self, begun: Unfinished) -> None:
        """Have the backend forget what was staged, and forget what was kept here."""
        ...

    async def keep(self, begun: Unfinished) -> None:
        """Keep what was begun over restarts."""
        ...

    async def kept(self) -> Unfinished | None:
        """Return what was begun and neither finished nor discarded."""
        ...


class ImportPresenter(QObject):
    """`state_changed` carries ImportState; `preview` shows the chat's messages as bubbles.

    `begun` is what is kept over restarts until the import is finished or discarded.
    """

    state_changed = Signal(object)
    finished = Signal()

    def __init__(
        self, desk: Importing, spawner: Spawner, clock: Clock, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.desk = desk
        self.state = ImportState()
        self._spawner = spawner
        self._timeline = ImportedTimeline()
        self.preview = TimelinePresenter(self._timeline, clock, spawner.spawn, self)
        self._task: asyncio.Task[None] | None = None
        self._export: Export | None = None
        self.begun: Unfinished | None = None
        self._chat: ImportedChat | None = None
        self._choices: PeopleChoices | None = None
        self._read_as = ReadAs("")
        self._staged: Staged | None = None

    # -- what the person does ----------------------------------------------------------------

    async def recall(self) -> None:
        """Find what was begun before this start, and say so on the page."""
        begun = await self.desk.kept()
        if begun is not None and self.begun is None and self.state.work is None:
            self.begun = begun
            self._show(file_state(begun))

    def take_file(self, path: Path) -> bool:
        """Read a file; False, with the reason on the page, while another import is begun."""
        if self.state.step is Step.ARCHIVE and self.state.done:
            self._forget()
        if self.state.work is not None or (self.begun is not None and self.begun.path != path):
            self.say(busy_words(self.begun))
            return False
        zone = self._read_as.zone or self.desk.usual_zone()
        self._read_as = ReadAs(zone) if self.begun is None else self.begun.read_as
        self._run(self._read(path), Work(f"Reading “{path.name}” on this computer…", 0))
        return True

    def choose_chat(self, number: int) -> None:
        """Take one of the file's chats; -1 takes none."""
        if self._export is None or self.state.work is not None:
            return
        chosen = 0 <= number < len(self._export.chats)
        self._chat = self._export.chats[number] if chosen else None
        self._choices = None
        if self._chat is None:
            self._show_people()
        else:
            self._run(self._suggest(self._chat), Work("Looking into your book…", can_stop=False))

    def confirm(self, name: str) -> None:
        """Take the suggestion for a name as said."""
        if self._choices is not None and self._choices.confirm(name):
            self._said()

    def choose(self, name: str, person: Person) -> None:
        """Take the person's own word on a name."""
        if self._choices is not None:
            self._choices.choose(name, person)
            self._said()

    def set_read_as(self, *, zone: str = "", order: DayOrder | None = None) -> None:
        """Read the file's times in another zone or another order of its dates."""
        export = self._export
        if export is None or self.state.work is not None:
            return
        self._read_as = ReadAs(zone or self._read_as.zone, order or self._read_as.order)
        self._run(self._read(export.path), Work("Reading the times again…", 0))

    def go(self) -> None:
        """Do what the primary button says: preview, import, or try again."""
        if self.state.hindrance or self.state.work is not None or self.begun is None:
            return
        if self.begun.confirmed:
            self._archive()
        elif self._staged is None or self.state.step is Step.PEOPLE:
            self._stage()
        else:
            self.begun = replace(self.begun, confirmed=True)
            self._archive()

    def back(self) -> None:
        """Go one step back; what was said of the people stays."""
        if self.state.step is Step.PREVIEW and (
            self.state.work is None or self.state.work.can_stop
        ):
            self.stop()
            self._said()
        elif self.state.step is Step.PEOPLE:
            self.stop()
            self._show(file_state(self.begun))

    def stop(self) -> None:
        """Stop what is being done, as far as it can be stopped."""
        if self._task is not None and self.state.work is not None and self.state.work.can_stop:
            self._task.cancel()

    def go_on(self) -> None:
        """Go on with what was begun before."""
        begun = self.begun
        if begun is not None and begun.confirmed:
            self._archive()
        elif begun is not None:
            self.take_file(begun.path)

    def discard(self) -> None:
        """Forget what was begun, here and on the backend; a confirmed import goes on there."""
        begun = self.begun
        self.stop()
        self._forget()
        if begun is not None:
            self._spawner.spawn(self.desk.discard(begun), "discard import")

    def say(self, words: str) -> None:
        """Say on the page why something was not done."""
        self._show(replace(self.state, fault=words))

    # -- what is done ------------------------------------------------------------------------

    async def _read(self, path: Path) -> None:
        export = await self.desk.read(path, self._read_as, self._told)
        self._export = export
        key = self.begun.chat_key if self.begun is not None else ""
        known = [chat for chat in export.chats if chat.key == key]
        chat = known[0] if known else export.chats[0] if len(export.chats) == 1 else None
        self._chat = chat
        if chat is None:
            self._choices = None
            self._show_people()
        else:
            await self._suggest(chat)

    async def _suggest(self, chat: ImportedChat) -> None:
        figures = await asyncio.to_thread(figures_of, chat)
        choices = PeopleChoices(await self.desk.suggestions(chat), figures)
        begun, former = self.begun, self._choices
        if former is not None:
            choices.recall({name: former.person(name) for name in former.spoken()})
        elif begun is not None and begun.chat_key == chat.key:
            choices.recall(begun.people)
        self._choices = choices
        self._said()

    def _said(self) -> None:
        """Show and keep what is said of the people by now."""
        export, chat, choices = self._export, self._chat, self._choices
        if export is None or chat is None or choices is None:
            return
        people = {name: choices.person(name) for name in choices.spoken()}
        former, self._staged = self.begun, None
        self.begun = Unfinished(export.path, export.sha256, chat.key, people, self._read_as)
        self._spawner.spawn(self._keep(self.begun, former), "keep import")
        self._show_people()

    async def _keep(self, begun: Unfinished, former: Unfinished | None) -> None:
        """Keep what is begun by now; what was staged for a former word is forgotten first."""
        if former is not None and former.import_id:
            await self.desk.discard(former)
        await self.desk.keep(begun)

    def _stage(self) -> None:
        export, chat, choices, begun = self._export, self._chat, self._choices, self.begun
        if export is None or chat is None or choices is None or begun is None:
            return
        begun = self.begun = replace(begun, people=choices.said())
        self._timeline.show(chat, begun.people)
        self.preview.open(PREVIEW, chat.title or export.file_name, group=True)
        self._show(previewed_state(export, chat, choices, self._read_as, None))
        work = Work(f"Uploading “{export.file_name}” for the preview…", 0)
        self._run(self._ask_preview(export, begun), work)

    async def _ask_preview(self, export: Export, begun: Unfinished) -> None:
        self._staged = await self.desk.stage(export, begun, self._told)
        self.begun = begun = replace(begun, import_id=self._staged.import_id, new=self._staged.new)
        await self.desk.keep(begun)
        if self._chat is not None and self._choices is not None:
            shown = (export, self._chat, self._choices, self._read_as)
            self._show(previewed_state(*shown, self._staged))

    def _archive(self) -> None:
        begun = self.begun
        if begun is not None:
            self._show(archived_state(self.state, None, begun.file_name))
            work = Work("The archive takes in the chat…", 0, can_stop=False)
            self._run(self._follow(begun), work)

    async def _follow(self, begun: Unfinished) -> None:
        await self.desk.keep(begun)
        try:
            end = await self.desk.confirm(begun, self._told)
        except Conflict:
            await self._look_again(begun)
            return
        self._show(archived_state(self.state, end, begun.file_name))
        self.begun = None
        self.finished.emit()

    async def _look_again(self, begun: Unfinished) -> None:
        """Other messages are new by now than the preview said: show it anew, ask once more."""
        self.begun = replace(begun, confirmed=False)
        await self.desk.keep(self.begun)
        if self._export is None:
            self._show(file_state(self.begun))
        else:
            await self._ask_preview(self._export, self.begun)
        self.say(MOVED)

    def _forget(self) -> None:
        self._export = self.begun = self._chat = self._choices = self._staged = None
        self._read_as = ReadAs("")
        self._show(file_state(None))

    # -- how it is done ----------------------------------------------------------------------

    def _run(self, work: Coroutine[Any, Any, None], shown: Work) -> None:
        self._show(replace(self.state, work=shown, fault=""))
        self._task = self._spawner.spawn(self._watched(work), "import")

    async def _watched(self, work: Awaitable[None]) -> None:
        """Do it; what went wrong is said on the page, where one can try again."""
        try:
            await work
        except AppError as fault:
            self.say(sentence_on(fault))
        finally:
            if self._task is asyncio.current_task():
                self._task = None
                self._show(without_work(self.state, self._staged))

    def _told(self, fraction: float) -> None:
        work = self.state.work
        percent = int(100 * fraction)
        if work is not None and work.percent != percent:
            self._show(replace(self.state, work=replace(work, percent=percent)))

    def _show_people(self) -> None:
        if self._export is not None:
            shown = people_state(self._export, self._chat, self._choices, self._read_as)
            self._show(replace(shown, work=self.state.work))

    def _show(self, state: ImportState) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)
