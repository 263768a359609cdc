"""Fills the disk: writes say DiskFull, nothing is lost, all goes on when there is space again.

It never fills a disk anyone else uses: a small file system of its own or SQLite's own limit.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from app.domain.changes import ChangeSet
from app.domain.drafts import Draft
from app.domain.errors import DiskFull
from app.store.store import Store
from contract.events import MessageUpserted
from tests.app.store.values import HOME, conversation, entry, event, fill, message, open_at

_LONG_TEXT = "x" * 15_000


async def _limit_pages(store: Store, more_pages: int) -> None:
    """Let SQLite itself refuse growth: the same result code as a full disk."""

    def work(connection: Connection) -> tuple[None, ChangeSet]:
        pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + more_pages}")
        return None, ChangeSet()

    await store._databases.write_outbox(work)
    await store._databases.write_cache(work)


async def _write_until_full(store: Store) -> int:
    for number in range(10_000):
        try:
            await store.drafts.save(Draft(HOME, f"draft {number}"))
            await store.outbox.clear_draft_and_add(entry(f"w{number:05}", _LONG_TEXT))
        except DiskFull:
            return number
    raise AssertionError("the disk never filled")


async def _all_is_there(store: Store, sent: int) -> None:
    kept = await store.outbox.list_waiting(limit=20_000)
    assert [each.message_id for each in kept] == [f"w{n:05}" for n in range(sent)]
    draft = await store.drafts.get(HOME)
    # None: the last send took it along, and the next one was already refused.
    assert draft is None or draft.text == f"draft {sent}"


async def test_a_full_file_refuses_sends_and_events_whole(store: Store) -> None:
    await fill(store, (conversation(),))
    await _limit_pages(store, 40)
    await store.drafts.save(Draft(HOME, "draft 0"))
    sent = await _write_until_full(store)
    await _all_is_there(store, sent)
    news = [
        event(2 + n, MessageUpserted(message=message(f"m{n}", _LONG_TEXT, at=n))) for n in range(90)
    ]
    with pytest.raises(DiskFull):
        await store.cache.apply_events(news, 91)
    assert await store.cache.cursor() == 1
    assert (await store.timeline.around(HOME, None, 500)).rows[-1].outbox is not None
    await _limit_pages(store, 1_000_000)
    await store.outbox.clear_draft_and_add(entry(f"w{sent:05}", _LONG_TEXT))
    await store.cache.apply_events(news, 91)
    assert await store.cache.cursor() == 91
    assert (await store.check()).ok


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a file system of 3 MiB, where the machine lets us mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mounting, capture_output=True, timeout=60, check=False)
    except OSError:
        pytest.skip("needs `mount`; the limit of SQLite is tested instead")
    if mounted.returncode:
        pytest.skip("needs the right to mount a small disk; the limit of SQLite is tested instead")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], timeout=60, check=True)


async def test_a_full_disk_loses_nothing_and_all_goes_on_with_space(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    store = await open_at(small_disk / "store")
    await fill(store, (conversation(),))
    ballast.write_bytes(b"x" * 1_000_000)
    await store.drafts.save(Draft(HOME, "draft 0"))
    sent = await _write_until_full(store)
    await _all_is_there(store, sent)
    news = [
        event(2 + n, MessageUpserted(message=message(f"m{n}", _LONG_TEXT, at=n))) for n in range(90)
    ]
    with pytest.raises(DiskFull):
        await store.cache.apply_events(news, 91)
    await store.close()
    again = await open_at(small_disk / "store")
    await _all_is_there(again, sent)
    ballast.unlink()
    await again.outbox.clear_draft_and_add(entry(f"w{sent:05}"))
    assert again.notices == () and (await again.check()).ok
    await again.close()
