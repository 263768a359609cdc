"""Owns the writing and reading of many plain rows at once, past the toolkit's work per row.

It takes values as the driver stores them, and knows no table by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, Table

Rows = Sequence[tuple[int | str | bytes, ...]]


def insert_rows(connection: Connection, table: Table, columns: tuple[str, ...], rows: Rows) -> None:
    """Insert rows whose values stand in the order of `columns`."""
    if rows:
        statement = _insert_of(table.name, columns, connection.dialect.paramstyle)
        connection.exec_driver_sql(statement, list(rows))


def select_rows(connection: Connection, query: Select[Any]) -> list[Any]:
    """Return a query's rows as the driver gives them: no result types, no names."""
    compiled = query.compile(
        dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
    )
    positions = compiled.positiontup or ()
    values = tuple(compiled.params[name] for name in positions)
    return list(connection.exec_driver_sql(str(compiled), values).all())


@lru_cache(maxsize=64)
def _insert_of(table: str, columns: tuple[str, ...], paramstyle: str) -> str:
    mark = "?" if paramstyle == "qmark" else "%s"
    marks = ", ".join([mark] * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - own names
