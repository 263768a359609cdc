"""Opens SQLCipher files with a raw key and proves keys, with the bare driver.

It never imports SQLAlchemy and never decides what becomes of a damaged file.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import shutil
from pathlib import Path
from typing import Any

from app.domain.errors import (
    AppError,
    Bug,
    CorruptStore,
    DiskFull,
    EnvironmentFault,
    StoreBusy,
    WrongKey,
)

_BUSY_TIMEOUT_MS = 5_000
_LITTLE_SPACE_BYTES = 1 << 20
_SIDE_FILES = ("-wal", "-shm")
# Primary result codes of https://www.sqlite.org/rescode.html
_BUSY, _LOCKED, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = 5, 6, 8, 10, 11, 13, 14, 26
_INTERRUPT = 9
_INCREMENTAL = 2  # https://www.sqlite.org/pragma.html#pragma_auto_vacuum


class DamageFound(Exception):
    """A file opened but did not pass its check; treated like SQLite's own word for it."""

    sqlite_errorcode = _CORRUPT


def connect(
    path: Path,
    key: bytes,
    *,
    synchronous: str = "NORMAL",
    cache_kib: int = 4_096,
    wal: bool = True,
    shrinkable: bool = False,
) -> Any:
    """Return a driver connection in autocommit mode, keyed with 32 raw bytes (~1 ms).

    `synchronous` is NORMAL or FULL. A file that is new, or is vacuumed over this connection,
    can give free pages back in steps afterwards when `shrinkable`. Raises the driver's errors:
    a wrong key and a damaged first page look alike (SQLITE_NOTADB).
    """
    from sqlcipher3 import dbapi2

    with contextlib.suppress(OSError):  # it is there, or the driver says what is wrong
        path.touch(mode=0o600, exist_ok=False)  # side files take the same mode
    connection = dbapi2.connect(str(path), isolation_level=None, timeout=_BUSY_TIMEOUT_MS / 1000)
    try:
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        connection.execute(f"PRAGMA cache_size = -{cache_kib}")
        # Asked first: setting what is set already would write, also where the disk is full.
        if shrinkable and connection.execute("PRAGMA auto_vacuum").fetchone()[0] != _INCREMENTAL:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if wal:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
    except BaseException:
        connection.close()
        raise
    return connection


def translate(error: BaseException, path: Path) -> AppError:
    """Return the domain error of a driver error (maybe wrapped by SQLAlchemy).

    The detail names the file and SQLite's own words, never a statement or its values.
    """
    cause = getattr(error, "orig", None) or error
    code = getattr(cause, "sqlite_errorcode", None)
    detail = f"{path.name}: {cause}"
    if code is None:
        return Bug(f"{path.name}: {type(cause).__name__}")
    primary = int(code) & 0xFF
    if primary == _FULL or (primary in (_IOERR, _CANTOPEN) and is_space_short(path)):
        return DiskFull(detail)
    if primary in (_CORRUPT, _NOTADB):
        return CorruptStore(detail)
    if primary in (_BUSY, _LOCKED):
        return StoreBusy(detail)
    if primary in (_IOERR, _CANTOPEN, _READONLY):
        return EnvironmentFault(detail)
    return Bug(f"{path.name}: SQLite code {code}")


def is_damage(error: BaseException) -> bool:
    """Return True when a driver error says that the file, not the machine, is at fault."""
    cause = getattr(error, "orig", None) or error
    code = getattr(cause, "sqlite_errorcode", None)
    return code is not None and int(code) & 0xFF in (_CORRUPT, _NOTADB)


def is_interrupt(error: BaseException) -> bool:
    """Return True when a statement was cut short because somebody asked for it."""
    cause = getattr(error, "orig", None) or error
    code = getattr(cause, "sqlite_errorcode", None)
    return code is not None and int(code) & 0xFF == _INTERRUPT


def prove_keys(files: tuple[tuple[Path, bytes], ...]) -> None:
    """Make sure that the keys belong to the files before anything may call a file corrupt.

    A wrong key and a corrupt first page give the same error, so each database has a check
    value beside it. Without one, a database that opens proves the key, and one proven key
    vouches for its sibling: both come from one master key. Raises WrongKey when a file with
    content can't be proven; nothing is touched then. Writes missing check values.
    """
    unproven = []
    proven = False
    for path, key in files:
        matches = _read_check(path) == _check_value(key)
        if matches or _opens(path, key):
            proven = True
        elif _has_content(path):
            unproven.append(path)
            if _read_check(path) is not None:
                raise WrongKey(path.name)
    if unproven and not proven:
        raise WrongKey(", ".join(path.name for path in unproven))
    for path, key in files:
        if _read_check(path) != _check_value(key):
            _write_check(path, key)


def move_aside(path: Path, stamp: str) -> Path:
    """Rename a database with its write-ahead log to `<stem>-<stamp>.db`; return the new path.

    The log goes first: it must never meet another database of the same name.
    """
    target = path.with_name(f"{path.stem}-{stamp}.db")
    number = 2
    while target.exists():
        target = path.with_name(f"{path.stem}-{stamp}-{number}.db")
        number += 1
    for suffix in (*_SIDE_FILES, ""):
        part = Path(f"{path}{suffix}")
        if part.exists():
            part.rename(f"{target}{suffix}")
    return target


def remove(path: Path) -> None:
    """Delete a database with its write-ahead log; nothing happens when it is not there."""
    for suffix in (*_SIDE_FILES, ""):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def size_bytes(path: Path) -> int:
    """Return the size of a database with its write-ahead log."""
    parts = (Path(f"{path}{suffix}") for suffix in ("", "-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())


def _has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _opens(path: Path, key: bytes) -> bool:
    if not _has_content(path):
        return False
    from sqlcipher3 import dbapi2

    try:
        connect(path, key, wal=False).close()
    except dbapi2.Error as error:
        if is_damage(error):
            return False
        raise translate(error, path) from error
    return True


def _check_path(path: Path) -> Path:
    return path.with_suffix(".keycheck")


def _check_value(key: bytes) -> str:
    return hmac.new(key, b"parley key check", hashlib.sha256).hexdigest()


def _read_check(path: Path) -> str | None:
    try:
        text = _check_path(path).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return text if len(text) == hashlib.sha256().digest_size * 2 else None


def _write_check(path: Path, key: bytes) -> None:
    target = _check_path(path)
    draft = target.with_suffix(".keycheck-new")
    try:
        draft.write_text(_check_value(key), "ascii")
        draft.chmod(0o600)
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        if is_space_short(path):
            raise DiskFull(target.name) from error
        raise EnvironmentFault(f"{target.name}: {error.strerror}") from error


def free_bytes(path: Path) -> int:
    """Return how much room the disk that holds a file has; raises OSError."""
    return shutil.disk_usage(path.parent).free


def is_space_short(path: Path) -> bool:
    """Return True when the disk that holds a file has less than 1 MiB left."""
    try:
        return free_bytes(path) < _LITTLE_SPACE_BYTES
    except OSError:
        return False
