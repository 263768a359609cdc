"""Owns the connections to the backend's database, one for its writer and one for its reader thread.

It never holds a query of its own beyond opening, and it knows no rule of the business.

The embedded database is SQLCipher with a raw key; writes run as BEGIN IMMEDIATE with
synchronous=FULL, because what is archived must survive the loss of power.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar, cast

import sqlcipher3.dbapi2 as sqlcipher
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import NullPool

from backend.storage.bulk import execute_text
from backend.storage.channel_tables import COLUMNS_OF_5
from backend.storage.custody_tables import CUSTODY_TRIGGERS
from backend.storage.faults import (
    DatabaseBusy,
    DatabaseError,
    DatabaseTooNew,
    DatabaseUnreadable,
    StorageFull,
    translated,
)
from backend.storage.group_writer import GroupWriter, Job
from backend.storage.search_tables import SEARCH_TABLES
from backend.storage.tables import SCHEMA_VERSION, metadata

__all__ = [
    "Database",
    "DatabaseBusy",
    "DatabaseError",
    "DatabaseTooNew",
    "DatabaseUnreadable",
    "StorageFull",
    "transaction_notes",
]
T = TypeVar("T")
KEY_BYTES = 32
_BEGIN = {"writer": "BEGIN IMMEDIATE", "reader": "BEGIN"}
BUSY_TIMEOUT_MS = 10_000

_GROW_ONLY = """
CREATE TRIGGER IF NOT EXISTS {table}_refuse_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'archive entries only grow'); END
"""
_GROW_ONLY_TABLES = (
    "archive_entries",
    "archive_bodies",
    "archive_leaves",
    "archive_nodes",
    "archive_checkpoints",
    "archive_cosignatures",
    "archive_statements",
    "message_versions",
    "decisions",
)


def transaction_notes(connection: Connection) -> dict[str, object]:
    """Return the scratch notes of the running work or reading; they end with it."""
    notes = connection.info.setdefault("transaction_notes", {})
    return cast("dict[str, object]", notes)


class Database:
    """One writer thread and one reader thread over one SQLCipher file.

    Functions given to `write` and `read` take a Connection, are synchronous and never commit.
    Works that wait for the writer together are committed together (backend.storage.group_writer).
    """

    def __init__(self, path: Path, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"the database key must hold {KEY_BYTES} bytes")
        self.path = path
        self._engines = {name: _engine(path, key) for name in _BEGIN}
        self._connections: dict[str, Connection] = {}
        self._disconnected: set[str] = set()
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database-reader")
        self._writer = GroupWriter(
            lambda: self._transaction("writer"),
            self._count_changes,
            lambda: self._disconnect("writer"),
        )
        self._is_open = True

    @classmethod
    def open(cls, path: Path, key: bytes) -> Database:
        """Open or make the database file at `path` with a raw 32-byte key.

        Raises DatabaseUnreadable (damaged, or another key), DatabaseTooNew or StorageFull.
        Side effects: makes the folder, the file and its tables; starts two threads.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        database = cls(path, key)
        try:
            database.write_now(_prepare)
        except BaseException:
            database.close_now()
            raise
        return database

    def before_commit(self, hook: Callable[[Connection], object]) -> None:
        """Run `hook` after each writing work, as its last step."""
        self._writer.before_commit(hook)

    def on_commit(self, hook: Callable[[], None]) -> Callable[[], None]:
        """Call `hook` on the running loop after each commit of a change; returns the unsubscriber.

        The call comes also when the writer's caller was cancelled meanwhile.
        """
        return self._writer.on_commit((asyncio.get_running_loop(), hook))

    def close_groups(
        self,
        work: Callable[[Connection], T | None],
        told: Callable[[T | None, BaseException | None], None],
    ) -> Callable[[], None]:
        """Run `work` at the end of each commit's transaction; returns the unsubscriber.

        Its exception takes back what it did itself, nothing else. `told` gets its result, unless
        that is None, or its error: on the writer's thread, once the commit is done.
        """
        return self._writer.close_groups(work, told)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction on the writer thread; returns once it is committed.

        Works that wait together share the transaction: each sees what those before it did. Any
        exception of `work` takes back what it did and is raised here; a full disk raises
        StorageFull, and then nothing of the transaction is kept.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._writer.submit(Job(work, future, loop))
        return await future

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on the reader thread; it sees one consistent state."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, self._read, work)

    def write_now(self, work: Callable[[Connection], T]) -> T:
        """Like `write`, blocking: for command lines without a loop."""
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._writer.submit(Job(work, future, None))
        return future.result()

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """Like `read`, blocking: for command lines without a loop."""
        return self._reader.submit(self._read, work).result()

    async def close(self) -> None:
        """Let running work end, then close both connections and threads."""
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """Like `close`, blocking; a second call does nothing."""
        if self._is_open:
            self._is_open = False
            self._writer.close()
            self._reader.submit(self._disconnect, "reader").result()
            self._reader.shutdown(wait=True)

    def _disconnect(self, name: str) -> None:
        self._disconnected.add(name)  # what was given meanwhile must not connect once more
        connection = self._connections.pop(name, None)
        if connection is not None:
            connection.close()
        self._engines[name].dispose()

    def _count_changes(self) -> int:
        """Return how many rows the writer's connection has changed since it was opened."""
        driver = self._connections["writer"].connection.driver_connection
        assert driver is not None
        return int(driver.total_changes)

    @contextlib.contextmanager
    def _transaction(self, name: str) -> Iterator[Connection]:
        connection = self._connections.get(name)
        if connection is None:
            if name in self._disconnected:
                raise RuntimeError("the database is closed")
            connection = self._engines[name].connect()
            self._connections[name] = connection
            connection.begin()  # for the toolkit one that never ends: it emits nothing
        driver = connection.connection.driver_connection
        assert driver is not None
        execute_text(connection, _BEGIN[name]).close()
        try:
            yield connection
            execute_text(connection, "COMMIT").close()
        finally:
            if driver.in_transaction:
                driver.rollback()

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._transaction("reader") as connection:
                connection.info["transaction_notes"] = {}
                return work(connection)
        except Exception as error:
            shown = translated(error)
            if shown is error:
                raise
            raise shown from error


def stored_version(path: Path, key: bytes) -> int:
    """Return the schema version of a database file without changing it; it blocks.

    Raises DatabaseUnreadable for a damaged file or another key.
    """
    engine = _engine(path, key)
    try:
        with engine.connect() as connection:
            return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    except Exception as error:
        shown = translated(error)
        if shown is error:
            raise
        raise shown from error
    finally:
        engine.dispose()


def _engine(path: Path, key: bytes) -> Engine:
    def connect() -> object:
        connection = sqlcipher.connect(
            str(path), isolation_level=None, check_same_thread=True, timeout=BUSY_TIMEOUT_MS / 1000
        )
        try:
            for pragma in (
                f"PRAGMA key = \"x'{key.hex()}'\"",
                "PRAGMA cipher_log_level = NONE",
                "PRAGMA journal_mode = WAL",
                "PRAGMA synchronous = FULL",
                "PRAGMA foreign_keys = ON",
                "PRAGMA recursive_triggers = ON",
                "PRAGMA temp_store = MEMORY",
            ):
                connection.execute(pragma)
        except sqlcipher.Error:
            connection.close()
            raise
        return connection

    return create_engine(
        "sqlite+pysqlite://",
        module=sqlcipher,
        creator=connect,
        poolclass=NullPool,
        hide_parameters=True,  # an error's text may reach a log: it must not quote a message
    )


def _prepare(connection: Connection) -> None:
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if version > SCHEMA_VERSION:
        raise DatabaseTooNew(
            "The backend's database was written by a newer Parley: start that version."
        )
    if version == 1:  # the order of rows was the log's index, too
        connection.exec_driver_sql(
            "ALTER TABLE archive_entries RENAME COLUMN leaf_index TO sequence"
        )
    if 0 < version < 5:
        for statement in COLUMNS_OF_5:
            connection.exec_driver_sql(statement)
    metadata.create_all(connection)
    if 0 < version < 4:  # what changed when was not noted: let all have changed just now
        connection.exec_driver_sql(
            "INSERT INTO conversation_positions (employee_id, conversation_id, firm_id, seq)"
            " SELECT m.employee_id, m.conversation_id, m.firm_id, c.seq FROM conversation_members m"
            " JOIN event_counters c ON c.employee_id = m.employee_id"
        )
    for table in _GROW_ONLY_TABLES:
        for verb in ("UPDATE", "DELETE"):
            connection.exec_driver_sql(_GROW_ONLY.format(table=table, verb=verb))
    for statement in (*CUSTODY_TRIGGERS, *SEARCH_TABLES):
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
