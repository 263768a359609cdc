"""Copies a database file beside itself before its tables change, and removes the copy in time.

It never keeps a copy longer than needed: what is erased later would live on in it.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection

from app.domain.errors import DiskFull, EnvironmentFault
from app.store.cipher import remove, size_bytes
from app.store.engine import run_outside_transaction

_LOG = logging.getLogger(__name__)
_SPARE_BYTES = 64 << 20
_COPY_STEP_BYTES = 64 << 20
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def back_up(connection: Connection, path: Path, version: int, *, required: bool) -> None:
    """Copy a file as it stands to `<stem>-version-<n>.db`, under the same key.

    `connection` is the only one that has it open, outside any transaction. A file that is not
    `required` to be copied is left as it is when the disk takes no copy: the backend has all it
    holds. Raises DiskFull and EnvironmentFault for one that is, and the driver's errors.
    """
    run_outside_transaction(connection, "PRAGMA wal_checkpoint(TRUNCATE)")
    try:
        # The upgrade is one transaction: the copy guards against its faults, not against a power
        # cut, so that only a file nobody else has is worth waiting for the disk.
        _copy(path, backup_path(path, version), flush=required)
    except OSError as error:
        if required:
            if error.errno in _NO_ROOM:
                raise DiskFull(f"no room for a copy of {path.name}") from error
            raise EnvironmentFault(f"{path.name} can't be copied: {error.strerror}") from error
        _LOG.warning("%s is upgraded without a copy: %s", path.name, error.strerror)


def backup_path(path: Path, version: int) -> Path:
    """Return where the copy of a file of this version lies."""
    return path.with_name(f"{path.stem}-version-{version}.db")


def drop_backups(path: Path) -> None:
    """Remove every copy made before an upgrade, also one cut short; does nothing without any."""
    for old in path.parent.glob(f"{path.stem}-version-*.db*"):
        with contextlib.suppress(OSError):
            remove(old)


def _copy(path: Path, target: Path, *, flush: bool) -> None:
    if shutil.disk_usage(path.parent).free < size_bytes(path) + _SPARE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    draft = target.with_suffix(".db-copying")
    try:
        with path.open("rb") as source, draft.open("wb") as sink:
            draft.chmod(0o600)
            _copy_bytes(source, sink)
            if flush:
                sink.flush()
                os.fsync(sink.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _copy_bytes(source: BinaryIO, sink: BinaryIO) -> None:
    """Copy a file whole, within the file system where that shares blocks instead."""
    if hasattr(os, "copy_file_range"):
        with contextlib.suppress(OSError):
            while os.copy_file_range(source.fileno(), sink.fileno(), _COPY_STEP_BYTES):
                pass
            return
        source.seek(0)
        sink.seek(0)
        sink.truncate()
    shutil.copyfileobj(source, sink, _COPY_STEP_BYTES)
