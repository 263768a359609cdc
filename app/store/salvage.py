"""Reads what can be read of a damaged outbox file into a new one and names what can't.

It never changes the damaged file: it is kept aside under a name of its own.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.store.cipher import connect, is_damage, move_aside, remove
from app.store.engine import WRITE, close_connection, open_connection
from app.store.outbox_tables import (
    METADATA,
    archive_state,
    create_outbox,
    drafts,
    outbox,
    uploads,
    verified,
)

# Table, its row id, an index that tells all row ids, an index that holds all columns again.
_TABLES = (
    (outbox.name, "position", "outbox_by_conversation", "outbox_copy"),
    (drafts.name, "rowid", "sqlite_autoindex_drafts_1", "drafts_copy"),
    (uploads.name, "rowid", "sqlite_autoindex_uploads_1", None),
    (archive_state.name, "rowid", "sqlite_autoindex_archive_state_1", "archive_state_copy"),
    (verified.name, "rowid", "sqlite_autoindex_verified_1", None),
)


@dataclass(frozen=True, slots=True)
class TableSalvage:
    """How many rows of one table were read, of how many (None: not even their number)."""

    read_count: int
    known_count: int | None


@dataclass(frozen=True, slots=True)
class Salvage:
    """What became of a damaged outbox file; conversations that lost something, if known."""

    aside_name: str
    submissions: TableSalvage
    drafts: TableSalvage
    conversations_hit: tuple[str, ...]

    def sentence(self) -> str:
        """Return counts and the kept file's name for a notice."""
        return f"{_of(self.submissions)} submissions, {_of(self.drafts)} drafts; {self.aside_name}"


def salvage_outbox(path: Path, key: bytes, stamp: str) -> Salvage:
    """Build a new outbox file from the damaged one, swap them, return what was read.

    The key must be proven. Raises the driver's errors when the new file can't be written.
    """
    building, ready = _building(path), _ready(path)
    remove(building)
    copy = _copy(path)
    reader = _DamagedFile(copy, key)
    found = {table[0]: reader.read_table(*table) for table in _TABLES}
    hit = reader.conversations_of(found[outbox.name][1])
    reader.close()
    remove(copy)
    _write(building, key, {name: rows for name, (rows, _, _) in found.items()})
    building.rename(ready)
    aside = finish_interrupted_swap(path, stamp)
    counts = {
        name: TableSalvage(len(rows), len(rows) + len(missing) if known else None)
        for name, (rows, missing, known) in found.items()
    }
    return Salvage(aside.name if aside else "", counts[outbox.name], counts[drafts.name], hit)


def finish_interrupted_swap(path: Path, stamp: str) -> Path | None:
    """Put a complete salvaged file in the damaged one's place; return the latter's new name.

    Called at each start: a crash between the renames must not lose either file.
    """
    ready = _ready(path)
    if not ready.exists():
        return None
    has_parts = any(Path(f"{path}{suffix}").exists() for suffix in ("", "-wal"))
    aside = move_aside(path, stamp) if has_parts else None
    ready.rename(path)
    return aside


class _DamagedFile:
    """Reads around bad pages; SQLCipher's connection is of no more use after each."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._key = key
        self._connection: Any = None

    def read_table(
        self, name: str, row_key: str, key_index: str, copy_index: str | None
    ) -> tuple[list[tuple[Any, ...]], list[int], bool]:
        """Return readable rows by key, keys of unreadable ones, and whether all are known."""
        rows: dict[int, tuple[Any, ...]] = {}
        select = f"SELECT {row_key}, * FROM {name}"  # noqa: S608 -- names are ours
        whole = self._scan_both_ways(f"{select} NOT INDEXED", row_key, rows)
        if not whole and copy_index is not None:
            whole = self._scan_both_ways(f"{select} INDEXED BY {copy_index}", row_key, rows)
        keys: dict[int, tuple[Any, ...]] = {}
        by_index = f"SELECT {row_key} FROM {name} INDEXED BY {key_index}"  # noqa: S608 -- names are ours
        known = self._scan(by_index, keys)
        for key in sorted(keys.keys() - rows.keys()):
            self._scan(f"{select} WHERE {row_key} = {int(key)}", rows)
        missing = sorted(keys.keys() - rows.keys())
        return [rows[key] for key in sorted(rows)], missing, whole or known

    def _scan_both_ways(self, select: str, row_key: str, rows: dict[int, tuple[Any, ...]]) -> bool:
        """Collect rows up to a bad page from both ends; return True when there was none."""
        if self._scan(f"{select} ORDER BY {row_key}", rows):
            return True
        self._scan(f"{select} ORDER BY {row_key} DESC", rows)
        return False

    def conversations_of(self, positions: list[int]) -> tuple[str, ...]:
        """Return whose submissions were lost, as far as the index still tells."""
        found: dict[int, tuple[Any, ...]] = {}
        self._scan(
            "SELECT position, conversation_id FROM outbox INDEXED BY outbox_by_conversation", found
        )
        return tuple(sorted({str(found[p][0]) for p in positions if p in found}))

    def close(self) -> None:
        """Close the file; what is left of its log stays beside it."""
        if self._connection is not None:
            from sqlcipher3 import dbapi2

            with contextlib.suppress(dbapi2.Error):
                self._connection.close()
            self._connection = None

    def _scan(self, sql: str, rows: dict[int, tuple[Any, ...]]) -> bool:
        """Collect rows by their first column until a bad page; return True at the end.

        SQLCipher gives a bad page as zeros and says so at the next one only: the row read last
        before a fault is not believed, nor is one in whose text there are zeros.
        """
        from sqlcipher3 import dbapi2

        newest: int | None = None
        try:
            if self._connection is None:
                self._connection = connect(self._path, self._key, wal=False)
            for row in self._connection.execute(sql):
                key = int(row[0])
                newest = None if key in rows else key
                if _is_whole(row):
                    rows[key] = tuple(row[1:])
        except dbapi2.Error as error:
            self.close()
            if not is_damage(error) and not isinstance(error, dbapi2.OperationalError):
                raise
            rows.pop(newest or 0, None)
            return False
        return True


def _is_whole(row: Sequence[Any]) -> bool:
    """Tell whether no column was cut off: keys count from 1, and nobody types a zero byte."""
    return int(row[0]) > 0 and not any(isinstance(each, str) and "\0" in each for each in row)


def _write(path: Path, key: bytes, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    connection = open_connection(path, key, begin=WRITE, synchronous="FULL")
    try:
        with connection.begin():
            create_outbox(connection)
            for name, values in rows.items():
                if values:
                    # A file of an older version lacks the last columns: they get their defaults.
                    columns = METADATA.tables[name].columns.keys()[: len(values[0])]
                    marks = ", ".join("?" * len(columns))
                    into = f"{name} ({', '.join(columns)})"
                    sql = f"INSERT INTO {into} VALUES ({marks})"  # noqa: S608 -- names are ours
                    connection.exec_driver_sql(sql, values)
    finally:
        close_connection(connection)


def _copy(path: Path) -> Path:
    """Copy the damaged file with its log: SQLite would write to the original on close."""
    target = path.with_name(f"{path.stem}-reading.db")
    remove(target)
    for suffix in ("", "-wal"):
        if Path(f"{path}{suffix}").exists():
            shutil.copyfile(f"{path}{suffix}", f"{target}{suffix}")
    return target


def _of(counts: TableSalvage) -> str:
    known = "an unknown number of" if counts.known_count is None else str(counts.known_count)
    return f"{counts.read_count} of {known}"


def _building(path: Path) -> Path:
    return path.with_name(f"{path.stem}-salvaging.db")


def _ready(path: Path) -> Path:
    return path.with_name(f"{path.stem}-salvaged.db")
