"""Checks that works which wait together are committed together, each on its own terms.

It never opens the database of a workspace.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from backend.storage import group_writer
from backend.storage.database import Database, transaction_notes
from tests.support.waiting import eventually


@pytest.fixture
async def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """Yield a database with a table of its own, whose groups a slow machine does not cut."""
    for name in ("GROUP_WITHIN_S", "GROUP_AT_MOST_WITHIN_S"):
        monkeypatch.setattr(group_writer, name, 60.0)
    opened = Database.open(tmp_path / "group.db", b"k" * 32)
    opened.write_now(_make_tables)
    yield opened
    await opened.close()


def _make_tables(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE numbers (n INTEGER PRIMARY KEY)")
    connection.exec_driver_sql(
        "CREATE TABLE followers (n INTEGER REFERENCES numbers (n) DEFERRABLE INITIALLY DEFERRED)"
    )


def add(connection: Connection, number: int) -> int:
    """Add a number; returns how many there are."""
    connection.exec_driver_sql("INSERT INTO numbers VALUES (?)", (number,))
    return int(connection.exec_driver_sql("SELECT count(*) FROM numbers").scalar_one())


async def numbers(database: Database) -> list[int]:
    """Return all that is committed."""
    return await database.read(
        lambda c: list(c.exec_driver_sql("SELECT n FROM numbers ORDER BY n").scalars())
    )


class Gate:
    """Holds the writer's thread, so that works gather behind it."""

    def __init__(self, database: Database) -> None:
        self._entered, self._open = threading.Event(), threading.Event()
        self._task = asyncio.create_task(database.write(self._hold))

    def _hold(self, connection: Connection) -> None:
        self._entered.set()
        assert self._open.wait(60)

    async def entered(self) -> None:
        """Return once the writer is held."""
        await asyncio.to_thread(self._entered.wait, 60)

    async def open(self) -> None:
        """Let the writer go on; the gate shares the fate of those behind it."""
        self._open.set()
        await asyncio.gather(self._task, return_exceptions=True)


async def in_one_group(database: Database, *works: asyncio.Task[int]) -> list[object]:
    """Return the outcomes of works that were begun while the writer was held."""
    return list(await asyncio.gather(*works, return_exceptions=True))


async def test_works_that_wait_are_committed_at_once_and_told_of_once(database: Database) -> None:
    commits: list[int] = []
    unsubscribe = database.on_commit(lambda: commits.append(1))
    gate = Gate(database)
    await gate.entered()
    works = [asyncio.create_task(database.write(partial(add, number=n))) for n in range(5)]
    await asyncio.sleep(0)
    await gate.open()
    assert await in_one_group(database, *works) == [1, 2, 3, 4, 5]
    await asyncio.sleep(0)
    assert commits == [1]
    unsubscribe()


async def test_failed_work_takes_back_its_own_rows_only(database: Database) -> None:
    def fails(connection: Connection) -> int:
        add(connection, 99)
        transaction_notes(connection)["of"] = "failed"
        raise LookupError("told to fail")

    def twice(connection: Connection) -> int:
        assert transaction_notes(connection) == {}
        return add(connection, 1)

    gate = Gate(database)
    await gate.entered()
    works = [
        asyncio.create_task(database.write(work))
        for work in (lambda c: add(c, 1), fails, twice, lambda c: add(c, 2))
    ]
    await asyncio.sleep(0)
    await gate.open()
    first, failed, doubled, last = await in_one_group(database, *works)
    assert (first, last) == (1, 2)
    assert isinstance(failed, LookupError)
    assert isinstance(doubled, IntegrityError)
    assert await numbers(database) == [1, 2]


async def test_commit_that_fails_fails_every_work_of_its_group(database: Database) -> None:
    def leaves_a_dangling_row(connection: Connection) -> int:
        connection.exec_driver_sql("INSERT INTO followers VALUES (7)")
        return 0

    gate = Gate(database)
    await gate.entered()
    works = [
        asyncio.create_task(database.write(work))
        for work in (lambda c: add(c, 1), leaves_a_dangling_row)
    ]
    await asyncio.sleep(0)
    await gate.open()
    outcomes = await in_one_group(database, *works)
    assert all(isinstance(one, IntegrityError) for one in outcomes)
    assert await numbers(database) == []
    assert await database.write(lambda c: add(c, 3)) == 1


async def test_transaction_that_the_database_ends_fails_the_group_and_no_later_one(
    database: Database,
) -> None:
    def loses_all(connection: Connection) -> int:
        connection.exec_driver_sql("INSERT OR ROLLBACK INTO numbers VALUES (1)")
        return 0

    gate = Gate(database)
    await gate.entered()
    works = [asyncio.create_task(database.write(work)) for work in (lambda c: add(c, 1), loses_all)]
    await asyncio.sleep(0)
    await gate.open()
    outcomes = await in_one_group(database, *works)
    assert all(isinstance(one, IntegrityError) for one in outcomes)
    assert await database.write(lambda c: add(c, 3)) == 1


async def test_work_whose_caller_left_before_it_began_is_not_done(database: Database) -> None:
    gate = Gate(database)
    await gate.entered()
    work = asyncio.create_task(database.write(lambda c: add(c, 1)))
    await asyncio.sleep(0)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await gate.open()
    assert await numbers(database) == []


async def test_closing_work_sees_the_group_and_fails_alone(database: Database) -> None:
    told: list[tuple[int | None, BaseException | None]] = []

    def closing(connection: Connection) -> int | None:
        count = add(connection, 100)
        if count == 2:
            raise LookupError("told to fail")
        return count

    forget = database.close_groups(closing, lambda *outcome: told.append(outcome))
    assert await database.write(lambda c: add(c, 1)) == 1
    assert await numbers(database) == [1]
    assert told[0][0] is None
    assert isinstance(told[0][1], LookupError)
    assert await database.write(lambda c: add(c, 2)) == 2
    assert told[1:] == [(3, None)]
    forget()
    await database.write(lambda c: add(c, 3))
    assert await numbers(database) == [1, 2, 3, 100]


async def test_read_given_while_the_database_closes_connects_no_more(database: Database) -> None:
    held, go_on = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        held.set()
        assert go_on.wait(60)

    holding = asyncio.create_task(database.read(hold))
    await asyncio.to_thread(held.wait, 60)
    closing = asyncio.create_task(database.close())
    await eventually(lambda: _waits_for_reader(database), "the close to wait for the reader")
    late = asyncio.create_task(numbers(database))
    await asyncio.sleep(0)
    go_on.set()
    await holding
    await closing
    with pytest.raises(RuntimeError, match="closed"):
        await late


async def _waits_for_reader(database: Database) -> bool:
    return database._reader._work_queue.qsize() > 0


async def test_work_given_after_the_close_is_refused(database: Database) -> None:
    database.close_now()
    with pytest.raises(RuntimeError, match="closed"):
        await database.write(lambda c: add(c, 1))
