"""Brings each database file to a state in which it can be used.

It never deletes a damaged file and never judges a file whose key is unproven.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.domain.errors import UnknownVersion
from app.store.backups import back_up, drop_backups
from app.store.cache_tables import CACHE_VERSION, create_cache
from app.store.cache_upgrades import upgrade_cache
from app.store.cipher import DamageFound, is_damage, move_aside, remove, translate
from app.store.engine import (
    READ,
    WRITE,
    close_connection,
    open_connection,
    run_outside_transaction,
)
from app.store.lane_triggers import keep_lanes
from app.store.outbox_tables import OUTBOX_VERSION, create_outbox
from app.store.salvage import Salvage, finish_interrupted_swap, salvage_outbox

_CACHE_KIB = 16_384
_CACHE_CHECKPOINT_PAGES = 4_000
_CACHES_KEPT = 2

Notice = tuple[str, str]


@dataclass(frozen=True, slots=True)
class FileSpec:
    """One database: where it lies and its raw key."""

    path: Path
    key: bytes


def stamp(now_utc_ms: int) -> str:
    """Return a time as it stands in the names of files set aside: 20261121T201500Z."""
    return datetime.fromtimestamp(now_utc_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")


def open_cache(spec: FileSpec, now_utc_ms: int) -> tuple[Connection, tuple[Notice, ...]]:
    """Open the cache for writing, made anew when it was corrupt; its key must be proven.

    Raises UnknownVersion, DiskFull, StoreBusy, EnvironmentFault.
    """
    try:
        return open_cache_writer(spec), ()
    except DBAPIError as error:
        if not is_damage(error):
            raise translate(error, spec.path) from error
    aside = set_cache_aside(spec, now_utc_ms)
    try:
        return open_cache_writer(spec), (("notice.cache_set_aside", aside.name),)
    except DBAPIError as error:
        raise translate(error, spec.path) from error


def drop_cache_copies(spec: FileSpec) -> None:
    """Delete every older copy of a cache: what was revoked or erased would live on in it."""
    drop_backups(spec.path)
    for old in _set_aside(spec):
        remove(old)


def _set_aside(spec: FileSpec) -> list[Path]:
    return sorted(spec.path.parent.glob(f"{spec.path.stem}-2*.db"))


def set_cache_aside(spec: FileSpec, now_utc_ms: int) -> Path:
    """Rename a damaged cache and return its new path.

    Only the newest few are kept: a cache holds nothing the backend lacks, but may be large.
    """
    kept = _set_aside(spec)
    for old in kept[: max(0, len(kept) + 1 - _CACHES_KEPT)]:
        remove(old)
    return move_aside(spec.path, stamp(now_utc_ms))


def is_sound(spec: FileSpec) -> bool:
    """Return False when the outbox file can't be read to its last page."""
    try:
        close_connection(open_outbox_writer(spec, check_pages=True))
    except (DBAPIError, DamageFound) as error:
        return not is_damage(error)
    return True


def open_cache_writer(spec: FileSpec) -> Connection:
    """Open the cache for the writer thread; raises the driver's errors."""
    connection = open_connection(
        spec.path,
        spec.key,
        begin=WRITE,
        cache_kib=_CACHE_KIB,
        autocheckpoint_pages=_CACHE_CHECKPOINT_PAGES,
        shrinkable=True,
    )
    return _at_version(connection, spec.path, _CACHE)


def open_reader(spec: FileSpec) -> Connection:
    """Open a file for the reader thread; raises the driver's errors."""
    connection = open_connection(spec.path, spec.key, begin=READ, cache_kib=8_192)
    try:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    except BaseException:
        close_connection(connection)
        raise
    return connection


def open_outbox(
    spec: FileSpec, now_utc_ms: int
) -> tuple[Connection, tuple[Notice, ...], Salvage | None]:
    """Open the outbox file, salvaged when it was corrupt; its key must be proven.

    Every page of this small file is read. Raises as `open_cache`.
    """
    try:
        finish_interrupted_swap(spec.path, stamp(now_utc_ms))
        try:
            return open_outbox_writer(spec, check_pages=True), (), None
        except (DBAPIError, DamageFound) as error:
            if not is_damage(error):
                raise
        salvage = salvage_outbox(spec.path, spec.key, stamp(now_utc_ms))
        notices = (("notice.outbox_partly_read", salvage.sentence()),)
        return open_outbox_writer(spec), notices, salvage
    except DBAPIError as error:
        raise translate(error, spec.path) from error


def open_outbox_writer(spec: FileSpec, *, check_pages: bool = False) -> Connection:
    """Open the outbox for its thread, each commit flushed to the disk."""
    connection = open_connection(
        spec.path, spec.key, begin=WRITE, synchronous="FULL", autocheckpoint_pages=0
    )
    connection = _at_version(connection, spec.path, _OUTBOX)
    try:
        if check_pages:
            _raise_unless_sound(connection)
        keep_lanes(connection)
    except BaseException:
        close_connection(connection)
        raise
    return connection


def _raise_unless_sound(connection: Connection) -> None:
    with connection.begin():
        answers = [row[0] for row in connection.exec_driver_sql("PRAGMA quick_check(1)")]
    if answers != ["ok"]:
        raise DamageFound("quick_check")


@dataclass(frozen=True, slots=True)
class _Tables:
    """How a kind of file gets its tables; `is_only_copy` when nobody else has its content."""

    version: int
    create: Callable[[Connection], None]
    upgrade: Callable[[Connection, int], None]
    is_only_copy: bool


_CACHE = _Tables(CACHE_VERSION, create_cache, upgrade_cache, is_only_copy=False)
_OUTBOX = _Tables(
    OUTBOX_VERSION, create_outbox, lambda file, _: create_outbox(file), is_only_copy=True
)


def _at_version(connection: Connection, path: Path, tables: _Tables) -> Connection:
    """Make the tables of an empty file, upgrade an older one; refuse one of a newer Parley.

    An older file is copied first; the copy goes when the file next opens without an upgrade.
    """
    try:
        found = int(run_outside_transaction(connection, "PRAGMA user_version")[0][0])
        if found > tables.version:
            raise UnknownVersion(f"{path.name} has version {found}, known is {tables.version}")
        if found == tables.version:
            drop_backups(path)
            return connection
        if found:
            back_up(connection, path, found, required=tables.is_only_copy)
        with connection.begin():
            if found:
                tables.upgrade(connection, found)
            else:
                tables.create(connection)
    except BaseException:
        close_connection(connection)
        raise
    return connection
