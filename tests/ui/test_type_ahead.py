"""Typing a search, opening chats and scrolling over a store into which 500 events a second pour.

It judges what is shown, never how fast: benchmarks time it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.domain.errors import AppError
from app.domain.search import SearchResults
from app.search_desk import SearchDesk
from app.store.store import Store
from backend_client.client import GovernedApi
from backend_client.transport import Transport
from contract.events import ConversationUpserted, Event, MessageUpserted
from contract.ids import ConversationId
from tests.app.store.values import conversation, event, fill, message, open_at
from tests.support.qt_loop import run_in_qt_loop
from tests.ui.feeds import StillClock
from tests.ui.kit import until
from ui.bridge.spawn import Spawner
from ui.models.inbox_presenter import InboxPresenter
from ui.models.search_presenter import SearchPresenter
from ui.models.timeline_presenter import TimelinePresenter

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
CHATS = 400
MESSAGES = 8_000
EVENTS_PER_S = 500
WORDS = (
    "confirm the settlement",
    "約定確認をお願いします",
    "明日の朝に送ります",
    "portfolio review",
)
TYPED = ("confirm the settl", "約定確認", "明日の朝", "portfolio review", "お願い")


class Flood:
    """Messages with their chats' rows, in batches as the sync room applies them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.count = 0
        self.settled = 0
        self.ended = asyncio.Event()

    async def pour(self) -> None:
        began = asyncio.get_running_loop().time()
        while not self.ended.is_set():
            due = int((asyncio.get_running_loop().time() - began) * EVENTS_PER_S) - self.count
            batch = [made for _ in range(due // 2) for made in self._pair()]
            if batch:
                await self._store.cache.apply_events(batch, batch[-1].seq)
                self.settled = self.count
            await asyncio.sleep(0.01)

    def _pair(self) -> tuple[Event, ...]:
        self.count += 2
        number = self.count // 2
        home, at = f"c{number % CHATS}", MESSAGES + number
        fresh = message(f"n{number}", WORDS[number % len(WORDS)], at=at, index=at, home=home)
        talk = conversation(home, version=1 + number, activity=at, unread=1)
        seq = 1 + self.count
        return (
            event(seq - 1, MessageUpserted(message=fresh)),
            event(seq, ConversationUpserted(conversation=talk)),
        )


@asynccontextmanager
async def flooded(folder: Path) -> AsyncIterator[tuple[Store, Spawner, Flood]]:
    """Open a filled store into which events pour while the block runs."""
    faults: list[AppError] = []
    spawner = Spawner(lambda _name, fault: faults.append(fault))
    store = await open_at(folder)
    chats = tuple(conversation(f"c{n}", activity=n, title=f"Client {n}") for n in range(CHATS))
    texts = tuple(
        message(f"m{n}", f"{WORDS[n % len(WORDS)]} {n}", at=n, index=n, home=f"c{n % CHATS}")
        for n in range(MESSAGES)
    )
    await fill(store, chats, texts)
    flood = Flood(store)
    pouring = asyncio.create_task(flood.pour())
    try:
        yield store, spawner, flood
    finally:
        flood.ended.set()
        await pouring
        await spawner.close()
        await store.close()
    assert faults == []


def test_results_are_the_newest_questions_while_events_pour_in(
    qapp: QApplication, tmp_path: Path
) -> None:
    async def live() -> None:
        async with flooded(tmp_path) as (store, spawner, flood):
            desk = SearchDesk(GovernedApi(Transport(None)), store, lambda: False)
            search = SearchPresenter(desk, spawner, StillClock().now_utc_ms)
            asked = ""
            shown: list[tuple[str, bool]] = []

            def on_results(results: object) -> None:
                assert isinstance(results, SearchResults)
                fits = all(
                    word in hit.snippet for hit in results.messages for word in asked.split()
                )
                shown.append((asked, fits))

            def is_answered() -> bool:
                return bool(shown) and shown[-1][0] == asked

            search.results_shown.connect(on_results)
            await until(lambda: flood.settled > 0)
            poured = flood.count
            for term in TYPED:
                for end in range(1, len(term) + 1):
                    asked = term[:end]
                    search.set_text(asked)
                    await asyncio.sleep(0.004)  # quicker than some answers come
                await until(is_answered)
                expected = await desk.search(asked, 5, 20)
                assert len(expected.messages) == 20
                assert all(fits for _, fits in shown)
            assert flood.count > poured, "events came while it was typed"

    run_in_qt_loop(qapp, live(), timeout_s=360)


def test_list_and_timeline_end_as_the_store_has_it(qapp: QApplication, tmp_path: Path) -> None:
    async def live() -> None:
        async with flooded(tmp_path) as (store, spawner, flood):
            clock = StillClock()
            inbox = InboxPresenter(store.inbox, clock, spawner.spawn)
            timeline = TimelinePresenter(store.timeline, clock, spawner.spawn)
            store.subscribe(inbox.on_changed)
            store.subscribe(timeline.on_changed)
            inbox.start()
            home = ConversationId("c7")
            timeline.open(home, "Client 7")
            await until(lambda: inbox.model.rowCount() == CHATS)
            await until(lambda: flood.count > 1_500)
            flood.ended.set()
            applied = flood.count
            await until(lambda: flood.settled == applied)
            window = await store.timeline.around(home, None, 200, 0)
            newest = window.rows[-1].message.message_id
            await until(lambda: timeline.model.number_of_message(newest) >= 0)
            keys = await store.inbox.keys(inbox.query, 2_000)
            await until(lambda: _order(inbox) == keys)
            inbox.stop()
            timeline.close()

    run_in_qt_loop(qapp, live(), timeout_s=360)


def _order(inbox: InboxPresenter) -> tuple[object, ...]:
    return tuple(sorted(inbox.model.keys().values(), reverse=True))
