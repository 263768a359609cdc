"""Makes SQLAlchemy Core connections over the encrypted files.

It never imports sqlalchemy.orm and pools nothing: each store thread owns its connection.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from app.store.cipher import connect

WRITE = "BEGIN IMMEDIATE"
READ = ""


def open_connection(
    path: Path,
    key: bytes,
    *,
    begin: str,
    synchronous: str = "NORMAL",
    cache_kib: int = 4_096,
    autocheckpoint_pages: int = 1_000,
    shrinkable: bool = False,
) -> Connection:
    """Open a file for the calling thread; `begin` is WRITE, or READ to begin by hand.

    `autocheckpoint_pages` 0 leaves checkpoints to the caller, off the commit's path; see
    `connect` for `shrinkable`. Raises the driver's errors.
    """
    from sqlcipher3 import dbapi2

    def creator() -> Any:
        driver = connect(
            path, key, synchronous=synchronous, cache_kib=cache_kib, shrinkable=shrinkable
        )
        driver.execute(f"PRAGMA wal_autocheckpoint = {autocheckpoint_pages}")
        driver.execute("PRAGMA foreign_keys = OFF")
        return driver

    engine = create_engine(
        "sqlite://",
        module=dbapi2,
        creator=creator,
        poolclass=StaticPool,
        hide_parameters=True,  # an error's text must not quote a message
        # A connection that failed to open may be collected on another thread, where the driver
        # takes no rollback; transactions here always end by themselves.
        pool_reset_on_return=None,
    )

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    if begin:
        event.listen(engine, "begin", on_begin)
    return engine.connect()


def close_connection(connection: Connection) -> None:
    """Close a connection and its file on the thread that opened it."""
    engine = connection.engine
    connection.close()
    engine.dispose()


def driver_of(connection: Connection) -> Any:
    """Return the driver's own connection."""
    return connection.connection.driver_connection


def run_outside_transaction(connection: Connection, sql: str) -> list[tuple[Any, ...]]:
    """Run one statement in the driver's autocommit mode (checkpoints, VACUUM); return its rows.

    Raises SQLAlchemy's DBAPIError like any other statement.
    """
    from sqlcipher3 import dbapi2

    driver = driver_of(connection)
    try:
        return [tuple(row) for row in driver.execute(sql)]
    except dbapi2.Error as error:
        raise DBAPIError(sql, None, error) from error
