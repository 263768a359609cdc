"""The opening of a workspace's database by a command; beside a running backend a firm's only.

It never waits longer than the lock does, and never makes a workspace.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection

from backend.cli.keys import told_key
from backend.inbox.events import open_database
from backend.listening import read_handshake
from backend.services import WORKSPACE_FIRM
from backend.storage.database import Database, stored_version
from backend.storage.tables import SCHEMA_VERSION
from backend.workspace import DATABASE_FILE, kind_of, take_lock
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


@contextlib.contextmanager
def open_beside(arguments: argparse.Namespace) -> Iterator[Database]:
    """Yield the database in the command's data folder; closes it at the end.

    While a backend runs on it, a firm's database is opened beside it: it takes up what is written
    within a second. Raises WorkspaceError where there is none, or for a sample that is in use,
    DatabaseError, or ValueError for a bad line on stdin.
    """
    path = arguments.data_dir / DATABASE_FILE
    if not path.exists():
        raise WorkspaceError("There is no Parley backend in this data folder.")
    key = told_key(arguments).key
    try:
        lock = take_lock(arguments.data_dir, wait_s=0.0)
    except WorkspaceError:
        lock = None
    try:
        if lock is None and stored_version(path, key) != SCHEMA_VERSION:
            raise WorkspaceError("A backend of another version runs here: use its commands.")
        database = open_database(path, key)
        try:
            if lock is None:
                database.read_now(_refuse_sample_in_use)
            yield database
        finally:
            database.close_now()
    finally:
        if lock is not None:
            lock.close()


def _refuse_sample_in_use(connection: Connection) -> None:
    if kind_of(connection) != WORKSPACE_FIRM:
        raise WorkspaceError(
            "Another Parley backend is using this data folder. Close the other Parley first."
        )
