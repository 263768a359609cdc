"""Owns the ways to the database past the toolkit's work per statement and per row.

It takes and gives values as the driver stores them, and knows no table by itself.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Generator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Connection, Executable, Table, exc

Value = int | str | bytes | None
Values = Value | list[str]  # a list is for a parameter that expands
_CHUNK = 64  # rows of one statement: fewer calls, and fewer waits for the interpreter's lock
_KEPT_SIZE = 32  # longer lists are rare: their texts are not kept
Rows = Sequence[tuple[Value, ...]]


class _Rendered(NamedTuple):
    """A statement's text; for each mark its value's place, that in a list or -1, a constant."""

    text: str
    marks: tuple[tuple[int, int, Any], ...]


class _Shape(NamedTuple):
    """How a driver's row becomes a record; `converters` by column, where the types differ."""

    make: Callable[[Sequence[Any]], Any]
    converters: tuple[tuple[int, Callable[[Any], Any]], ...]


class Prepared:
    """One statement, rendered once: for what is asked with every message.

    Values are given in the order of `names`, the names of its bound parameters. A parameter
    that expands (`IN`) takes a list, and the statement is rendered once for each short length.
    """

    def __init__(self, statement: Executable, *names: str) -> None:
        self._statement: Any = statement
        self._names = names
        self._rendered: dict[tuple[str | int, ...], _Rendered] = {}
        self._shapes: dict[str, _Shape] = {}

    def rows(self, connection: Connection, *values: Values) -> list[Any]:
        """Return all rows as the driver gives them: no result types, no names."""
        cursor = self._run(connection, values)
        try:
            return list(cursor.fetchall())
        finally:
            cursor.close()

    def records(self, connection: Connection, *values: Values) -> list[Any]:
        """Return all rows of a select as named tuples, with the columns' types."""
        rows = self.rows(connection, *values)
        shape = self._shapes.get(connection.dialect.name) or self._shape(connection)
        if not shape.converters:
            return list(map(shape.make, rows))
        found = []
        for row in map(list, rows):
            for at, convert in shape.converters:
                row[at] = convert(row[at])
            found.append(shape.make(row))
        return found

    def record(self, connection: Connection, *values: Values) -> Any | None:
        """Return the first of `records`, None when there is none."""
        found = self.records(connection, *values)
        return found[0] if found else None

    def scalars(self, connection: Connection, *values: Values) -> list[Any]:
        """Return the first column of all rows, as the driver gives it."""
        return [row[0] for row in self.rows(connection, *values)]

    def scalar(self, connection: Connection, *values: Values) -> Any | None:
        """Return the first row's first column as the driver gives it, None without a row."""
        row = self.first(connection, *values)
        return None if row is None else row[0]

    def each(self, connection: Connection, *values: Values) -> Generator[Any, None, None]:
        """Yield the rows one by one; close the iterator when not all are wanted."""
        cursor = self._run(connection, values)
        try:
            yield from cursor
        finally:
            cursor.close()

    def first(self, connection: Connection, *values: Values) -> Any | None:
        """Return the first row, None when there is none."""
        cursor = self._run(connection, values)
        try:
            return cursor.fetchone()
        finally:
            cursor.close()

    def change(self, connection: Connection, *values: Values) -> int:
        """Run a changing statement; returns how many rows it changed."""
        cursor = self._run(connection, values)
        try:
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def _run(self, connection: Connection, values: tuple[Values, ...]) -> Any:
        sizes = [len(value) for value in values if type(value) is list]
        key: tuple[str | int, ...] = (connection.dialect.name, *sizes)
        text, marks = self._rendered.get(key) or self._render(connection, key, values)
        given = tuple(_given(values, *mark) for mark in marks)
        return execute_text(connection, text, given)

    def _render(
        self, connection: Connection, key: tuple[str | int, ...], values: tuple[Values, ...]
    ) -> _Rendered:
        compiled = self._statement.compile(dialect=connection.dialect)
        state = compiled.construct_expanded_state(dict(zip(self._names, values, strict=True)))
        places = {name: (at, -1, None) for at, name in enumerate(self._names)}
        for name, each in state.parameter_expansion.items():
            if name in places:
                at = places[name][0]
                places |= {mark: (at, position, None) for position, mark in enumerate(each)}
        marks = tuple(
            places.get(mark) or (-1, -1, state.parameters[mark]) for mark in state.positiontup or ()
        )
        rendered = _Rendered(state.statement, marks)
        if all(len(value) <= _KEPT_SIZE for value in values if type(value) is list):
            self._rendered[key] = rendered
        return rendered

    def _shape(self, connection: Connection) -> _Shape:
        dialect = connection.dialect
        columns = list(self._statement.selected_columns)
        kinds = [column.type.dialect_impl(dialect) for column in columns]
        found = [(at, kind.result_processor(dialect, None)) for at, kind in enumerate(kinds)]
        names = [column.key for column in columns]
        record: Any = namedtuple("Record", names)  # type: ignore[misc]  # the statement's names
        converters = tuple((at, convert) for at, convert in found if convert is not None)
        shape = _Shape(record._make, converters)
        self._shapes[dialect.name] = shape
        return shape


def _given(values: tuple[Values, ...], at: int, position: int, constant: Any) -> Any:
    if at < 0:
        return constant
    value: Any = values[at]
    return value if position < 0 else value[position]


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
