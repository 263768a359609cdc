"""The inbox presenter: the newest question wins, pages join, changes are read once.

It reads from plain lists, never from a store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from PySide6.QtWidgets import QApplication

from app.domain.changes import ChangeSet
from app.domain.inbox import InboxCounts, InboxFilter, InboxRow
from contract.ids import ConversationId
from contract.wire import Channel
from tests.ui.feeds import InboxFeed, StillClock, run_now
from tests.ui.sample_rows import inbox_row, sample_inbox
from ui.models.inbox_presenter import PAGE_ROWS, InboxPresenter


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
    assert len(feed.asked) == 2


def test_pages_join_and_stay_loaded_after_a_change(qapp: QApplication) -> None:
    feed = InboxFeed([inbox_row(number, f"Client {number}") for number in range(1, 251)])
    presenter = InboxPresenter(feed, StillClock(), run_now)
    presenter.refresh()
    assert len(presenter.model.rows()) == PAGE_ROWS and presenter.has_more()
    presenter.load_more()
    assert len(presenter.model.rows()) == 2 * PAGE_ROWS
    feed.rows[0] = inbox_row(1, "Client 1", "News", version=2)
    presenter.on_changed(ChangeSet(conversations=frozenset({ConversationId("c1")})))
    assert len(presenter.model.rows()) == 2 * PAGE_ROWS
    presenter.load_more()
    assert titles(presenter) == [f"Client {number}" for number in range(1, 251)]
    assert not presenter.has_more()


def test_the_open_conversation_stays_though_it_was_read(qapp: QApplication) -> None:
    feed = InboxFeed(sample_inbox())
    presenter = InboxPresenter(feed, StillClock(), run_now)
    presenter.set_filter(InboxFilter.UNREAD)
    presenter.keep(ConversationId("c2"))
    before = titles(presenter)

    def read(row: InboxRow) -> InboxRow:
        old = row.conversation
        return inbox_row(2, old.title, at_utc_ms=old.last_activity_utc_ms, unread=0)

    feed.rows[1] = read(feed.rows[1])
    presenter.on_changed(ChangeSet(conversations=frozenset({ConversationId("c2")})))
    assert titles(presenter) == before
    presenter.set_filter(InboxFilter.ALL)
    presenter.set_filter(InboxFilter.UNREAD)
    assert "Marcus Feld" not in titles(presenter)
