"""Builds an import page over a desk that reads real files and holds a backend's answers as values.

It never opens a store or a connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtWidgets import QAbstractButton

from app.domain.errors import AppError
from app.domain.imports import Export, Imported, ReadAs, Staged, Suggestion, Unfinished
from app.imports.matching import suggestions
from app.imports.reading import Watch, read_export
from contract.ids import ContactId, ConversationId, EmployeeId, FirmId
from contract.imports.model import ImportedChat
from contract.wire import Contact, Me
from tests.ui.kit import StillClock, until
from ui.bridge.spawn import Spawner
from ui.models.import_presenter import ImportPresenter
from ui.models.import_state import ImportState, Step
from ui.theme.tokens import LIGHT
from ui.views.pages.import_page import ImportPage

ME = Me(
    employee_id=EmployeeId("e1"),
    firm_id=FirmId("f1"),
    display_name="Elena Marchetti",
    initials="EM",
    roles=(),
    time_zone="Europe/Paris",
    language="en",
)


def client(number: int, name: str, organisation: str = "") -> Contact:
    """Return a client of the book."""
    return Contact(
        contact_id=ContactId(f"c{number}"),
        version=1,
        display_name=name,
        initials="C",
        organisation=organisation,
    )


BOOK = (client(1, "Camille Roux", "Roux & Fils"), client(2, "Hana Watanabe", "Sakura"))


@dataclass
class Desk:
    """Reads files as the core does; `fault` refuses what goes to the backend, `gate` holds it.

    `fault_once` refuses the next confirmation alone.
    """

    book_: tuple[Contact, ...] = BOOK
    staged: list[Unfinished] = field(default_factory=list)
    confirmed: list[Unfinished] = field(default_factory=list)
    discarded: list[Unfinished] = field(default_factory=list)
    left: Unfinished | None = None
    new: int = 5
    changed: int = 0
    fault: AppError | None = None
    fault_once: AppError | None = None
    gate: asyncio.Event | None = None
    outcome: Imported = field(
        default_factory=lambda: Imported(5, 0, conversation_id=ConversationId("talk-9"))
    )

    def my_name(self) -> str:
        return ME.display_name

    def usual_zone(self) -> str:
        return ME.time_zone

    async def zones(self) -> tuple[str, ...]:
        return ("Asia/Tokyo", "Europe/Paris", "UTC")

    async def book(self) -> tuple[Contact, ...]:
        return self.book_

    async def read(self, path: Path, read_as: ReadAs, told: Callable[[float], None]) -> Export:
        await self._held()
        return read_export(path, read_as, Watch(told))

    async def suggestions(self, chat: ImportedChat) -> dict[str, Suggestion]:
        return suggestions(chat, ME, self.book_)

    async def stage(
        self, export: Export, begun: Unfinished, told: Callable[[float], None]
    ) -> Staged:
        told(0.4)
        await self._held()
        self.staged.append(begun)
        return Staged("import-1", self.new, 0, changed=self.changed)

    async def confirm(self, begun: Unfinished, told: Callable[[float], None]) -> Imported:
        told(0.6)
        await self._held()
        if self.fault_once is not None:
            fault, self.fault_once = self.fault_once, None
            raise fault
        self.confirmed.append(begun)
        self.left = None
        return self.outcome

    async def discard(self, begun: Unfinished) -> None:
        self.discarded.append(begun)
        self.left = None

    async def keep(self, begun: Unfinished) -> None:
        self.left = begun

    async def kept(self) -> Unfinished | None:
        return self.left

    async def _held(self) -> None:
        await asyncio.sleep(0)
        if self.gate is not None:
            await self.gate.wait()
        if self.fault is not None:
            raise self.fault


@dataclass
class Kit:
    """The page over a desk."""

    desk: Desk
    presenter: ImportPresenter
    page: ImportPage
    spawner: Spawner

    @property
    def state(self) -> ImportState:
        """Return what the page shows."""
        return self.presenter.state

    async def read(self, path: Path) -> None:
        """Hand in a file and wait until it is read."""
        self.presenter.take_file(path)
        await self.settled()

    async def settled(self, step: Step | None = None) -> None:
        """Wait until nothing is done any more."""
        await until(lambda: self.state.work is None and step in (None, self.state.step))

    def button(self, name: str) -> QAbstractButton:
        """Return the visible button that a screen reader calls so."""
        buttons = self.page.findChildren(QAbstractButton)
        return next(one for one in buttons if one.accessibleName() == name and one.isVisible())

    async def close(self) -> None:
        """End every task and hide the page."""
        await self.spawner.close()
        self.page.close()
        self.page.deleteLater()


def import_kit(desk: Desk | None = None) -> Kit:
    """Return a shown page at its first step."""
    desk = desk or Desk()
    spawner = Spawner(lambda name, fault: None)
    presenter = ImportPresenter(desk, spawner, StillClock())
    page = ImportPage(presenter.preview, LIGHT)
    presenter.state_changed.connect(page.show_state)
    page.step.people.confirm_requested.connect(presenter.confirm)
    page.step.dates.order_chosen.connect(lambda order: presenter.set_read_as(order=order))
    page.step.dates.zones.zone_chosen.connect(lambda zone: presenter.set_read_as(zone=zone))
    page.step.chat_chosen.connect(presenter.choose_chat)
    page.foot.go_requested.connect(presenter.go)
    page.foot.back_requested.connect(presenter.back)
    page.work.stop_requested.connect(presenter.stop)
    page.go_on_requested.connect(presenter.go_on)
    page.forget_requested.connect(presenter.discard)
    page.resize(1376, 900)
    page.show()
    return Kit(desk, presenter, page, spawner)
