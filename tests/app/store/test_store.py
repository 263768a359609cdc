"""Tests of the facade: what importing costs, side by side work, check, repeated starts.

It never measures time against a goal: figures belong to the benchmarks.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection

from app.domain.changes import ChangeSet
from app.domain.drafts import Draft
from app.domain.inbox import InboxQuery
from app.store import apply_events
from contract.events import Event, MessageUpserted
from contract.ids import ConversationId
from tests.app.store.values import HOME, conversation, entry, event, fill, message, open_at
from tests.support.surroundings import ROOT

Applied = tuple[ChangeSet, ChangeSet]


def _imported_by(code: str) -> set[str]:
    told = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(' '.join(sys.modules))"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=60,
    )
    return set(told.stdout.decode().split())


def test_importing_the_facade_and_the_vault_loads_no_heavy_library() -> None:
    loaded = _imported_by("import app.store.store, app.session.keys, app.session.instance_lock")
    heavy = {"sqlalchemy", "sqlcipher3", "keyring", "cryptography", "alembic", "httpx"}
    assert not loaded & heavy


def test_the_open_store_needs_neither_the_orm_nor_migrations_nor_plain_sqlite() -> None:
    loaded = _imported_by("import app.store.assembly")
    assert "sqlalchemy" in loaded
    assert not loaded & {"sqlalchemy.orm", "alembic", "sqlite3"}


def test_the_bare_driver_reads_without_sqlalchemy() -> None:
    assert "sqlalchemy" not in _imported_by("import app.store.cipher")


async def test_sends_and_reads_do_not_wait_for_a_back_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_at(tmp_path / "store")
    await fill(store, (conversation(),))
    is_writing, may_commit = threading.Event(), threading.Event()
    really_apply = apply_events.apply_events

    def apply_and_stay(connection: Connection, part: Sequence[Event], position: int) -> Applied:
        applied = really_apply(connection, part, position)
        is_writing.set()
        assert may_commit.wait(60)
        return applied

    monkeypatch.setattr(apply_events, "apply_events", apply_and_stay)
    news = [event(2, MessageUpserted(message=message("m", "word", at=2)))]
    back_log = asyncio.create_task(store.cache.apply_events(news, 3))
    try:
        assert await asyncio.to_thread(is_writing.wait, 60)
        # The commit stands open all this time: what needed its end would never return.
        async with asyncio.timeout(60):
            for n in range(5):
                await store.outbox.clear_draft_and_add(entry(f"w{n}"))
                await store.search.search("wor")
        assert not back_log.done()
    finally:
        may_commit.set()
    await back_log
    await store.close()


async def test_everything_is_there_after_each_new_start(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    for start in range(3):
        store = await open_at(folder)
        if start == 0:
            await fill(store, (conversation(),), (message("m"),))
            await store.cache.put_meta("bundle", b"\x00bytes")
        await store.outbox.add(entry(f"w{start}"))
        await store.drafts.save(Draft(ConversationId(f"d{start}"), "text"))
        assert len((await store.inbox.page(InboxQuery(), 10)).rows) == 1
        assert len((await store.timeline.around(HOME)).rows) == 2 + start
        assert await store.cache.get_meta("bundle") == b"\x00bytes"
        assert await store.cache.get_meta("nothing") is None
        checked = await store.check()
        assert checked.ok and checked.waiting_count == checked.draft_count == start + 1
        assert checked.cache_size_bytes > 0 and checked.free_disk_bytes > 0
        await store.close()
        assert not list(folder.glob("*-wal"))


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no modes")
async def test_every_file_is_the_users_alone(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    store = await open_at(folder)
    await fill(store, (conversation(),))
    await store.drafts.save(Draft(conversation_id=ConversationId("c1"), text="kept"))
    modes = {path.name: path.stat().st_mode & 0o077 for path in folder.rglob("*.*")}
    await store.close()
    assert "cache.db-wal" in modes
    assert [name for name, mode in modes.items() if mode] == []


async def test_the_outbox_may_live_in_another_folder(tmp_path: Path) -> None:
    from app.domain.clock import SystemClock
    from app.store.store import Store

    for _ in range(2):
        for name in ("data", "outbox"):
            (tmp_path / name).mkdir(exist_ok=True)
        store = await Store.open(
            tmp_path / "data", tmp_path / "outbox", b"c" * 32, b"o" * 32, SystemClock()
        )
        await store.close()
    assert (tmp_path / "outbox" / "outbox.db").exists() and store.notices == ()
