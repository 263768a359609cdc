"""Owns the making and the opening of a firm's workspace: real people, real channel accounts.

It never opens a sample, and never makes a workspace where there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, insert

from backend.directory.seed import is_empty
from backend.inbox.events import open_database
from backend.services import WORKSPACE_FIRM
from backend.storage.blobs import BlobStore
from backend.storage.database import Database
from backend.storage.tables import firms
from backend.workspace import (
    DATABASE_FILE,
    Workspace,
    keep_kind,
    kind_of,
    settled_workspace,
    take_lock,
)
from backend.workspace_errors import WorkspaceError

NO_FIRM = (
    "There is no firm's workspace in this data folder. Make one with `parley-backend admin firm "
    "create`."
)


def make_firm(data_dir: Path, key: bytes, firm_id: str, display_name: str) -> Workspace:
    """Make a firm's workspace in a folder that holds none, and return it open.

    `key` holds 32 bytes. The policy that came with Parley is in force until people publish one.
    It blocks. Raises WorkspaceError when there is a workspace already, or what Database.open
    raises.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    return _locked(data_dir, lambda lock: _make(data_dir, key, lock, firm_id, display_name))


def open_firm(data_dir: Path, key: bytes) -> Workspace:
    """Open the firm's workspace in `data_dir`; it blocks.

    Raises WorkspaceError when there is none or another process holds it, or what Database.open
    raises.
    """
    if not (data_dir / DATABASE_FILE).exists():
        raise WorkspaceError(NO_FIRM)
    return _locked(data_dir, lambda lock: _open(data_dir, key, lock))


def refuse_sample(connection: Connection) -> None:
    """Raise WorkspaceError for a workspace that is not a firm's."""
    if kind_of(connection) != WORKSPACE_FIRM:
        raise WorkspaceError(
            "This data folder holds Parley's sample workspace, which has no real people or "
            "accounts. Choose another folder and make the firm's workspace there."
        )


def _locked(data_dir: Path, work: Callable[[IO[bytes]], Workspace]) -> Workspace:
    lock = take_lock(data_dir)
    try:
        return work(lock)
    except BaseException:
        lock.close()
        raise


def _make(
    data_dir: Path, key: bytes, lock: IO[bytes], firm_id: str, display_name: str
) -> Workspace:
    path = data_dir / DATABASE_FILE
    if path.exists():
        raise WorkspaceError("There is a workspace in this data folder already: choose another.")

    def make(connection: Connection) -> None:
        connection.execute(insert(firms).values(firm_id=firm_id, display_name=display_name))
        keep_kind(connection, WORKSPACE_FIRM)

    database = open_database(path, key)
    return _settled(data_dir, key, lock, database, lambda: database.write_now(make))


def _open(data_dir: Path, key: bytes, lock: IO[bytes]) -> Workspace:
    database = open_database(data_dir / DATABASE_FILE, key)

    def look(connection: Connection) -> None:
        if is_empty(connection):  # it was killed while it was being made
            raise WorkspaceError(
                "This data folder holds a workspace without a firm. Empty the folder and make it "
                "anew."
            )
        refuse_sample(connection)

    return _settled(data_dir, key, lock, database, lambda: database.read_now(look))


def _settled(
    data_dir: Path, key: bytes, lock: IO[bytes], database: Database, first: Callable[[], None]
) -> Workspace:
    try:
        first()
        return settled_workspace(WORKSPACE_FIRM, database, BlobStore(data_dir / "blobs", key), lock)
    except BaseException:
        database.close_now()
        raise
