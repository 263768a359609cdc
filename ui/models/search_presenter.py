"""Asks the store as the user types, then the archive, and shows only the newest question's answer.

It never searches itself and never holds more than a few hundred results.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal

from app.domain.search import ArchiveAnswer, ArchiveState, MessageHit, SearchResults
from app.domain.search_query import OpenFilter, with_value
from contract.ids import ConversationId
from contract.wire import Conversation
from ui.bridge.spawn import Spawner
from ui.models.filter_choices import NameSource, choices_at
from ui.models.palette_model import PaletteAction, PaletteModel
from ui.models.palette_rows import PaletteContents, palette_rows
from ui.models.search_words import FOOT, advice_sentence, foot_words

LIMIT_PEOPLE = 5
# As many as show at once; the others follow once the typing rests, before the archive's.
LIMIT_FIRST = 10
LIMIT_MESSAGES = 20
LIMIT_MORE = 50
MOST_MESSAGES = 400
KEPT_FIGURES = 256
# The archive is asked once the typing rests; what is here shows with each key.
ARCHIVE_AFTER_S = 0.35
_MOST_ROUNDS = 6


class SearchAnswer(Protocol):
    """What a search finds, awaited once; `cancel` it when nobody wants it any more."""

    def __await__(self) -> Generator[Any, None, SearchResults]:
        """Wait for the results."""
        ...

    def cancel(self) -> object:
        """Want them no more."""
        ...


class SearchSource(NameSource, Protocol):
    """What answers; app.search_desk offers it."""

    def search(
        self,
        text: str,
        limit_people: int,
        limit_messages: int,
        *,
        home: ConversationId | None = None,
        below_row: int | None = None,
    ) -> SearchAnswer:
        """Begin to look for people and messages of this computer with every term of `text`."""
        ...

    async def ask_archive(self, text: str, cursor: str = "") -> ArchiveAnswer:
        """Return what the archive has that this computer lacks."""
        ...


class SearchPresenter(QObject):
    """Owns the palette's rows; `elapsed_ms` keeps this session's figures for the diagnostics.

    `merging` and `merged` enclose results laid into those that are shown: whoever shows them
    keeps the chosen row where it is.
    """

    results_shown = Signal(object)
    merging = Signal()
    merged = Signal()
    foot_changed = Signal(str)
    spoken = Signal(str)

    def __init__(
        self,
        source: SearchSource,
        spawner: Spawner,
        now_utc_ms: Callable[[], int],
        parent: QObject | None = None,
        *,
        archive_after_s: float = ARCHIVE_AFTER_S,
    ) -> None:
        super().__init__(parent)
        self._source = source
        self._spawner = spawner
        self._now_utc_ms = now_utc_ms
        self._archive_after_s = archive_after_s
        self.model = PaletteModel(self)
        self.elapsed_ms: list[float] = []
        self.foot = FOOT
        self._actions: tuple[PaletteAction, ...] = ()
        self._recent: Callable[[], Sequence[Conversation]] = tuple
        self._shown = PaletteContents()
        self._place: OpenFilter | None = None
        self._next_row: int | None = None
        self._archive_cursor = ""
        self._is_archive_due = False
        self._caret = 0
        self._question = 0
        self._task: asyncio.Task[None] | None = None
        self._begun: SearchAnswer | None = None

    def set_actions(self, actions: Sequence[PaletteAction]) -> None:
        """Offer these actions below what is found."""
        self._actions = tuple(actions)
        self._show(PaletteContents(text=self._shown.text))

    def set_recent(self, recent: Callable[[], Sequence[Conversation]]) -> None:
        """Offer what `recent` returns while nothing is asked."""
        self._recent = recent

    def set_text(self, text: str, caret: int | None = None) -> None:
        """Take the question as typed so far; `caret` stands in it, by default at its end."""
        if text == self._shown.text:
            return
        self._shown = replace(self._shown, text=text)
        self._caret = len(text) if caret is None else caret
        self._question += 1
        self._ask()

    def reset(self) -> None:
        """Begin with an empty question."""
        self._question += 1
        self._cancel()
        self._show(PaletteContents())
        self._tell(ArchiveState.NOT_ASKED)

    def completed(self, value: str) -> str:
        """Return the question with the filter under the caret completed to `value`."""
        text = self._shown.text
        return text if self._place is None else with_value(text, self._place, value)

    def show_more(self) -> None:
        """Show older messages below those that are shown: of this computer, then the archive."""
        question = self._question
        self._cancel()
        self._task = self._spawner.spawn(self._more(question, self._shown.text), "search")

    def _ask(self) -> None:
        """Begin at once, before the field itself is painted; the answer is taken later."""
        self._cancel()
        if not self._shown.text.strip():
            self._show(PaletteContents())
            self._tell(ArchiveState.NOT_ASKED)
            return
        text = self._shown.text
        self._begun = begun = self._source.search(text, LIMIT_PEOPLE, LIMIT_FIRST)
        self._task = self._spawner.spawn(self._search(self._question, text, begun), "search")

    async def _search(self, question: int, text: str, begun: SearchAnswer) -> None:
        results = await begun
        if question != self._question:
            return
        self.elapsed_ms.append(results.elapsed_ms)
        del self.elapsed_ms[:-KEPT_FIGURES]
        self._take(results)
        self._tell(ArchiveState.NOT_ASKED)
        self.results_shown.emit(results)
        await self._complete(question, text)
        await self._fill(question, text, LIMIT_FIRST)
        await asyncio.sleep(self._archive_after_s)
        await self._fill(question, text, LIMIT_MESSAGES)
        if question == self._question:
            await self._ask_archive(question, text)

    async def _complete(self, question: int, text: str) -> None:
        found = await choices_at(text, self._caret, self._source)
        if question == self._question and found is not None:
            self._place, choices = found
            self._merge(replace(self._shown, choices=choices))

    async def _fill(self, question: int, text: str, wanted: int) -> None:
        """Go on where a filter left few of the rows the index found."""
        for _ in range(_MOST_ROUNDS):
            below = self._next_row
            lacking = wanted - len(self._shown.messages)
            if below is None or lacking <= 0:
                return
            older = await self._source.search(text, 0, lacking, below_row=below)
            if question != self._question:
                return
            self._next_row = older.next_row
            self._lay_in(older.messages)

    async def _more(self, question: int, text: str) -> None:
        is_here = self._next_row is not None
        if is_here:
            await self._fill(question, text, len(self._shown.messages) + LIMIT_MORE)
        if question == self._question and (self._is_archive_due or not is_here):
            await self._ask_archive(question, text)

    async def _ask_archive(self, question: int, text: str) -> None:
        self._tell(ArchiveState.ASKING)
        answer = await self._source.ask_archive(text, self._archive_cursor)
        if question != self._question:
            return
        if answer.state is ArchiveState.ANSWERED:
            self._archive_cursor, self._is_archive_due = answer.next_cursor, False
        self._lay_in(answer.messages)
        self._tell(answer.state)

    def _take(self, results: SearchResults) -> None:
        self._place, self._archive_cursor, self._is_archive_due = None, "", True
        self._next_row = results.next_row
        self._show(
            PaletteContents(
                text=self._shown.text,
                notes=tuple(dict.fromkeys(advice_sentence(each) for each in results.advice)),
                people=results.people,
                messages=results.messages,
                elapsed_ms=results.elapsed_ms,
                has_more=results.next_row is not None,
            )
        )

    def _lay_in(self, hits: Sequence[MessageHit]) -> None:
        known = {hit.message_id for hit in self._shown.messages}
        fresh = [hit for hit in hits if hit.message_id not in known]
        everything = sorted(
            (*self._shown.messages, *fresh), key=lambda hit: hit.at_utc_ms, reverse=True
        )
        is_more = self._next_row is not None or bool(self._archive_cursor)
        is_more = is_more and len(everything) < MOST_MESSAGES
        self._merge(replace(self._shown, messages=tuple(everything), has_more=is_more))

    def _show(self, contents: PaletteContents) -> None:
        self._shown = self._with_recent(contents)
        rows = palette_rows(self._shown, self._actions, self._now_utc_ms())
        self.model.replace_rows(rows)

    def _merge(self, contents: PaletteContents) -> None:
        self._shown = contents
        self.merging.emit()
        self.model.set_rows(palette_rows(contents, self._actions, self._now_utc_ms()))
        self.merged.emit()

    def _with_recent(self, contents: PaletteContents) -> PaletteContents:
        recent = () if contents.text.strip() else tuple(self._recent())
        return replace(contents, recent=recent)

    def _tell(self, state: ArchiveState) -> None:
        archived = sum(hit.in_archive for hit in self._shown.messages)
        foot = foot_words(state, archived)
        if foot == self.foot:
            return
        self.foot = foot
        self.foot_changed.emit(foot)
        if state not in (ArchiveState.NOT_ASKED, ArchiveState.ASKING):
            self.spoken.emit(foot)

    def _cancel(self) -> None:
        if self._begun is not None:
            self._begun.cancel()
            self._begun = None
        if self._task is not None and not self._task.done():
            self._task.cancel()
        self._task = None
