"""Owns the ways to the database past the toolkit's work per statement and per row.

It takes and gives values as the driver stores them, and knows no table by itself.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Executable, Table, exc

Value = int | str | bytes
_CHUNK = 64  # rows of one statement: fewer calls, and fewer waits for the interpreter's lock
Rows = Sequence[tuple[Value, ...]]


class Prepared:
    """One statement, rendered once: for what is asked with every message.

    Values are given in the order of `names`, the names of its bound parameters.
    """

    def __init__(self, statement: Executable, *names: str) -> None:
        self._statement = statement
        self._names = names
        self._rendered: dict[str, tuple[str, tuple[tuple[int, Any], ...]]] = {}

    def rows(self, connection: Connection, *values: Value) -> list[Any]:
        """Return all rows as the driver gives them: no result types, no names."""
        cursor = self._run(connection, values)
        try:
            return list(cursor.fetchall())
        finally:
            cursor.close()

    def each(self, connection: Connection, *values: Value) -> Generator[Any, None, None]:
        """Yield the rows one by one; close the iterator when not all are wanted."""
        cursor = self._run(connection, values)
        try:
            yield from cursor
        finally:
            cursor.close()

    def first(self, connection: Connection, *values: Value) -> Any | None:
        """Return the first row, None when there is none."""
        cursor = self._run(connection, values)
        try:
            return cursor.fetchone()
        finally:
            cursor.close()

    def change(self, connection: Connection, *values: Value) -> int:
        """Run a changing statement; returns how many rows it changed."""
        cursor = self._run(connection, values)
        try:
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def _run(self, connection: Connection, values: tuple[Value, ...]) -> Any:
        name = connection.dialect.name
        if name not in self._rendered:
            self._rendered[name] = self._render(connection)
        text, places = self._rendered[name]
        given = tuple(constant if at < 0 else values[at] for at, constant in places)
        return execute_text(connection, text, given)

    def _render(self, connection: Connection) -> tuple[str, tuple[tuple[int, Any], ...]]:
        """Return the statement's text, and for each mark the value's place or a constant."""
        compiled: Any = self._statement.compile(  # type: ignore[attr-defined]  # all have it
            dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
        )
        marks = compiled.positiontup or ()
        return str(compiled), tuple(
            (self._names.index(mark), None) if mark in self._names else (-1, compiled.params[mark])
            for mark in marks
        )


def insert_rows(connection: Connection, table: Table, columns: tuple[str, ...], rows: Rows) -> None:
    """Insert rows whose values stand in the order of `columns`."""
    style = connection.dialect.paramstyle
    for at in range(0, len(rows), _CHUNK):
        chunk = rows[at : at + _CHUNK]
        if len(chunk) == _CHUNK:
            statement = _insert_of(table.name, columns, style, _CHUNK)
            execute_text(connection, statement, tuple(chain.from_iterable(chunk))).close()
        else:
            statement = _insert_of(table.name, columns, style)
            for row in chunk:
                execute_text(connection, statement, row).close()


def execute_text(connection: Connection, text: str, values: tuple[Value, ...] = ()) -> Any:
    """Run a statement on the driver and return its cursor, to be closed.

    Raises what the toolkit would raise, without the values.
    """
    cursor: Any = connection.connection.cursor()
    try:
        cursor.execute(text, values)
    except Exception as error:
        cursor.close()
        driver = connection.dialect.loaded_dbapi
        if not isinstance(error, driver.Error):
            raise
        raise exc.DBAPIError.instance(
            text, values, error, driver.Error, hide_parameters=True, dialect=connection.dialect
        ) from error
    return cursor


@lru_cache(maxsize=64)
def _insert_of(table: str, columns: tuple[str, ...], paramstyle: str, count: int = 1) -> str:
    mark = "?" if paramstyle == "qmark" else "%s"
    row = f"({', '.join([mark] * len(columns))})"
    rows = ", ".join([row] * count)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {rows}"  # noqa: S608 - own names
