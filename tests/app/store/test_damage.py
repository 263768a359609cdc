"""Damages files: caches are set aside and made anew, outboxes salvaged, keys never blamed wrongly.

It never deletes what a user wrote to make a test pass.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from app.domain.changes import ChangeSet
from app.domain.drafts import Draft
from app.domain.errors import CorruptStore, UnknownVersion, WrongKey
from app.domain.inbox import InboxQuery
from app.store.cipher import connect
from contract.events import MessageUpserted
from contract.ids import ConversationId
from tests.app.store.values import (
    CACHE_KEY,
    HOME,
    OUTBOX_KEY,
    conversation,
    entry,
    event,
    fill,
    message,
    open_at,
)

_PAGE_BYTES = 4096
_UNREAD_AT_OPENING = 120  # tables and their empty indexes come first, and opening reads some


def _overwrite(path: Path, first_page: int, pages: int = 1) -> None:
    with path.open("r+b") as file:
        file.seek(first_page * _PAGE_BYTES)
        file.write(os.urandom(pages * _PAGE_BYTES))


async def _make(folder: Path, waiting: int = 5, messages: int = 300) -> None:
    store = await open_at(folder)
    texts = tuple(message(f"m{n}", f"word {n} " * 20, at=n) for n in range(messages))
    await fill(store, (conversation(),), texts)
    for n in range(waiting):
        home = f"c{n % 7}"
        await store.outbox.add(entry(f"w{n:04}", f"written {n} " * 40, home=home))
    await store.drafts.save(Draft(HOME, "unsent"))
    await store.close()


@pytest.mark.parametrize("pages", [(0, 1), (1, 400)])
async def test_a_corrupt_cache_is_kept_aside_and_made_anew_and_the_outbox_is_untouched(
    tmp_path: Path, pages: tuple[int, int]
) -> None:
    folder = tmp_path / "store"
    await _make(folder)
    _overwrite(folder / "cache.db", *pages)
    damaged = (folder / "cache.db").read_bytes()
    store = await open_at(folder)
    assert (await store.inbox.page(InboxQuery(), 10)).rows == ()
    ((key, name),) = store.notices
    assert key == "notice.cache_set_aside" and (folder / name).read_bytes() == damaged
    assert await store.cache.cursor() is None
    assert len(await store.outbox.list_waiting()) == 5
    await fill(store, (conversation(),), (message("m"),))
    assert (await store.check()).ok
    await store.close()


async def test_damage_met_by_a_query_is_handled_while_the_store_is_open(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    await _make(folder, messages=3_000)
    size_pages = (folder / "cache.db").stat().st_size // _PAGE_BYTES
    _overwrite(folder / "cache.db", _UNREAD_AT_OPENING, size_pages - _UNREAD_AT_OPENING)
    store = await open_at(folder)
    told: list[ChangeSet] = []
    store.subscribe(told.append)
    for n in range(10):
        await store.search.search(f"word {n}")
        await store.timeline.around(HOME, None, 500)
    assert [key for key, _ in store.notices] == ["notice.cache_set_aside"]
    assert told[-1].reset and await store.cache.cursor() is None
    assert len(await store.outbox.list_waiting()) == 5
    await store.close()


async def test_damage_of_the_outbox_met_while_open_is_salvaged_and_the_cache_stays(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "store"
    await _make(folder, waiting=200)
    store = await open_at(folder)
    # The store's own page caches hold little of it: what was not read yet is now bad.
    for bad in range(20, (folder / "outbox.db").stat().st_size // _PAGE_BYTES, 5):
        _overwrite(folder / "outbox.db", bad)
    for number in range(2):
        await store.outbox.list_waiting(limit=1_000)
        await store.outbox.add(entry(f"new{number}"))
    assert [key for key, _ in store.notices] == ["notice.outbox_partly_read"]
    assert (await store.inbox.page(InboxQuery(), 10)).rows != ()
    kept = [each.message_id for each in await store.outbox.list_waiting(limit=1_000)]
    assert kept[-2:] == ["new0", "new1"] and await store.cache.cursor() == 1
    assert (await store.check()).ok
    await store.close()


async def test_only_the_newest_damaged_caches_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    for _ in range(4):
        store = await open_at(folder)
        await fill(store, (conversation(),), (message("m"),))
        await store.close()
        _overwrite(folder / "cache.db", 0)
    await (await open_at(folder)).close()
    assert len(list(folder.glob("cache-2*.db"))) == 2


async def test_a_write_that_meets_damage_is_void_and_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    await _make(folder, messages=3_000)
    size_pages = (folder / "cache.db").stat().st_size // _PAGE_BYTES
    _overwrite(folder / "cache.db", _UNREAD_AT_OPENING, size_pages - _UNREAD_AT_OPENING)
    store = await open_at(folder)
    news = [event(2 + n, MessageUpserted(message=message(f"n{n}", at=n))) for n in range(50)]
    with pytest.raises(CorruptStore):
        await store.cache.apply_events(news, 60)
    assert await store.cache.cursor() is None
    await fill(store, (conversation(),), (message("m"),))
    assert (await store.check()).message_count == 1
    await store.close()


async def test_one_bad_page_of_the_outbox_costs_no_text_and_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    await _make(folder, waiting=200)
    pages = (folder / "outbox.db").stat().st_size // _PAGE_BYTES
    kept_counts = []
    whole = (folder / "outbox.db").read_bytes()
    for bad in range(1, pages, 4):
        (folder / "outbox.db").write_bytes(whole)
        _overwrite(folder / "outbox.db", bad)
        damaged = (folder / "outbox.db").read_bytes()
        store = await open_at(folder)
        kept = await store.outbox.list_waiting(limit=1_000)
        for each in kept:
            assert each.text == f"written {int(each.message_id[1:])} " * 40
        draft = await store.drafts.get(HOME)
        assert draft is not None
        if store.notices:
            kept_counts.append(len(kept))
            ((key, detail),) = store.notices
            assert key == "notice.outbox_partly_read"
            assert f"{len(kept)} of " in detail
            aside = folder / detail.rpartition("; ")[2]
            assert aside.read_bytes() == damaged
            aside.unlink()
        else:
            assert len(kept) == 200
        await store.outbox.add(entry("new"))
        await store.close()
    # Each row stands twice: one bad page, even an inner one, costs nothing that was written.
    assert len(kept_counts) > 10 and set(kept_counts) == {200}


async def test_what_many_bad_pages_take_is_counted_and_its_conversations_named(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "store"
    await _make(folder, waiting=200)
    whole = (folder / "outbox.db").read_bytes()
    pages = len(whole) // _PAGE_BYTES
    lost_some = 0
    for first in range(pages // 3, pages - 12, 7):
        (folder / "outbox.db").write_bytes(whole)
        for bad in range(first, pages, 3):
            _overwrite(folder / "outbox.db", bad)
        store = await open_at(folder)
        kept = {int(each.message_id[1:]) for each in await store.outbox.list_waiting(limit=1_000)}
        ((_, detail),) = store.notices
        assert detail.startswith(f"{len(kept)} of ")
        if kept and "of 200 submissions" in detail and len(kept) < 200:
            lost_some += 1
            hit = {f"c{n % 7}" for n in set(range(200)) - kept}
            assert set(store.conversations_hit) <= hit
        await store.close()
    assert lost_some > 0


async def test_an_unreadable_outbox_is_kept_aside_and_said_so(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    await _make(folder)
    _overwrite(folder / "outbox.db", 0)
    store = await open_at(folder)
    ((key, detail),) = store.notices
    assert key == "notice.outbox_partly_read" and "0 of an unknown number of submissions" in detail
    assert (folder / detail.rpartition("; ")[2]).exists()
    await store.outbox.add(entry("new"))
    await store.close()
    again = await open_at(folder)
    assert again.notices == () and len(await again.outbox.list_waiting()) == 1
    await again.close()


async def test_a_salvage_cut_by_a_crash_is_finished_at_the_next_start(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    await _make(folder)
    shutil.copy(folder / "outbox.db", folder / "outbox-salvaged.db")
    _overwrite(folder / "outbox.db", 0, 3)
    store = await open_at(folder)
    assert len(await store.outbox.list_waiting()) == 5
    assert not (folder / "outbox-salvaged.db").exists()
    assert len(list(folder.glob("outbox-2*.db"))) == 1
    await store.close()


@pytest.mark.parametrize("damage", ["nothing", "check files gone"])
async def test_a_wrong_key_changes_nothing_and_is_called_so(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "store"
    await _make(folder)
    if damage == "check files gone":
        for path in folder.glob("*.keycheck"):
            path.unlink()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(WrongKey):
        await open_at(folder, b"x" * 32, b"y" * 32)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    store = await open_at(folder)
    assert store.notices == () and len(await store.outbox.list_waiting()) == 5
    await store.close()


@pytest.mark.parametrize("wrong", ["cache", "outbox"])
async def test_one_wrong_key_of_two_changes_nothing(tmp_path: Path, wrong: str) -> None:
    folder = tmp_path / "store"
    await _make(folder)
    keys = {"cache": CACHE_KEY, "outbox": OUTBOX_KEY} | {wrong: b"x" * 32}
    with pytest.raises(WrongKey):
        await open_at(folder, keys["cache"], keys["outbox"])
    store = await open_at(folder)
    assert store.notices == ()
    await store.close()


async def test_a_sibling_proves_the_key_when_a_damaged_file_lost_its_check_value(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "store"
    await _make(folder)
    _overwrite(folder / "cache.db", 0)
    for path in folder.glob("*.keycheck"):
        path.unlink()
    store = await open_at(folder)
    assert [key for key, _ in store.notices] == ["notice.cache_set_aside"]
    assert len(await store.outbox.list_waiting()) == 5
    await store.close()


@pytest.mark.parametrize(("name", "key"), [("cache.db", CACHE_KEY), ("outbox.db", OUTBOX_KEY)])
async def test_a_file_of_a_newer_version_is_refused_untouched(
    tmp_path: Path, name: str, key: bytes
) -> None:
    folder = tmp_path / "store"
    await _make(folder)
    driver = connect(folder / name, key)
    driver.execute("PRAGMA user_version = 99")
    driver.close()
    with pytest.raises(UnknownVersion, match=name):
        await open_at(folder)
    driver = connect(folder / name, key)
    assert driver.execute("PRAGMA user_version").fetchone() == (99,)
    driver.close()


async def test_nothing_readable_stands_in_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    store = await open_at(folder)
    await fill(store, (conversation(title="CANARY-title"),), (message("m", "CANARY-text"),))
    await store.drafts.save(Draft(ConversationId("c"), "CANARY-draft"))
    for path in folder.iterdir():
        assert b"CANARY" not in path.read_bytes(), path.name
    await store.close()
