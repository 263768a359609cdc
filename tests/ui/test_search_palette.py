"""The palette while one searches: filters, completions, the archive's answers beside one's own.

It never opens a store: sources answer when they are told to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.domain.search import (
    Advice,
    AdviceKind,
    ArchiveAnswer,
    ArchiveState,
    MessageHit,
    SearchResults,
)
from contract.ids import ConversationId, MessageId
from contract.wire import Channel, Direction
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import until
from tests.ui.sample_rows import NOW_UTC_MS
from ui.bridge.spawn import Spawner
from ui.models.palette_model import PaletteRole
from ui.models.palette_rows import PaletteKind, PaletteRow
from ui.models.search_presenter import SearchPresenter
from ui.models.search_words import FOOT, advice_sentence
from ui.theme.tokens import LIGHT
from ui.views.palette import Palette

MINUTE_MS = 60_000


def hit(number: int, minutes_ago: int, *, in_archive: bool = False) -> MessageHit:
    """Return a hit of so many minutes ago."""
    return MessageHit(
        MessageId(f"m{number}"),
        ConversationId("c"),
        "Hana",
        Channel.LINE,
        Direction.IN,
        f"Author {number}",
        f"term {number}",
        ((0, 4),),
        NOW_UTC_MS - minutes_ago * MINUTE_MS,
        in_archive,
    )


class Source:
    """Answers at once from this computer and, when its gate opens, from the archive."""

    def __init__(self) -> None:
        self.local: dict[int | None, SearchResults] = {}
        self.archived: dict[str, ArchiveAnswer] = {}
        self.gate = asyncio.Event()
        self.asked: list[tuple[str, str]] = []

    def search(
        self,
        text: str,
        limit_people: int,
        limit_messages: int,
        *,
        home: ConversationId | None = None,
        below_row: int | None = None,
    ) -> asyncio.Future[SearchResults]:
        return asyncio.ensure_future(self._search(text, below_row))

    async def _search(self, text: str, below_row: int | None) -> SearchResults:
        return self.local.get(below_row, SearchResults(text, (), (), 1.0))

    async def ask_archive(self, text: str, cursor: str = "") -> ArchiveAnswer:
        self.asked.append((text, cursor))
        await self.gate.wait()
        return self.archived.get(cursor, ArchiveAnswer(ArchiveState.ANSWERED))

    async def names(self, typed: str) -> tuple[str, ...]:
        return ("Hana Watanabe", "Hanna Meier")

    async def titles(self, typed: str) -> tuple[str, ...]:
        return ("Deal team",)


class Stage:
    """A palette over a window, with what it said."""

    def __init__(self) -> None:
        self.source = Source()
        self.spawner = Spawner(lambda name, fault: None)
        self.presenter = SearchPresenter(
            self.source, self.spawner, lambda: NOW_UTC_MS, archive_after_s=0.0
        )
        self.window = QWidget()
        self.window.resize(900, 420)
        self.palette = Palette(self.presenter, LIGHT, self.window)
        self.chosen: list[PaletteRow] = []
        self.palette.chosen.connect(self.chosen.append)
        self.window.show()
        self.palette.open()

    def rows(self, kind: PaletteKind) -> list[str]:
        """Return the titles of the rows of a kind."""
        return [row.title for row in self.presenter.model.rows() if row.kind is kind]

    def current(self) -> PaletteRow:
        """Return the chosen row."""
        row = self.palette.list.currentIndex().data(PaletteRole.ROW)
        assert isinstance(row, PaletteRow)
        return row

    async def close(self) -> None:
        """End every task and the window."""
        await self.spawner.close()
        self.window.close()
        self.window.deleteLater()


def staged(qapp: QApplication, work: Any) -> None:
    """Run a test over a stage."""

    async def run() -> None:
        stage = Stage()
        try:
            coroutine: Coroutine[Any, Any, None] = work(stage)
            await coroutine
        finally:
            await stage.close()

    run_in_qt_loop(qapp, run())


def test_archive_hits_come_in_without_moving_the_chosen_row(qapp: QApplication) -> None:
    async def work(stage: Stage) -> None:
        source, palette = stage.source, stage.palette
        found = tuple(hit(number, number * 10) for number in range(1, 15))
        source.local[None] = SearchResults("term", (), found, 1.0)
        archived = (hit(90, 5, in_archive=True), hit(91, 35, in_archive=True), hit(3, 30))
        source.archived[""] = ArchiveAnswer(ArchiveState.ANSWERED, archived)
        palette.field.setText("term")
        await until(lambda: len(source.asked) == 1)
        for _ in range(4):
            QTest.keyClick(palette.field, Qt.Key.Key_Down)
        before, top = stage.current(), palette.list.visualRect(palette.list.currentIndex()).top()
        source.gate.set()
        await until(lambda: len(stage.rows(PaletteKind.MESSAGE)) == 16)
        assert stage.current() == before
        assert palette.list.visualRect(palette.list.currentIndex()).top() == top
        titles = stage.rows(PaletteKind.MESSAGE)
        assert titles[:2] == ["Author 90", "Author 1"]
        assert titles.index("Author 91") == titles.index("Author 3") + 1
        archive_row = next(row for row in stage.presenter.model.rows() if row.key == "m:m90")
        assert archive_row.in_archive and "from the archive" in archive_row.spoken
        assert stage.presenter.foot.startswith("2 from the archive")

    staged(qapp, work)


def test_a_stale_archive_answer_is_dropped(qapp: QApplication) -> None:
    async def work(stage: Stage) -> None:
        source = stage.source
        source.archived[""] = ArchiveAnswer(ArchiveState.ANSWERED, (hit(1, 1, in_archive=True),))
        stage.palette.field.setText("one")
        await until(lambda: source.asked == [("one", "")])
        source.archived = {}
        stage.palette.field.setText("two")
        source.gate.set()
        await until(lambda: source.asked[-1] == ("two", ""))
        await until(lambda: "searched as well" in stage.presenter.foot)
        assert stage.rows(PaletteKind.MESSAGE) == []

    staged(qapp, work)


def test_without_a_connection_the_list_says_what_was_searched(qapp: QApplication) -> None:
    async def work(stage: Stage) -> None:
        spoken: list[str] = []
        stage.presenter.spoken.connect(spoken.append)
        stage.source.archived[""] = ArchiveAnswer(ArchiveState.OFFLINE)
        stage.source.gate.set()
        stage.palette.field.setText("term")
        await until(lambda: "only this computer" in stage.presenter.foot)
        assert spoken == [stage.presenter.foot]
        stage.palette.field.setText("")
        await until(lambda: stage.presenter.foot == FOOT)

    staged(qapp, work)


def test_a_name_is_completed_by_tab_and_the_palette_stays(qapp: QApplication) -> None:
    async def work(stage: Stage) -> None:
        stage.source.local[None] = SearchResults("x", (), (hit(1, 1),), 1.0)
        field = stage.palette.field
        field.setText("report from:ha")
        await until(lambda: len(stage.rows(PaletteKind.CHOICE)) == 2)
        assert stage.current().kind is PaletteKind.MESSAGE
        QTest.keyClick(field, Qt.Key.Key_Tab)
        assert field.text() == 'report from:"Hana Watanabe" '
        await until(lambda: stage.rows(PaletteKind.CHOICE) == [])
        assert stage.palette.isVisible() and stage.chosen == []

    staged(qapp, work)


def test_a_filter_that_is_none_is_explained_in_words(qapp: QApplication) -> None:
    async def work(stage: Stage) -> None:
        advice = Advice(AdviceKind.NO_DATE, "before", "soon")
        stage.source.local[None] = SearchResults("x", (), (hit(1, 1),), 1.0, (advice, advice))
        stage.palette.field.setText("x before:soon")
        await until(lambda: stage.rows(PaletteKind.NOTE) == [advice_sentence(advice)])
        assert stage.current().kind is PaletteKind.MESSAGE
        QTest.keyClick(stage.palette.field, Qt.Key.Key_Up)
        assert stage.current().kind is PaletteKind.MESSAGE

    staged(qapp, work)


class PaintCount(QObject):
    """Counts how often a widget is painted."""

    def __init__(self, watched: QWidget) -> None:
        super().__init__(watched)
        self.count = 0
        watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_new_rows_do_not_have_the_window_beneath_them_painted(qapp: QApplication) -> None:
    async def work(stage: Stage) -> None:
        await until(stage.window.isActiveWindow)  # which paints all of it once more
        beneath, rows = PaintCount(stage.window), PaintCount(stage.palette.list.viewport())
        stage.palette.list.viewport().update()
        await until(lambda: rows.count > 0)
        before = beneath.count
        painted = rows.count
        stage.palette.list.viewport().update()
        await until(lambda: rows.count > painted)
        assert beneath.count == before

    staged(qapp, work)


def test_every_advice_has_its_sentence() -> None:
    for kind in AdviceKind:
        assert advice_sentence(Advice(kind, "from", "value")).endswith(".")


def test_older_messages_are_shown_on_demand_first_from_here_then_from_the_archive(
    qapp: QApplication,
) -> None:
    async def work(stage: Stage) -> None:
        source, stage.presenter.elapsed_ms = stage.source, []
        newest = tuple(hit(number, number) for number in range(20))
        older = tuple(hit(number, number) for number in range(20, 25))
        source.local = {
            None: SearchResults("t", (), newest, 1.0, next_row=77),
            77: SearchResults("t", (), older, 1.0),
        }
        source.archived = {
            "": ArchiveAnswer(ArchiveState.ANSWERED, (), "next"),
            "next": ArchiveAnswer(ArchiveState.ANSWERED, (hit(99, 999, in_archive=True),)),
        }
        source.gate.set()
        stage.palette.field.setText("t")
        await until(lambda: "searched as well" in stage.presenter.foot)
        assert stage.rows(PaletteKind.MORE) == ["Show older messages"]

        def shows(count: int) -> bool:
            return len(stage.rows(PaletteKind.MESSAGE)) == count

        for count in (25, 26):
            for _ in range(30):
                QTest.keyClick(stage.palette.field, Qt.Key.Key_Down)
            assert stage.current().kind is PaletteKind.MORE
            QTest.keyClick(stage.palette.field, Qt.Key.Key_Return)
            await until(partial(shows, count))
        assert stage.rows(PaletteKind.MORE) == [] and stage.palette.isVisible()

    staged(qapp, work)


def test_older_messages_asked_for_while_the_archive_searches_leave_it_searching(
    qapp: QApplication,
) -> None:
    async def work(stage: Stage) -> None:
        newest = tuple(hit(number, number) for number in range(20))
        older = tuple(hit(number, number) for number in range(20, 25))
        stage.source.local = {
            None: SearchResults("t", (), newest, 1.0, next_row=77),
            77: SearchResults("t", (), older, 1.0),
        }
        found = (hit(99, 999, in_archive=True),)
        stage.source.archived = {"": ArchiveAnswer(ArchiveState.ANSWERED, found)}
        stage.palette.field.setText("t")
        await until(lambda: "Searching the archive" in stage.presenter.foot)
        stage.presenter.show_more()
        await until(lambda: len(stage.rows(PaletteKind.MESSAGE)) == 25)
        stage.source.gate.set()
        await until(lambda: "1 from the archive" in stage.presenter.foot)
        assert len(stage.rows(PaletteKind.MESSAGE)) == 26

    staged(qapp, work)


def test_a_page_the_archive_failed_to_give_can_be_asked_for_again(qapp: QApplication) -> None:
    async def work(stage: Stage) -> None:
        stage.source.gate.set()
        first = ArchiveAnswer(ArchiveState.ANSWERED, (hit(1, 1, in_archive=True),), "next")
        stage.source.archived = {"": first, "next": ArchiveAnswer(ArchiveState.FAILED)}
        stage.palette.field.setText("t")
        await until(lambda: stage.rows(PaletteKind.MORE) != [])
        stage.presenter.show_more()
        await until(lambda: "did not answer" in stage.presenter.foot)
        assert stage.rows(PaletteKind.MORE) != []
        second = (hit(2, 2, in_archive=True),)
        stage.source.archived["next"] = ArchiveAnswer(ArchiveState.ANSWERED, second)
        stage.presenter.show_more()
        await until(lambda: "2 from the archive" in stage.presenter.foot)
        assert stage.rows(PaletteKind.MORE) == []

    staged(qapp, work)


def test_a_filter_that_leaves_few_is_looked_for_further_by_itself(qapp: QApplication) -> None:
    async def work(stage: Stage) -> None:
        stage.source.local = {
            None: SearchResults("t", (), (hit(1, 1),), 1.0, next_row=50),
            50: SearchResults("t", (), (hit(2, 2),), 1.0, next_row=10),
            10: SearchResults("t", (), (hit(3, 3),), 1.0),
        }
        stage.palette.field.setText("t channel:line")
        await until(lambda: len(stage.rows(PaletteKind.MESSAGE)) == 3)
        assert stage.rows(PaletteKind.MORE) == []

    staged(qapp, work)


def test_the_window_beneath_shows_dimmed_and_as_it_is_now(qapp: QApplication) -> None:
    async def work(stage: Stage) -> None:
        beneath = QWidget(stage.window)
        beneath.setAutoFillBackground(True)
        beneath.setGeometry(0, 0, 20, 20)
        beneath.lower()
        beneath.show()

        for name in ("#2020E0", "#20E020"):
            color = QColor(name)
            look = beneath.palette()
            look.setColor(beneath.backgroundRole(), color)
            beneath.setPalette(look)
            stage.palette.on_covered_changed()

            def shows(color: QColor = color) -> bool:
                seen = stage.palette.grab().toImage().pixelColor(5, 5)
                return seen.lightness() < color.lightness() and abs(seen.hue() - color.hue()) < 20

            await until(shows)

    staged(qapp, work)
