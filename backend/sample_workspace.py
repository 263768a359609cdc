"""Owns the opening of the embedded backend's workspace, filled with the sample at its first start.

It never opens a firm's workspace, and never one with a real channel account.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, select

from backend.directory.sample import read_workspace, sample_folder
from backend.directory.seed import is_empty, load_sample, seed
from backend.inbox.events import open_database
from backend.services import WORKSPACE_SAMPLE, system_clock_utc_ms
from backend.storage.blobs import BlobStore
from backend.storage.tables import channel_accounts
from backend.workspace import DATABASE_FILE, Workspace, kind_of, settled_workspace, take_lock
from backend.workspace_errors import WorkspaceError
from contract.ids import EmployeeId
from contract.wire import Mode

EMBEDDED_CONNECTORS = frozenset({"sandbox"})


def open_sample(data_dir: Path, key: bytes) -> Workspace:
    """Open, and at the first start fill, the sample workspace in `data_dir`.

    `key` holds 32 bytes. It blocks: nothing else runs yet. Raises WorkspaceError, or what
    Database.open raises.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = take_lock(data_dir)
    database = None
    try:
        database = open_database(data_dir / DATABASE_FILE, key)
        blobs = BlobStore(data_dir / "blobs", key)
        if database.read_now(is_empty):
            sample = load_sample(sample_folder(), blobs.put, system_clock_utc_ms())
            database.write_now(lambda c: seed(c, sample))
        database.read_now(refuse_real_accounts)
        signed_in = EmployeeId(read_workspace(sample_folder()).signed_in)
        return settled_workspace(WORKSPACE_SAMPLE, database, blobs, lock, signed_in)
    except BaseException:
        if database is not None:
            database.close_now()
        lock.close()
        raise


def refuse_real_accounts(connection: Connection) -> None:
    """Raise WorkspaceError for a firm's workspace, or an account that is not the sandbox's."""
    columns = channel_accounts.c
    found = connection.execute(
        select(columns.connector)
        .where(
            columns.mode == Mode.GOVERNED.value,
            columns.connector.not_in(EMBEDDED_CONNECTORS),
        )
        .limit(1)
    ).scalar()
    if found is not None or kind_of(connection) != WORKSPACE_SAMPLE:
        raise WorkspaceError(
            "The embedded backend works with the sample workspace only and refuses real channel "
            "accounts. Connect Parley to your firm's backend instead."
        )
