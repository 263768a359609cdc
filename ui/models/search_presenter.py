"""Asks the store as the user types, and shows only the newest question's answer.

It never searches itself and never holds more than one page of results.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.search import SearchResults
from contract.wire import Conversation
from ui.bridge.spawn import Spawner
from ui.models.palette_model import PaletteAction, PaletteModel, palette_rows

LIMIT_PEOPLE = 5
LIMIT_MESSAGES = 50
KEPT_FIGURES = 256


class SearchSource(Protocol):
    """What answers; `Store.search` offers it."""

    async def search(self, text: str, limit_people: int, limit_messages: int) -> SearchResults:
        """Return people and messages holding every term of `text`."""
        ...


class SearchPresenter(QObject):
    """Owns the palette's rows; `elapsed_ms` keeps this session's figures for the diagnostics."""

    results_shown = Signal(object)

    def __init__(
        self,
        source: SearchSource,
        spawner: Spawner,
        now_utc_ms: Callable[[], int],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._source = source
        self._spawner = spawner
        self._now_utc_ms = now_utc_ms
        self.model = PaletteModel(self)
        self.elapsed_ms: list[float] = []
        self._actions: tuple[PaletteAction, ...] = ()
        self._recent: Callable[[], Sequence[Conversation]] = tuple
        self._text = ""
        self._question = 0
        self._task: asyncio.Task[None] | None = None
        # One turn of the loop gathers the keys of one burst into one question.
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.setInterval(0)
        self._turn.timeout.connect(self._ask)

    def set_actions(self, actions: Sequence[PaletteAction]) -> None:
        """Offer these actions below what is found."""
        self._actions = tuple(actions)
        self._show(None)

    def set_recent(self, recent: Callable[[], Sequence[Conversation]]) -> None:
        """Offer what `recent` returns while nothing is asked."""
        self._recent = recent

    def set_text(self, text: str) -> None:
        """Take the question as typed so far."""
        if text == self._text:
            return
        self._text = text
        self._question += 1
        self._turn.start()

    def reset(self) -> None:
        """Begin with an empty question."""
        self._text = ""
        self._question += 1
        self._turn.stop()
        self._cancel()
        self._show(None)

    def _ask(self) -> None:
        self._cancel()
        if not self._text.strip():
            self._show(None)
            return
        self._task = self._spawner.spawn(self._search(self._question, self._text), "search")

    async def _search(self, question: int, text: str) -> None:
        results = await self._source.search(text, LIMIT_PEOPLE, LIMIT_MESSAGES)
        if question != self._question:
            return
        self.elapsed_ms.append(results.elapsed_ms)
        del self.elapsed_ms[:-KEPT_FIGURES]
        self._show(results)
        self.results_shown.emit(results)

    def _show(self, results: SearchResults | None) -> None:
        recent = () if self._text.strip() else self._recent()
        rows = palette_rows(self._text, results, self._actions, self._now_utc_ms(), recent)
        self.model.set_rows(rows)

    def _cancel(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
        self._task = None
