"""The opening of a workspace's database by a command, while no backend runs on it.

It never waits longer than the lock does, and never makes a workspace.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from backend.inbox.events import open_database
from backend.listening import read_handshake
from backend.storage.database import Database
from backend.workspace import DATABASE_FILE, take_lock
from backend.workspace_errors import WorkspaceError


@contextlib.contextmanager
def open_offline(data_dir: Path) -> Iterator[tuple[Database, bytes]]:
    """Yield the database in a data folder with its key, read from stdin; closes it at the end.

    Raises WorkspaceError when there is none or another process holds it, or DatabaseError.
    """
    path = data_dir / DATABASE_FILE
    if not path.exists():
        raise WorkspaceError("There is no Parley backend in this data folder.")
    lock = take_lock(data_dir)
    try:
        key = read_handshake().key
        database = open_database(path, key)
        try:
            yield database, key
        finally:
            database.close_now()
    finally:
        lock.close()
