"""The inbox presenter: the newest question wins, pages join, changes are read once.

It reads from plain lists, never from a store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication

from app.domain.changes import ChangeSet
from app.domain.inbox import InboxCounts, InboxFilter, InboxRow
from contract.ids import ConversationId
from contract.wire import Channel
from tests.ui.feeds import InboxFeed, StillClock, run_now
from tests.ui.sample_rows import NOW_UTC_MS, inbox_row, sample_inbox
from ui.models.inbox_model import KEPT_ROWS
from ui.models.inbox_presenter import PAGE_ROWS, InboxPresenter

_FATAL = QAbstractItemModelTester.FailureReportingMode.Fatal


def many(count: int) -> list[InboxRow]:
    """Return rows whose activity grows with their number."""
    return [
        inbox_row(number, f"Client {number}", at_utc_ms=NOW_UTC_MS - 1_000_000 * (count - number))
        for number in range(1, count + 1)
    ]


def titles(presenter: InboxPresenter) -> list[str]:
    return [row.conversation.title for row in presenter.model.rows()]


async def settled(tasks: set[asyncio.Task[Any]]) -> None:
    while tasks:
        await asyncio.gather(*tasks)


class Tasks:
    """Starts tasks and remembers them."""

    def __init__(self) -> None:
        self.running: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, object], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.running.add(task)
        task.add_done_callback(self.running.discard)


def test_start_shows_rows_newest_first_with_counts(qapp: QApplication) -> None:
    rows = sample_inbox()
    presenter = InboxPresenter(InboxFeed(rows[::-1]), StillClock(), run_now)
    counts: list[InboxCounts] = []
    presenter.counts_changed.connect(counts.append)
    presenter.start()
    assert titles(presenter) == [row.conversation.title for row in rows]
    assert counts[0].unread == 4
    presenter.stop()


async def test_a_stale_answer_never_overwrites_a_newer_one(qapp: QApplication) -> None:
    tasks = Tasks()
    feed = InboxFeed(sample_inbox())
    presenter = InboxPresenter(feed, StillClock(), tasks.spawn)
    shown: list[list[str]] = []
    presenter.loaded.connect(lambda: shown.append(titles(presenter)))
    feed.gate = asyncio.Event()
    presenter.refresh()
    await asyncio.sleep(0)
    slow, feed.gate = feed.gate, None
    presenter.set_filter(InboxFilter.UNREAD)
    presenter.set_channel(Channel.WECHAT)
    slow.set()
    await settled(tasks.running)
    assert shown == [["Li Wei 李伟"]]


async def test_many_changes_while_reading_are_read_for_once(qapp: QApplication) -> None:
    tasks = Tasks()
    feed = InboxFeed(sample_inbox())
    presenter = InboxPresenter(feed, StillClock(), tasks.spawn)
    feed.gate = asyncio.Event()
    presenter.refresh()
    await asyncio.sleep(0)
    for number in range(50):
        changes = ChangeSet(conversations=frozenset({ConversationId(f"c{number}")}))
        presenter.on_changed(changes)
    feed.gate.set()
    await settled(tasks.running)
    assert len(feed.asked) == 1 and len(feed.read) == 1


def test_every_place_is_known_at_once_and_rows_are_read_as_they_show(qapp: QApplication) -> None:
    feed = InboxFeed(many(5_000))
    presenter = InboxPresenter(feed, StillClock(), run_now)
    presenter.refresh()
    model = presenter.model
    tester = QAbstractItemModelTester(model, _FATAL)
    assert model.rowCount() == 5_000
    assert len(model.rows()) == PAGE_ROWS
    assert model.words_at(4_000) is None and model.words_at(4_001) is None
    feed.read.clear()
    presenter._load()
    words = model.words_at(4_000)
    assert words is not None and words.title == "Client 1000"
    assert len(feed.read) == 1 and set(feed.read[0]) >= {"c1000", "c999"}
    assert len(feed.read[0]) < 50
    del tester


def test_a_change_reads_its_own_row_alone_and_moves_it(qapp: QApplication) -> None:
    feed = InboxFeed(many(3_000))
    presenter = InboxPresenter(feed, StillClock(), run_now)
    presenter.refresh()
    tester = QAbstractItemModelTester(presenter.model, _FATAL)
    resets: list[int] = []
    presenter.model.modelReset.connect(lambda: resets.append(1))
    feed.read.clear()
    feed.asked.clear()
    newest = feed.all[-1].conversation.last_activity_utc_ms
    feed.all[6] = inbox_row(7, "Client 7", "News", at_utc_ms=newest + 1, version=2)
    presenter.on_changed(ChangeSet(conversations=frozenset({ConversationId("c7")})))
    assert presenter.model.number_of(ConversationId("c7")) == 0
    assert feed.read == [(ConversationId("c7"),)] and not feed.asked
    del feed.all[0]
    presenter.on_changed(ChangeSet(removed_conversations=frozenset({ConversationId("c1")})))
    assert presenter.model.number_of(ConversationId("c1")) == -1
    assert presenter.model.rowCount() == 2_999
    assert not resets
    del tester


def test_rows_kept_stay_few_however_far_the_list_is_scrolled(qapp: QApplication) -> None:
    presenter = InboxPresenter(InboxFeed(many(3_000)), StillClock(), run_now)
    presenter.refresh()
    for number in range(3_000):
        if presenter.model.words_at(number) is None:
            presenter._load()
        assert len(presenter.model.rows()) <= KEPT_ROWS or number % 100
    assert len(presenter.model.rows()) <= KEPT_ROWS


def test_the_open_conversation_stays_though_it_was_read(qapp: QApplication) -> None:
    feed = InboxFeed(sample_inbox())
    presenter = InboxPresenter(feed, StillClock(), run_now)
    presenter.set_filter(InboxFilter.UNREAD)
    presenter.keep(ConversationId("c2"))
    before = titles(presenter)

    def read(row: InboxRow) -> InboxRow:
        old = row.conversation
        return inbox_row(2, old.title, at_utc_ms=old.last_activity_utc_ms, unread=0)

    feed.all[1] = read(feed.all[1])
    presenter.on_changed(ChangeSet(conversations=frozenset({ConversationId("c2")})))
    assert titles(presenter) == before
    presenter.set_filter(InboxFilter.ALL)
    presenter.set_filter(InboxFilter.UNREAD)
    assert "Marcus Feld" not in titles(presenter)
