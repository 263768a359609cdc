"""Lets only one Parley at a time use a data folder.

It never waits: whoever comes second is told so.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from types import TracebackType

from app.domain.errors import DiskFull, EnvironmentFault, StoreBusy

_LOCK_NAME = "parley.lock"
# What systems say when somebody holds a lock; anything else comes of a folder without locks.
# Wine's C library, where Windows' says EACCES, refuses a lock without a reason: 0.
_HELD = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK, 0})


class InstanceLock:
    """An operating-system lock on one file; the system frees it when the process dies."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / _LOCK_NAME
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock; makes the folder when it is missing.

        Raises StoreBusy when another Parley holds it, EnvironmentFault or DiskFull when the
        folder can't be written or knows no locks (some shares).
        """
        if self._descriptor is not None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise DiskFull(self._path.parent.name) from error
            raise EnvironmentFault(f"can't write the data folder: {error.strerror}") from error
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            if error.errno not in _HELD:
                raise EnvironmentFault(f"can't lock the data folder: {error.strerror}") from error
            raise StoreBusy("another Parley uses this data folder") from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; may be called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> InstanceLock:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
