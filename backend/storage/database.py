"""Owns the connection to the backend's database with its writer thread and its reader thread.

It never holds a query of its own beyond opening, and it knows no rule of the business.

The embedded database is SQLCipher with a raw key; writes run as BEGIN IMMEDIATE with
synchronous=FULL, because what is archived must survive the loss of power.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar, cast

import sqlcipher3.dbapi2 as sqlcipher
from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.pool import NullPool

from backend.storage.custody_tables import CUSTODY_TRIGGERS
from backend.storage.tables import SCHEMA_VERSION, metadata

T = TypeVar("T")
KEY_BYTES = 32
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


class DatabaseError(Exception):
    """The database can't serve; the text is a plain sentence without content."""


class DatabaseUnreadable(DatabaseError):
    """The file is damaged, or the key is not its key."""


class DatabaseTooNew(DatabaseError):
    """A newer Parley wrote the file."""


class DatabaseBusy(DatabaseError):
    """Another process held the database for too long; nothing of the transaction was kept."""


class StorageFull(DatabaseError):
    """The disk is full; nothing of the transaction was kept."""


def transaction_notes(connection: Connection) -> dict[str, object]:
    """Return the scratch notes of the running transaction; they end with it."""
    notes = connection.info.setdefault("transaction_notes", {})
    return cast("dict[str, object]", notes)


class Database:
    """One writer thread and one reader thread over one SQLCipher file.

    Functions given to `write` and `read` take a Connection, are synchronous and never commit.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"the database key must hold {KEY_BYTES} bytes")
        self.path = path
        self._engines = {
            "writer": _engine(path, key, "BEGIN IMMEDIATE"),
            "reader": _engine(path, key, "BEGIN"),
        }
        self._connections: dict[str, Connection] = {}
        self._threads = {
            name: ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"database-{name}")
            for name in self._engines
        }
        self._threads_open = True
        self._before_commit: list[Callable[[Connection], object]] = []
        self._on_commit: list[tuple[asyncio.AbstractEventLoop, Callable[[], None]]] = []
        self._hooks_lock = threading.Lock()
        self._changes = 0

    @classmethod
    def open(cls, path: Path, key: bytes) -> Database:
        """Open or make the database file at `path` with a raw 32-byte key.

        Raises DatabaseUnreadable (damaged, or another key), DatabaseTooNew or StorageFull.
        Side effects: makes the folder, the file and its tables; starts two threads.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        database = cls(path, key)
        try:
            database._threads["writer"].submit(database._run, "writer", _prepare).result()
        except BaseException:
            database.close_now()
            raise
        return database

    def before_commit(self, hook: Callable[[Connection], object]) -> None:
        """Run `hook` inside each writing transaction, as its last step."""
        self._before_commit.append(hook)

    def on_commit(self, hook: Callable[[], None]) -> Callable[[], None]:
        """Call `hook` on the running loop after each commit of a change; returns the unsubscriber.

        The call comes also when the writer's caller was cancelled meanwhile.
        """
        entry = (asyncio.get_running_loop(), hook)
        with self._hooks_lock:
            self._on_commit.append(entry)

        def unsubscribe() -> None:
            with self._hooks_lock:
                if entry in self._on_commit:
                    self._on_commit.remove(entry)

        return unsubscribe

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction on the writer thread and commit it.

        Any exception of `work` rolls back and is raised here; a full disk raises StorageFull.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads["writer"], self._write, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on the reader thread; it sees one consistent state."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads["reader"], self._run, "reader", work)

    def write_now(self, work: Callable[[Connection], T]) -> T:
        """Like `write`, blocking: for command lines without a loop."""
        return self._threads["writer"].submit(self._write, work).result()

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """Like `read`, blocking: for command lines without a loop."""
        return self._threads["reader"].submit(self._run, "reader", work).result()

    async def close(self) -> None:
        """Let running work end, then close both connections and threads."""
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """Like `close`, blocking; a second call does nothing."""
        threads, self._threads_open = self._threads if self._threads_open else {}, False
        for name, thread in threads.items():
            thread.submit(self._disconnect, name).result()
            thread.shutdown(wait=True)

    def _disconnect(self, name: str) -> None:
        connection = self._connections.pop(name, None)
        if connection is not None:
            connection.close()
        self._engines[name].dispose()

    def _write(self, work: Callable[[Connection], T]) -> T:
        def whole(connection: Connection) -> T:
            result = work(connection)
            for hook in self._before_commit:
                hook(connection)
            return result

        changes = self._changes
        result = self._run("writer", whole)
        self._changes = self._count_changes()
        with self._hooks_lock:
            hooks = tuple(self._on_commit) if self._changes != changes else ()
        for loop, hook in hooks:
            try:
                loop.call_soon_threadsafe(hook)
            except RuntimeError:  # that loop is closed: nobody waits there any more
                continue
        return result

    def _count_changes(self) -> int:
        """Return how many rows the writer's connection has changed since it was opened."""
        driver = self._connections["writer"].connection.driver_connection
        assert driver is not None
        return int(driver.total_changes)

    def _run(self, name: str, work: Callable[[Connection], T]) -> T:
        try:
            connection = self._connections.get(name)
            if connection is None:
                connection = self._engines[name].connect()
                self._connections[name] = connection
            connection.info["transaction_notes"] = {}
            with connection.begin():
                return work(connection)
        except exc.DatabaseError as error:
            translated = _translate(error)
            if translated is None:
                raise
            raise translated from error
        except sqlcipher.DatabaseError as error:
            raise DatabaseUnreadable(
                "The backend's database can't be opened: the key is not its key, or the file "
                "is damaged."
            ) from error


def _engine(path: Path, key: bytes, begin: str) -> Engine:
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

    engine = create_engine(
        "sqlite+pysqlite://",
        module=sqlcipher,
        creator=connect,
        poolclass=NullPool,
        hide_parameters=True,  # an error's text may reach a log: it must not quote a message
    )

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


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
    metadata.create_all(connection)
    for table in _GROW_ONLY_TABLES:
        for verb in ("UPDATE", "DELETE"):
            connection.exec_driver_sql(_GROW_ONLY.format(table=table, verb=verb))
    for trigger in CUSTODY_TRIGGERS:
        connection.exec_driver_sql(trigger)
    connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _translate(error: exc.DatabaseError) -> DatabaseError | None:
    name = str(getattr(error.orig, "sqlite_errorname", ""))
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return StorageFull("The disk of the backend is full or can't be written: free some space.")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return DatabaseBusy("Another process holds the backend's database: try again.")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return DatabaseUnreadable(
            "The backend's database can't be read: the key is not its key, or it is damaged."
        )
    return None
