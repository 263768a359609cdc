"""Upgrades a genuine cache of each older version: nothing is lost, nothing half done.

It never changes the old files: each test works on a copy.
"""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from app.domain.inbox import InboxQuery
from app.store.backups import backup_path
from app.store.cache_tables import CACHE_VERSION
from app.store.cipher import connect
from contract.events import MessageUpserted
from contract.ids import ConversationId, MessageId
from tests.app.store.values import CACHE_KEY, OUTBOX_KEY, event, message, open_at
from tests.support.child import Child

_OLD_FILES = sorted((Path(__file__).parent / "data").glob("cache-version-*.db"))
_VERSIONS = [int(path.stem.rpartition("-")[2]) for path in _OLD_FILES]


def _old_store(folder: Path, version: int) -> Path:
    folder.mkdir(exist_ok=True)
    shutil.copyfile(_OLD_FILES[_VERSIONS.index(version)], folder / "cache.db")
    return folder


def _tables(path: Path, key: bytes = CACHE_KEY) -> dict[str, Any]:
    """Return what decides how a file behaves: columns, indexes, triggers, index options."""
    driver = connect(path, key)
    try:
        rows = driver.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema").fetchall()
        found: dict[str, Any] = {"version": driver.execute("PRAGMA user_version").fetchone()[0]}
        for kind, name, table, sql in rows:
            if kind == "table" and not sql.startswith("CREATE VIRTUAL"):
                found[name] = driver.execute(f"PRAGMA table_xinfo({name})").fetchall()
            else:
                found[name] = (kind, table, " ".join((sql or "").split()))
        return found
    finally:
        driver.close()


def test_every_older_version_has_a_genuine_file() -> None:
    assert list(range(1, CACHE_VERSION)) == _VERSIONS


@pytest.mark.parametrize("version", _VERSIONS)
async def test_an_upgraded_file_has_the_tables_of_a_new_one(tmp_path: Path, version: int) -> None:
    await (await open_at(_old_store(tmp_path / "old", version))).close()
    await (await open_at(tmp_path / "new")).close()
    assert _tables(tmp_path / "old" / "cache.db") == _tables(tmp_path / "new" / "cache.db")


async def test_a_genuine_file_of_version_1_keeps_messages_people_and_position(
    tmp_path: Path,
) -> None:
    store = await open_at(_old_store(tmp_path / "store", 1))
    assert store.notices == () and await store.cache.cursor() == 66
    rows = (await store.inbox.page(InboxQuery(), 100)).rows
    assert [row.conversation.conversation_id for row in rows][:3] == ["c11", "c10", "c09"]
    checked = await store.check()
    assert checked.ok and (checked.message_count, checked.contact_count) == (314, 30)
    window = await store.timeline.around(ConversationId("c01"), MessageId("m049"), 3, 3)
    assert [row.message.message_id for row in window.rows][3] == "m049"
    changed = await store.timeline.message(MessageId("m005"))
    assert changed is not None and changed.message.text == "changed afterwards"
    assert await store.timeline.message(MessageId("m006")) is None
    sealed = await store.timeline.message(MessageId("m020"))
    assert sealed is not None and sealed.message.archive is not None
    assert await store.cache.get_meta("policy_bundle") == b"bundle"
    await store.close()


async def test_what_version_1_indexed_is_found_and_later_news_too(tmp_path: Path) -> None:
    store = await open_at(_old_store(tmp_path / "store", 1))
    for query in ("resume", "strassenplan", "打ち", "基", "만나", "สำนัก", "vertrag", "changed"):
        assert (await store.search.search(query)).messages, query
    assert (await store.search.search("zoe")).people
    news = message("new", "a brand new word", at=900_000, home="c01")
    await store.cache.apply_events([event(67, MessageUpserted(message=news))], 67)
    (hit,) = (await store.search.search("brand")).messages
    assert hit.message_id == "new"
    await store.close()


@pytest.mark.parametrize("version", _VERSIONS)
async def test_the_old_file_is_copied_first_and_the_copy_goes_at_the_next_start(
    tmp_path: Path, version: int
) -> None:
    folder = _old_store(tmp_path / "store", version)
    await (await open_at(folder)).close()
    copy = backup_path(folder / "cache.db", version)
    assert _tables(copy)["version"] == version and copy.stat().st_mode & 0o777 == 0o600
    await (await open_at(folder)).close()
    assert not copy.exists()


async def test_a_copy_of_an_older_outbox_is_made_and_wiped_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    old = Path(__file__).parent / "files" / "outbox-version-2.db"
    shutil.copyfile(old, folder / "outbox.db")
    store = await open_at(folder)
    copy = backup_path(folder / "outbox.db", 2)
    assert _tables(copy, OUTBOX_KEY)["version"] == 2
    await store.drafts.purge_all()
    assert not copy.exists()
    await store.close()


@pytest.mark.slow
@pytest.mark.parametrize("version", _VERSIONS)
async def test_an_upgrade_killed_at_any_step_is_whole_at_the_next_start(
    tmp_path: Path, version: int
) -> None:
    kills = [("rename", 0), *(("statement", number) for number in range(0, 160, 8))]
    finished = 0
    for kind, number in kills:
        folder = _old_store(tmp_path / f"{kind}{number}", version)
        with Child("tests.app.store.upgrader", {}, str(folder), kind, str(number)) as upgrader:
            status = upgrader.wait()
            finished += bool(upgrader.told("upgraded"))
            assert status == (0 if upgrader.told("upgraded") else -signal.SIGKILL), upgrader.errors
        store = await open_at(folder)
        checked = await store.check()
        assert checked.ok and checked.message_count == 314 and store.notices == ()
        assert await store.cache.cursor() == 66
        await store.close()
        await (await open_at(folder)).close()
        assert not list(folder.glob("*version*")), "a copy was left"
        if finished:
            break
    assert finished == 1 and number > 5
