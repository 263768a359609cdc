"""The opening of an embedded workspace: its lock, database, blobs, sample and policy.

It never starts a task and never opens a workspace another process holds.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import msgspec
from sqlalchemy import Connection, insert, select

from backend.archive.signing import load_signer
from backend.directory.sample import read_workspace, sample_folder
from backend.directory.seed import is_empty, load_sample, seed
from backend.governance.policy import RunningPolicy, read_policy_folder
from backend.governance.publication import known_keys, settle_policy
from backend.inbox.events import open_database
from backend.services import system_clock_utc_ms
from backend.storage.blobs import BlobStore
from backend.storage.database import Database
from backend.storage.tables import channel_accounts, firms, properties
from backend.workspace_errors import WorkspaceError
from contract.ids import EmployeeId
from contract.receipts.signers import Signer
from contract.wire import Mode

DATABASE_FILE = "backend.db"
LOCK_FILE = "backend.lock"
EMBEDDED_CONNECTORS = frozenset({"sandbox"})
_LOCK_WAIT_S = 5.0
_INSTANCE = "instance_id"


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """An open workspace; `close` it at the end.

    `policy_problem` says why the policy that came with this Parley was refused, if it was.
    """

    database: Database
    blobs: BlobStore
    policy: RunningPolicy
    policy_problem: str
    policy_keys: tuple[str, ...]
    instance_id: str
    employee_id: EmployeeId
    signer: Signer
    lock: IO[bytes]

    async def close(self) -> None:
        """Close the database and let the lock go."""
        await self.database.close()
        self.lock.close()


def open_workspace(data_dir: Path, key: bytes) -> Workspace:
    """Open, and at the first start fill, the sample workspace in `data_dir`.

    `key` holds 32 bytes. It blocks: nothing else runs yet. Raises WorkspaceError, or what
    Database.open raises.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = take_lock(data_dir)
    database = open_database(data_dir / DATABASE_FILE, key)
    try:
        blobs = BlobStore(data_dir / "blobs", key)
        if database.read_now(is_empty):
            sample = load_sample(sample_folder(), blobs.put, system_clock_utc_ms())
            database.write_now(lambda c: seed(c, sample))
        database.read_now(refuse_real_accounts)
        shipped = read_policy_folder(sample_folder().parent / "policy")
        instance_id, policy, problem = database.write_now(lambda c: _settle(c, shipped))
        signer = database.write_now(lambda c: load_signer(c, instance_id, system_clock_utc_ms()))
    except BaseException:
        database.close_now()
        lock.close()
        raise
    return Workspace(
        database=database,
        blobs=blobs,
        policy=policy,
        policy_problem=problem,
        policy_keys=tuple(str(one.key) for one in database.read_now(known_keys)),
        instance_id=instance_id,
        employee_id=EmployeeId(read_workspace(sample_folder()).signed_in),
        signer=signer,
        lock=lock,
    )


def refuse_real_accounts(connection: Connection) -> None:
    """Raise WorkspaceError when an account is served by anything but the sandbox."""
    columns = channel_accounts.c
    found = connection.execute(
        select(columns.connector)
        .where(
            columns.mode == Mode.GOVERNED.value,
            columns.connector.not_in(EMBEDDED_CONNECTORS),
        )
        .limit(1)
    ).scalar()
    if found is not None:
        raise WorkspaceError(
            "The embedded backend works with the sample workspace only and refuses real channel "
            "accounts. Connect Parley to your firm's backend instead."
        )


def take_lock(data_dir: Path) -> IO[bytes]:
    """Return the locked file that keeps a second process out; waits up to five seconds.

    The lock ends with the process, however it ends. Raises WorkspaceError.
    """
    file = (data_dir / LOCK_FILE).open("ab")
    deadline_s = time.monotonic() + _LOCK_WAIT_S
    while not _try_lock(file):
        if time.monotonic() > deadline_s:
            file.close()
            raise WorkspaceError(
                "Another Parley backend is using this data folder. Close the other Parley first."
            )
        time.sleep(0.05)
    return file


def _try_lock(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _settle(connection: Connection, shipped: Mapping[str, bytes]) -> tuple[str, RunningPolicy, str]:
    """Return the installation's id, made at the first start, and the policy in force."""
    firm_id = connection.execute(select(firms.c.firm_id)).scalar_one()
    instance_id = _instance_id(connection)
    policy, problem = settle_policy(
        connection, firm_id, instance_id, shipped, system_clock_utc_ms()
    )
    return instance_id, policy, problem


def _instance_id(connection: Connection) -> str:
    known: str | None = connection.execute(
        select(properties.c.value).where(properties.c.name == _INSTANCE)
    ).scalar_one_or_none()
    if known is not None:
        return known
    instance_id = secrets.token_hex(16)
    connection.execute(insert(properties).values(name=_INSTANCE, value=instance_id))
    return instance_id


def process_name() -> str:
    """Return a name no other process, living or dead, has: the owner of leases."""
    return f"{os.getpid()}-{secrets.token_hex(8)}"
