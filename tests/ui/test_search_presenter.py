"""Tests of searching while typing. They never use a store."""

from __future__ import annotations

import asyncio

from PySide6.QtWidgets import QApplication

from app.domain.search import ArchiveAnswer, ArchiveState, MessageHit, SearchResults
from contract.ids import ConversationId, MessageId
from contract.wire import Channel, Direction
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.kit import until
from tests.ui.sample_rows import NOW_UTC_MS, sample_inbox
from ui.bridge.spawn import Spawner
from ui.models.palette_rows import PaletteAction, PaletteKind
from ui.models.search_presenter import SearchPresenter


class SlowSearch:
    """Answers each question when it is told to, whatever happened to its caller."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.answered: list[str] = []

    async def ask_archive(self, text: str, cursor: str = "") -> ArchiveAnswer:
        return ArchiveAnswer(ArchiveState.ANSWERED)

    async def names(self, typed: str) -> tuple[str, ...]:
        return ()

    async def titles(self, typed: str) -> tuple[str, ...]:
        return ()

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
        self.asked.append(text)
        gate = self.gates.setdefault(text, asyncio.Event())
        try:
            await gate.wait()
        except asyncio.CancelledError:
            # A store may have begun already: its answer comes although nobody waits any more.
            await gate.wait()
        self.answered.append(text)
        return SearchResults(text, (), (_hit(text),), 2.0)


def _hit(text: str) -> MessageHit:
    return MessageHit(
        MessageId(f"m-{text}"),
        ConversationId("c"),
        "Hana",
        Channel.LINE,
        Direction.IN,
        "Hana",
        f"found {text}",
        ((6, 6 + len(text)),),
        NOW_UTC_MS,
    )


def _texts(presenter: SearchPresenter) -> list[str]:
    model = presenter.model
    rows = [model.row_at(number) for number in range(model.rowCount())]
    return [row.text for row in rows if row is not None and row.kind is PaletteKind.MESSAGE]


def test_a_late_answer_never_replaces_a_newer_one(qapp: QApplication) -> None:
    async def work() -> None:
        source, spawner = SlowSearch(), Spawner(lambda name, fault: None)
        presenter = SearchPresenter(source, spawner, lambda: NOW_UTC_MS)
        presenter.set_text("ab")
        await until(lambda: source.asked == ["ab"])
        presenter.set_text("abc")
        await until(lambda: source.asked == ["ab", "abc"])
        source.gates["abc"].set()
        await until(lambda: _texts(presenter) == ["found abc"])
        source.gates["ab"].set()
        await until(lambda: source.answered == ["abc", "ab"])
        await asyncio.sleep(0.01)
        assert _texts(presenter) == ["found abc"]
        await spawner.close()

    run_in_qt_loop(qapp, work())


def test_keys_of_one_turn_make_one_question(qapp: QApplication) -> None:
    async def work() -> None:
        source, spawner = SlowSearch(), Spawner(lambda name, fault: None)
        presenter = SearchPresenter(source, spawner, lambda: NOW_UTC_MS)
        for text in ("t", "te", "ter", "term"):
            presenter.set_text(text)
        await until(lambda: source.asked != [])
        await asyncio.sleep(0.01)
        assert source.asked == ["term"]
        source.gates["term"].set()
        await until(lambda: _texts(presenter) == ["found term"])
        assert presenter.elapsed_ms == [2.0]
        await spawner.close()

    run_in_qt_loop(qapp, work())


def test_actions_that_match_stand_below_what_was_found(qapp: QApplication) -> None:
    async def work() -> None:
        source, spawner = SlowSearch(), Spawner(lambda name, fault: None)
        presenter = SearchPresenter(source, spawner, lambda: NOW_UTC_MS)
        actions = [PaletteAction("d", "Run diagnostics", "F12"), PaletteAction("p", "Go to people")]
        presenter.set_actions(actions)
        assert presenter.model.rowCount() == 3
        presenter.set_text("diag")
        await until(lambda: source.asked == ["diag"])
        source.gates["diag"].set()
        await until(lambda: _texts(presenter) == ["found diag"])
        last = presenter.model.row_at(presenter.model.rowCount() - 1)
        assert last is not None and last.title == "Run diagnostics"
        first = presenter.model.row_at(presenter.model.first_choice())
        assert first is not None and first.kind is PaletteKind.MESSAGE
        presenter.reset()
        assert _texts(presenter) == []
        await spawner.close()

    run_in_qt_loop(qapp, work())


def test_without_a_question_recent_conversations_stand_first(qapp: QApplication) -> None:
    async def work() -> None:
        source, spawner = SlowSearch(), Spawner(lambda name, fault: None)
        presenter = SearchPresenter(source, spawner, lambda: NOW_UTC_MS)
        presenter.set_actions([PaletteAction("d", "Run diagnostics", "F12")])
        presenter.set_recent(lambda: [row.conversation for row in sample_inbox()[:2]])
        presenter.reset()
        model = presenter.model
        rows = [model.row_at(number) for number in range(model.rowCount())]
        titles = [row.title for row in rows if row is not None]
        assert titles == ["Recent", "Hana Watanabe", "Marcus Feld", "Actions", "Run diagnostics"]
        first = model.row_at(model.first_choice())
        assert first is not None and first.conversation_id == "c1"
        presenter.set_text("diag")
        await until(lambda: source.asked == ["diag"])
        source.gates["diag"].set()
        await until(lambda: _texts(presenter) == ["found diag"])
        assert "Recent" not in [row.title for row in map(model.row_at, range(4)) if row]
        await spawner.close()

    run_in_qt_loop(qapp, work())
