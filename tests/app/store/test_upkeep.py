"""Lets messages go, tidies, shrinks and rebuilds real files while the store is used.

It never looks at how long anything took.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from app.domain.drafts import Draft
from app.store.cipher import connect
from app.store.quota import KEPT_NEWEST
from app.store.store import Store
from contract.events import MessageUpserted
from contract.ids import ConversationId, MessageId
from contract.states import OutboxState
from tests.app.store.values import (
    CACHE_KEY,
    HOME,
    conversation,
    entry,
    event,
    fill,
    message,
    open_at,
)
from tests.support.child import Child

_MESSAGES = 1_500
_OLD_CACHE = Path(__file__).parent / "data" / "cache-version-1.db"


async def _fill(store: Store) -> None:
    """Put two interleaved conversations into it, one of them short."""
    texts = tuple(
        message(
            f"m{n:05}",
            f"word{n} common " * 20,
            at=n * 60_000,
            home="short" if n % 60 == 0 else HOME,
        )
        for n in reversed(range(_MESSAGES))  # as the backend sends them: the newest first
    )
    homes = (conversation(), conversation("short"))
    await fill(store, homes, texts)


def _pages(folder: Path) -> int:
    return (folder / "cache.db").stat().st_size // 4096


async def _oldest_left(store: Store, home: str = HOME) -> int:
    window = await store.timeline.around(ConversationId(home), None, 499, 0)
    while window.has_older:
        first = window.rows[0].message.message_id
        window = await store.timeline.older(ConversationId(home), first, 500)
    return int(window.rows[0].message.message_id[1:])


async def test_the_oldest_messages_go_first_and_their_index_rows_too(store: Store) -> None:
    await _fill(store)
    used = await store.upkeep.used_bytes()
    told: list[float] = []
    gone = await store.upkeep.let_go(used * 3 // 4, told.append)
    assert 0 < gone < _MESSAGES and await store.upkeep.used_bytes() <= used * 3 // 4
    assert told == sorted(told) and told[-1] == 1.0
    oldest = await _oldest_left(store)
    assert oldest >= gone
    assert not (await store.search.search(f"word{oldest - 1}")).messages
    assert (await store.search.search(f"word{oldest + 1}")).messages
    checked = await store.check()
    assert checked.ok and checked.message_count == _MESSAGES - gone


async def test_the_newest_of_each_conversation_stay_whatever_the_limit(store: Store) -> None:
    await _fill(store)
    gone = await store.upkeep.let_go(0)
    assert gone == _MESSAGES - 2 * KEPT_NEWEST
    assert await _oldest_left(store) == _MESSAGES - KEPT_NEWEST
    assert (await store.inbox.counts(0, 1)).all == 2


async def test_what_was_written_here_is_never_let_go(store: Store) -> None:
    await _fill(store)
    await store.drafts.save(Draft(HOME, "unsent"))
    await store.outbox.add(entry("m01001", state=OutboxState.ACCEPTED))
    await store.outbox.add(entry("waiting"))
    await store.upkeep.let_go(0)
    kept = await store.timeline.message(MessageId("m01001"))
    assert kept is not None and kept.message.place_at_utc_ms > 0 and kept.outbox is not None
    draft = await store.drafts.get(HOME)
    assert draft is not None and len(await store.outbox.list_waiting()) == 2


async def test_a_cut_short_letting_go_leaves_whole_steps(store: Store) -> None:
    await _fill(store)
    begun = asyncio.Event()
    work = asyncio.create_task(store.upkeep.let_go(0, lambda _: begun.set()))
    await begun.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    checked = await store.check()
    assert checked.ok and 2 * KEPT_NEWEST < checked.message_count < _MESSAGES


async def test_a_new_file_gives_its_free_pages_back_in_steps(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    store = await open_at(folder)
    await _fill(store)
    await store.upkeep.let_go(0)
    told: list[float] = []
    gained = await store.upkeep.compact(told.append)
    assert gained > 0 and told == sorted(told)
    assert _pages(folder) * 4096 - await store.upkeep.used_bytes() < 40 * 4096
    assert (await store.check()).ok and (await store.search.search("common")).messages
    await store.close()


async def test_a_file_of_version_1_is_written_anew_once_and_shrinks_in_steps_then(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    shutil.copyfile(_OLD_CACHE, folder / "cache.db")
    store = await open_at(folder)
    await store.upkeep.compact()
    assert (await store.check()).ok
    await store.close()
    driver = connect(folder / "cache.db", CACHE_KEY)
    assert driver.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    driver.close()


async def test_reads_writes_and_sends_go_on_beside_the_work(store: Store) -> None:
    await _fill(store)
    begun = asyncio.Event()
    work = asyncio.create_task(store.upkeep.rebuild_index(lambda _: begun.set()))
    await begun.wait()
    number = 0
    while not work.done():
        number += 1
        news = message(f"n{number}", f"fresh{number}", at=10**9 + number)
        await store.cache.apply_events([event(1 + number, MessageUpserted(message=news))], number)
        await store.outbox.add(entry(f"w{number}"))
        assert (await store.search.search(f"fresh{number}")).messages
    await work
    await store.upkeep.compact()
    checked = await store.check()
    assert checked.ok and checked.message_count == _MESSAGES + number
    assert (await store.search.search("word1499")).messages
    assert (await store.search.search("word0")).messages


async def test_a_rebuild_cut_short_goes_on_after_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    store = await open_at(folder)
    await _fill(store)
    begun = asyncio.Event()
    work = asyncio.create_task(store.upkeep.rebuild_index(lambda _: begun.set()))
    await begun.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert (await store.search.search("word1499")).messages
    assert not (await store.search.search("word3")).messages
    await store.close()
    store = await open_at(folder)
    assert await store.upkeep.is_index_unfinished()
    await store.upkeep.finish_index()
    assert not await store.upkeep.is_index_unfinished()
    assert (await store.search.search("word3")).messages and (await store.check()).ok
    await store.close()


@pytest.mark.slow
async def test_a_rebuild_killed_again_and_again_ends_whole(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    store = await open_at(folder)
    await _fill(store)
    await store.close()
    for steps in (1, 2, 5):
        with Child("tests.app.store.rebuilder", {}, str(folder)) as rebuilder:
            rebuilder.expect("step", after=steps - 1)
            rebuilder.kill()
    store = await open_at(folder)
    assert store.notices == ()
    await store.upkeep.finish_index()
    checked = await store.check()
    assert checked.ok and checked.message_count == _MESSAGES
    for word in ("word3", "word750", "word1499"):
        assert (await store.search.search(word)).messages, word
    await store.close()


async def test_what_was_let_go_stays_away_until_somebody_asks_for_it(store: Store) -> None:
    await _fill(store)
    await store.upkeep.let_go(0)
    old = message("m00007", "changed long after", at=7 * 60_000, version=2)
    await store.cache.apply_events([event(2, MessageUpserted(message=old))], 2)
    assert await store.timeline.message(MessageId("m00007")) is None
    edge = await store.gaps.missing_before(HOME, None)
    assert edge is not None
    page = tuple(message(f"m{n:05}", at=n * 60_000) for n in range(1_400, 1_480))
    assert max(one.place_at_utc_ms for one in page) < edge
    await store.cache.apply_answers(messages=page, history=True)
    await store.gaps.history_reaches(HOME, page[0].place_at_utc_ms)
    assert await _oldest_left(store) == 1_400
    assert await store.gaps.missing_before(HOME, None) == page[0].place_at_utc_ms


async def test_messages_with_a_hole_before_them_are_shown_only_where_they_stand(
    store: Store,
) -> None:
    await _fill(store)
    await store.upkeep.let_go(0)
    island = tuple(message(f"m{n:05}", at=n * 60_000) for n in range(301, 311))
    await store.cache.apply_answers(messages=island, history=True)
    assert await _oldest_left(store) == _MESSAGES - KEPT_NEWEST
    there = await store.timeline.around(HOME, MessageId("m00305"), 3, 3)
    assert there.rows[0].message.message_id == "m00302"
