"""Owns the knowledge whether the disk has room for what the store has to write.

It never writes anything and never waits for room.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from app.domain.errors import AppError, DiskFull
from app.store.cipher import is_space_short


class DiskRoom:
    """Told of each commit by the store's threads; `changed` is called on theirs, once a change."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._lock = threading.Lock()
        self._full: frozenset[Path] = frozenset()

    @property
    def is_full(self) -> bool:
        """Return True from a refused commit until one succeeds with room on its disk again."""
        return bool(self._full)

    def refused(self, path: Path, fault: AppError) -> None:
        """Note that a commit to a file failed; only a full disk counts."""
        if isinstance(fault, DiskFull):
            self._set(self._full | {path})

    def committed(self) -> None:
        """Note that some commit succeeded: a small one may, on a disk that is still full."""
        if self._full:
            self._set(frozenset(path for path in self._full if is_space_short(path)))

    def _set(self, full: frozenset[Path]) -> None:
        with self._lock:
            differs = bool(full) is not bool(self._full)
            self._full = full
        if differs:
            self._changed()
