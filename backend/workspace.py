"""Owns what every open workspace is: its lock, its kind, its database, blobs, policy and signer.

It never starts a task, never fills a workspace and never opens one another process holds.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from pathlib import Path
from typing import IO

import msgspec
from sqlalchemy import Connection, insert, select

from backend.archive.signing import load_signer
from backend.directory.client_versions import ClientVersions, client_versions_of
from backend.governance.policy import RunningPolicy, read_policy_folder
from backend.governance.publication import known_keys, settle_policy
from backend.inbox.stream_history import history_id_of
from backend.services import WORKSPACE_SAMPLE, system_clock_utc_ms
from backend.storage.blobs import BlobStore
from backend.storage.database import Database
from backend.storage.tables import firms, properties
from backend.workspace_errors import WorkspaceError
from contract.ids import EmployeeId
from contract.receipts.signers import Signer

DATABASE_FILE = "backend.db"
LOCK_FILE = "backend.lock"
_LOCK_WAIT_S = 5.0
_INSTANCE = "instance_id"
_KIND = "workspace_kind"


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """An open workspace; `close` it at the end.

    `kind` is `sample` or `firm`; `policy_problem` says why the policy that came with this Parley
    was refused, if it was; `signed_in` is who uses a sample, None in a firm's.
    """

    kind: str
    database: Database
    blobs: BlobStore
    policy: RunningPolicy
    policy_problem: str
    policy_keys: tuple[str, ...]
    instance_id: str
    history_id: str
    signed_in: EmployeeId | None
    signer: Signer
    client_versions: ClientVersions
    lock: IO[bytes]

    async def close(self) -> None:
        """Close the database and let the lock go."""
        await self.database.close()
        self.lock.close()


def settled_workspace(
    kind: str,
    database: Database,
    blobs: BlobStore,
    lock: IO[bytes],
    signed_in: EmployeeId | None = None,
) -> Workspace:
    """Return the workspace of a database that holds a firm, with policy and signing key ready.

    What is missing of both is made. It blocks. Raises BundleError for a bad shipped policy.
    """
    shipped = read_policy_folder(policy_folder())

    def settle(connection: Connection) -> tuple[str, str, RunningPolicy, str, Signer]:
        firm_id = connection.execute(select(firms.c.firm_id)).scalar_one()
        instance_id, now_utc_ms = instance_id_of(connection), system_clock_utc_ms()
        policy, problem = settle_policy(connection, firm_id, instance_id, shipped, now_utc_ms)
        signer = load_signer(connection, instance_id, now_utc_ms)
        return instance_id, history_id_of(connection), policy, problem, signer

    instance_id, history_id, policy, problem, signer = database.write_now(settle)
    return Workspace(
        kind=kind,
        database=database,
        blobs=blobs,
        policy=policy,
        policy_problem=problem,
        policy_keys=tuple(str(one.key) for one in database.read_now(known_keys)),
        instance_id=instance_id,
        history_id=history_id,
        signed_in=signed_in,
        signer=signer,
        client_versions=database.read_now(client_versions_of),
        lock=lock,
    )


def policy_folder() -> Path:
    """Return the folder of the policy that came with Parley."""
    import resources

    return Path(resources.__file__).parent / "policy"


def kind_of(connection: Connection) -> str:
    """Return what a workspace is; one that says nothing is a sample."""
    kind: str | None = connection.execute(
        select(properties.c.value).where(properties.c.name == _KIND)
    ).scalar_one_or_none()
    return kind or WORKSPACE_SAMPLE


def keep_kind(connection: Connection, kind: str) -> None:
    """Write down, once, what a workspace is."""
    connection.execute(insert(properties).values(name=_KIND, value=kind))


def take_lock(data_dir: Path, wait_s: float = _LOCK_WAIT_S) -> IO[bytes]:
    """Return the locked file that keeps a second process out; waits up to five seconds.

    The lock ends with the process, however it ends. Raises WorkspaceError.
    """
    file = (data_dir / LOCK_FILE).open("ab")
    deadline_s = time.monotonic() + wait_s
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


def instance_id_of(connection: Connection) -> str:
    """Return the installation's id, made at its first use."""
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
