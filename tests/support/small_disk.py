"""A small file system of its own that a test can fill without hurting anybody.

It never fills a disk anyone else uses.
"""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_PIECE = b"x" * 4096


class SmallDisk:
    """A mounted folder with ballast that leaves no room, or plenty again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no room for a single page."""
        with self._ballast.open("ab", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(_PIECE)
            except OSError as fault:
                if fault.errno != errno.ENOSPC:
                    raise

    def clear(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, size_mib: int) -> Iterator[SmallDisk]:
    """Mount a disk of so many MiB at `folder`; skips the test where one may not."""
    folder.mkdir(parents=True)
    options = ["mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(options, capture_output=True, timeout=60, check=False)
    except OSError:
        pytest.skip("there is no `mount` here; tests/app/store fills a file by SQLite's own limit")
    if mounted.returncode:
        pytest.skip("mounting needs root; tests/app/store fills a file by SQLite's own limit")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], timeout=60, check=True)
