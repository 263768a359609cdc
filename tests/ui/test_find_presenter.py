"""Finding in the open conversation: hit after hit, beyond the first page of them, newest first.

It never opens a store: a source answers from a list.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from PySide6.QtWidgets import QApplication

from app.domain.search import ArchiveAnswer, ArchiveState, MessageHit, SearchResults
from contract.ids import ConversationId, MessageId
from contract.wire import Channel, Direction
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import until
from ui.bridge.spawn import Spawner
from ui.models.find_presenter import FindPresenter
from ui.theme.tokens import LIGHT
from ui.views.find_bar import FindBar

HOME = ConversationId("home")


def _hit(number: int) -> MessageHit:
    channel, way = Channel.LINE, Direction.IN
    return MessageHit(MessageId(f"m{number}"), HOME, "Hana", channel, way, "", "term", (), 0)


class Source:
    """Pages of two hits; the second page is full of what a filter leaves out."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int | None]] = []
        self.pages = {
            None: SearchResults("t", (), (_hit(1), _hit(2)), 1.0, next_row=50),
            50: SearchResults("t", (), (), 1.0, next_row=10),
            10: SearchResults("t", (), (_hit(3),), 1.0),
        }

    def search(
        self,
        text: str,
        limit_people: int,
        limit_messages: int,
        *,
        home: ConversationId | None = None,
        below_row: int | None = None,
    ) -> asyncio.Future[SearchResults]:
        assert home == HOME and limit_people == 0
        self.asked.append((text, below_row))
        answer: asyncio.Future[SearchResults] = asyncio.get_running_loop().create_future()
        answer.set_result(self.pages[below_row])
        return answer

    async def ask_archive(self, text: str, cursor: str = "") -> ArchiveAnswer:
        return ArchiveAnswer(ArchiveState.NOT_ASKED)

    async def names(self, typed: str) -> tuple[str, ...]:
        return ()

    async def titles(self, typed: str) -> tuple[str, ...]:
        return ()


def _staged(qapp: QApplication, work: Any) -> None:
    async def run() -> None:
        spawner = Spawner(lambda name, fault: None)
        source = Source()
        find = FindPresenter(source, spawner)
        find.set_conversation(HOME)
        try:
            stage: Coroutine[Any, Any, None] = work(find, source)
            await stage
        finally:
            await spawner.close()

    run_in_qt_loop(qapp, run())


def test_steps_reach_older_hits_than_the_first_page_holds(qapp: QApplication) -> None:
    async def work(find: FindPresenter, source: Source) -> None:
        chosen: list[str] = []
        places: list[tuple[int, int, bool]] = []
        find.hit_chosen.connect(chosen.append)
        find.place_changed.connect(lambda *place: places.append(place))
        find.set_text("t")
        await until(lambda: chosen == ["m1"])
        assert places[-1] == (1, 2, True)
        find.step(1)
        find.step(1)
        await until(lambda: chosen == ["m1", "m2", "m3"])
        assert places[-1] == (3, 3, False)
        assert source.asked == [("t", None), ("t", 50), ("t", 10)]
        find.step(1)
        find.step(-1)
        assert chosen[3:] == ["m1", "m3"]

    _staged(qapp, work)


def test_the_end_of_the_older_ones_leads_around_to_the_newest(qapp: QApplication) -> None:
    async def work(find: FindPresenter, source: Source) -> None:
        source.pages[10] = SearchResults("t", (), (), 1.0)
        chosen: list[str] = []
        find.hit_chosen.connect(chosen.append)
        find.set_text("t")
        await until(lambda: chosen == ["m1"])
        find.step(1)
        find.step(1)
        await until(lambda: chosen == ["m1", "m2", "m1"])

    _staged(qapp, work)


def test_words_typed_meanwhile_leave_no_older_hits_of_the_words_before(qapp: QApplication) -> None:
    async def work(find: FindPresenter, source: Source) -> None:
        places: list[tuple[int, int, bool]] = []
        find.place_changed.connect(lambda *place: places.append(place))
        find.set_text("t")
        await until(lambda: places != [] and places[-1][1] == 2)
        find.step(1)
        find.step(1)
        source.pages[None] = SearchResults("other", (), (), 1.0)
        find.set_text("other")
        await until(lambda: places[-1] == (0, 0, False))

    _staged(qapp, work)


def test_the_bar_tells_that_there_are_older_ones_beyond(qapp: QApplication) -> None:
    bar = FindBar(LIGHT)
    bar.field.setText("t")
    bar.show_place(2, 500, True)
    assert bar._count.text() == "2 of 500+"
    bar.show_place(2, 14)
    assert bar._count.text() == "2 of 14"
    bar.deleteLater()
