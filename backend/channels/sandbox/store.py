"""The sandbox vendor's own encrypted file: phones, accepted keys, queue, plans and faults.

It never opens the backend's database and knows no rule of the vendor.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
_KEY_LABEL = b"parley.sandbox.store.v1"
FILE_NAME = "sandbox.db"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS clients(
  account_id TEXT NOT NULL, address TEXT NOT NULL, id_type TEXT NOT NULL, name TEXT NOT NULL,
  language TEXT NOT NULL, answers INTEGER NOT NULL DEFAULT 1, PRIMARY KEY(account_id, address));
CREATE TABLE IF NOT EXISTS phone(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, account_id TEXT NOT NULL, channel TEXT NOT NULL,
  address TEXT NOT NULL, direction TEXT NOT NULL, external_id TEXT NOT NULL UNIQUE,
  key TEXT NOT NULL, text TEXT NOT NULL, files TEXT NOT NULL, at_utc_ms INTEGER NOT NULL,
  version INTEGER NOT NULL DEFAULT 1, deleted INTEGER NOT NULL DEFAULT 0,
  reaction TEXT NOT NULL DEFAULT '', read_by_us INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS phone_chat ON phone(account_id, address, direction);
CREATE INDEX IF NOT EXISTS phone_key ON phone(account_id, key);
CREATE TABLE IF NOT EXISTS accepted_keys(
  account_id TEXT NOT NULL, key TEXT NOT NULL, external_id TEXT NOT NULL,
  PRIMARY KEY(account_id, key));
CREATE TABLE IF NOT EXISTS queue(
  id INTEGER PRIMARY KEY AUTOINCREMENT, account_id TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS queue_account ON queue(account_id, id);
CREATE TABLE IF NOT EXISTS plans(
  id INTEGER PRIMARY KEY AUTOINCREMENT, due_at_utc_ms INTEGER NOT NULL, account_id TEXT NOT NULL,
  address TEXT NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS plans_due ON plans(due_at_utc_ms, id);
CREATE TABLE IF NOT EXISTS faults(
  id INTEGER PRIMARY KEY AUTOINCREMENT, account_id TEXT NOT NULL, address TEXT NOT NULL,
  kind TEXT NOT NULL, seconds REAL NOT NULL, remaining INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS epoch(value TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS media(
  ref TEXT PRIMARY KEY, account_id TEXT NOT NULL, body BLOB NOT NULL);
"""


class SandboxStore:
    """One connection on one thread; each function given to `write` is one transaction."""

    def __init__(self, data_dir: Path, database_key: bytes) -> None:
        """Prepare the store in `data_dir`; its key is derived from the 32-byte `database_key`."""
        self._path = data_dir / FILE_NAME
        self._key = hmac.digest(database_key, _KEY_LABEL, "sha256")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sandbox")
        self._connection: Any = None
        self.epoch = ""

    async def open(self) -> None:
        """Open the file and create what is missing."""
        await self._run(self._open)

    async def write(self, function: Callable[[Any], T]) -> T:
        """Run `function(connection)` in one committed transaction; an error rolls it back."""
        return await self._run(lambda: self._transaction(function))

    async def close(self) -> None:
        """Close the file after what was queued has run."""
        await self._run(self._close)
        self._thread.shutdown()

    async def _run(self, function: Callable[[], T]) -> T:
        future = asyncio.get_running_loop().run_in_executor(self._thread, function)
        # A cancelled caller must not leave a half-known transaction: it runs to its end.
        return await asyncio.shield(future)

    def _open(self) -> None:
        from sqlcipher3 import dbapi2

        connection = dbapi2.connect(str(self._path), isolation_level=None, check_same_thread=False)
        connection.execute(f"PRAGMA key = \"x'{self._key.hex()}'\"")
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_SCHEMA)
        # A cursor of another file's queue means nothing here: the epoch tells them apart.
        connection.execute(
            "INSERT INTO epoch SELECT ? WHERE NOT EXISTS (SELECT 1 FROM epoch)",
            (secrets.token_hex(8),),
        )
        self.epoch = str(connection.execute("SELECT value FROM epoch").fetchone()[0])
        self._connection = connection

    def _transaction(self, function: Callable[[Any], T]) -> T:
        connection = self._connection
        if connection is None:
            raise RuntimeError("the sandbox store is not open")
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = function(connection)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        return result

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
