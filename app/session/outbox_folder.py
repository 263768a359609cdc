"""Owns taking hold of the folder for unsent messages where it is not the data folder.

It never lets two sessions use it at once, and never starts a new outbox over one left behind.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from pathlib import Path

from app.domain.errors import DiskFull, EnvironmentFault, OutboxInUse, OutboxUnreachable, StoreBusy
from app.session.instance_lock import InstanceLock
from app.session.keys import INSTANCE_FILE, WRAPPED_KEY_FILE, new_file

_FILE = "outbox.db"
# In the order in which they come and go: a database is never found without its log.
_PARTS = (f"{_FILE}-wal", "outbox.keycheck", _FILE)
_NAMES_OF_KEY = (INSTANCE_FILE, WRAPPED_KEY_FILE)


class OutboxFolder:
    """One folder, held from `acquire` to `release`; it may lie on a share."""

    def __init__(self, outbox_dir: Path, data_dir: Path) -> None:
        self._outbox_dir = outbox_dir
        self._data_dir = data_dir
        self._lock = InstanceLock(outbox_dir) if outbox_dir != data_dir else None

    def acquire(self) -> None:
        """Take the folder, and bring an outbox along that the data folder still holds.

        Call it with the data folder held. Raises OutboxInUse, OutboxUnreachable, DiskFull;
        nothing is held then. It blocks for as long as the share does.
        """
        if self._lock is None:
            return
        try:
            self._lock.acquire()
            self._bring_along()
        except StoreBusy as fault:
            raise OutboxInUse(fault.detail) from fault
        except DiskFull:
            self._lock.release()
            raise
        except (EnvironmentFault, OSError) as fault:
            self._lock.release()
            raise OutboxUnreachable(f"the outbox folder: {fault}") from fault

    def release(self) -> None:
        """Let the folder go; may be called twice."""
        if self._lock is not None:
            self._lock.release()

    def _bring_along(self) -> None:
        """Move an outbox from the data folder to the one set since, unless there is one."""
        if not (self._data_dir / _FILE).exists() or (self._outbox_dir / _FILE).exists():
            return
        found = [name for name in _PARTS if (self._data_dir / name).exists()]
        try:
            for name in (*_names_here(self._data_dir), *found):
                _copy(self._data_dir / name, self._outbox_dir / name)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise DiskFull(self._outbox_dir.name) from error
            raise
        for name in found:
            with contextlib.suppress(OSError):
                (self._data_dir / name).unlink()


def _names_here(folder: Path) -> tuple[str, ...]:
    return tuple(name for name in _NAMES_OF_KEY if (folder / name).exists())


def _copy(source: Path, target: Path) -> None:
    """Copy a file so that it is there as a whole, on the disk, or not at all."""
    draft = target.with_name(f"{target.name}.coming")
    with new_file(draft) as out, source.open("rb") as into:
        shutil.copyfileobj(into, out)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(target)
