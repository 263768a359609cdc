"""Tidies the cache's search index and gives free pages back to the disk, a few at a time.

It never changes what the cache holds, and it never commits.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from app.store.engine import driver_of

SEARCH_TABLES = ("message_search", "contact_search", "conversation_search")
_INCREMENTAL = 2


def used_bytes(connection: Connection) -> int:
    """Return the size of all pages in use: the file without its free pages."""
    return (_number(connection, "page_count") - free_pages(connection)) * _number(
        connection, "page_size"
    )


def file_pages(connection: Connection) -> int:
    """Return how many pages the file has."""
    return _number(connection, "page_count")


def free_pages(connection: Connection) -> int:
    """Return how many pages hold nothing."""
    return _number(connection, "freelist_count")


def can_shrink(connection: Connection) -> bool:
    """Tell whether free pages can be given back in steps; a file of version 1 can't at first."""
    return _number(connection, "auto_vacuum") == _INCREMENTAL


def shrink(connection: Connection, pages: int) -> int:
    """Move some pages to the front and cut the file's end; return how many free ones are left."""
    # One row comes for each page: read to the end, or it stops at the first.
    driver_of(connection).execute(f"PRAGMA incremental_vacuum({int(pages)})").fetchall()
    return free_pages(connection)


def begin_merge(connection: Connection, table: str) -> None:
    """Note that all parts of a search index are to become one."""
    _merge(connection, table, -1)


def merge(connection: Connection, table: str, pages: int) -> bool:
    """Write some pages of the merged index; return False when nothing was left to do.

    See https://www.sqlite.org/fts5.html#the_merge_command for how its end is known.
    """
    return _merge(connection, table, pages) >= 2


def index_pages(connection: Connection, table: str) -> int:
    """Return about how many pages a search index has."""
    row = driver_of(connection).execute(f"SELECT count(*) FROM {table}_data").fetchone()  # noqa: S608 -- constants
    return int(row[0])


def _merge(connection: Connection, table: str, pages: int) -> int:
    driver = driver_of(connection)
    before = int(driver.total_changes)
    sql = f"INSERT INTO {table} ({table}, rank) VALUES ('merge', ?)"  # noqa: S608 -- constants
    driver.execute(sql, (pages,))
    return int(driver.total_changes) - before


def _number(connection: Connection, pragma: str) -> int:
    row: Any = driver_of(connection).execute(f"PRAGMA {pragma}").fetchone()
    return int(row[0])
