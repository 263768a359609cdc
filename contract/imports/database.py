"""Owns how a database inside an export is read: in memory, its real tables, nothing run from it.

It never opens a file, and never runs what a stranger's schema defines.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, Protocol

from contract.imports.model import ImportRefused

MOST_BYTES = 1024**3
_WAL_MARKS = slice(18, 20)
_MOST_STEPS = 20_000
_STEP = 1_000_000
DatabaseFault = sqlite3.Error
Value = str | int | float | bytes | None
Row = dict[str, Any]


class Readable(Protocol):
    """A connection of SQLite or SQLCipher."""

    def execute(self, sql: str, parameters: tuple[Value, ...] = ..., /) -> Any:
        """Run a statement."""


def opened(file: IO[bytes], refused: str) -> sqlite3.Connection:
    """Return the database a file holds, in memory; raises ImportRefused with `refused`."""
    content = bytearray(file.read(MOST_BYTES + 1))
    if len(content) > MOST_BYTES:
        raise ImportRefused("This database is larger than 1 GB: it is not taken.")
    if not content.startswith(b"SQLite format 3\x00"):
        raise ImportRefused(refused)
    content[_WAL_MARKS] = b"\x01\x01"  # in memory there is no log beside it
    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(content)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
    except sqlite3.Error as error:
        connection.close()
        raise ImportRefused(refused) from error
    connection.set_progress_handler(_Patience(), _STEP)
    return connection


def columns_of(connection: Readable, table: str) -> frozenset[str]:
    """Return a real table's columns, none where there is no such table or it is a view."""
    kind = connection.execute(
        "SELECT sql FROM sqlite_master WHERE name = ? AND type = 'table'", (table,)
    ).fetchone()
    if kind is None or str(kind[0]).upper().startswith("CREATE VIRTUAL"):
        return frozenset()
    return frozenset(str(row[1]) for row in connection.execute(f"PRAGMA table_xinfo({table})"))


def rows_of(
    connection: Readable, table: str, wanted: Iterable[str], where: str = "", *values: Value
) -> Iterator[Row]:
    """Yield a table's rows with the wanted columns; those it has not are None.

    `table`, `wanted` and `where` are our own words, never the file's.
    """
    there = columns_of(connection, table)
    if not there:
        return
    names = tuple(wanted)
    told = ", ".join(f'"{name}"' if name in there else "NULL" for name in names)
    for row in connection.execute(f"SELECT {told} FROM {table} {where}", values):  # noqa: S608 -- own words
        yield dict(zip(names, row, strict=True))


def written(tables: Mapping[str, tuple[tuple[str, ...], Iterable[Row]]]) -> bytes:
    """Return a new database that holds these rows: equal rows give equal bytes."""
    connection = sqlite3.connect(":memory:")
    try:
        for table, (names, rows) in tables.items():
            listed = ", ".join(f'"{name}"' for name in names)
            connection.execute(f"CREATE TABLE {table} ({listed})")
            marks = ", ".join("?" * len(names))
            connection.executemany(
                f"INSERT INTO {table} VALUES ({marks})",  # noqa: S608 -- own words
                (tuple(row[name] for name in names) for row in rows),
            )
        connection.commit()
        return connection.serialize()
    finally:
        connection.close()


class _Patience:
    """Ends a reading that a stranger's database makes endless."""

    def __init__(self) -> None:
        self._steps = 0

    def __call__(self) -> bool:
        self._steps += 1
        return self._steps > _MOST_STEPS
