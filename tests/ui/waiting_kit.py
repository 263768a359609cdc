"""Builds pages of queues that wait for decisions over rows held as values.

It never opens a store or a connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit

from app.domain.errors import AppError, Conflict
from tests.ui.kit import until
from ui.bridge.spawn import Spawner
from ui.models.waiting_presenter import WaitingPresenter
from ui.views.pages.queue_page import QueuePage

Row = TypeVar("Row")
Queue = TypeVar("Queue")
Presenter = TypeVar("Presenter", bound=WaitingPresenter[Any])
Page = TypeVar("Page", bound=QueuePage[Any])


@dataclass
class WaitingRows(Generic[Row]):
    """A queue of rows; `fault` refuses, `gate` holds a decision back.

    `taken` tells that somebody else was quicker. `decisions` are what was asked, keys last.
    """

    key: Callable[[Row], str]
    rows: list[Row] = field(default_factory=list)
    decisions: list[tuple[Any, ...]] = field(default_factory=list)
    fault: AppError | None = None
    taken: bool = False
    gate: asyncio.Event | None = None

    async def read(self) -> tuple[Row, ...]:
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        return tuple(self.rows)

    async def decided(self, row: Row, *asked: object) -> None:
        """Take a decision on a row, or refuse it as told."""
        await asyncio.sleep(0)
        if self.gate is not None:
            await self.gate.wait()
        self.decisions.append((self.key(row), *asked))
        if self.fault is not None:
            raise self.fault
        if self.taken:
            raise Conflict
        self.rows = [one for one in self.rows if self.key(one) != self.key(row)]


@dataclass
class WaitingKit(Generic[Queue, Presenter, Page]):
    """The page over a queue; `note_name` is how screen readers call the field for the note."""

    queue: Queue
    presenter: Presenter
    page: Page
    spawner: Spawner
    note_name: str

    def __post_init__(self) -> None:
        self.page.resize(1000, 640)
        self.page.show()

    async def opened(self) -> None:
        """Read the queue and wait until it is shown."""
        self.presenter.refresh()
        await until(lambda: not self.presenter.state.reading)

    async def settled(self) -> None:
        """Wait until no decision is being made."""
        await until(lambda: not self.presenter.state.deciding)

    async def close(self) -> None:
        """End every task and hide the page."""
        await self.spawner.close()
        self.page.close()
        self.page.deleteLater()

    def button(self, text: str) -> QAbstractButton:
        """Return the visible button with that text."""
        buttons = self.page.findChildren(QAbstractButton)
        return next(one for one in buttons if one.text() == text and one.isVisible())

    def buttons(self) -> list[str]:
        """Return the texts of the visible buttons."""
        return [b.text() for b in self.page.findChildren(QAbstractButton) if b.isVisible()]

    def press(self, text: str) -> None:
        """Click the visible button with that text."""
        QTest.mouseClick(self.button(text), Qt.MouseButton.LeftButton)

    def note(self) -> QLineEdit:
        """Return the field for the note."""
        fields = self.page.findChildren(QLineEdit)
        return next(one for one in fields if one.accessibleName() == self.note_name)

    def words(self) -> list[str]:
        """Return every label on screen."""
        return [one.text() for one in self.page.findChildren(QLabel) if one.isVisible()]
