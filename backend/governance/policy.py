"""Owns the running policy bundle: compiled for enforcement, packed for the clients.

It never evaluates a draft, and it never gives a server-only rule away.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, insert, select

from backend.archive.entries import append_entry, new_salt
from backend.inbox.events import append_event
from backend.storage.tables import employees, policy_bundles
from contract.events import PolicyChanged
from contract.ids import EmployeeId
from contract.policy.bundle import CompiledBundle, Side, compile_bundle
from contract.policy.manifest import pack_bundle, unpack_bundle, version_key
from contract.policy.publishing import client_files
from contract.receipts.canonical import canonical_json

_SUFFIXES = frozenset({".yaml", ".csv", ".json"})


class PolicyTooOld(Exception):
    """A bundle older than the published one was offered; versions only grow."""


@dataclass(frozen=True, slots=True)
class RunningPolicy:
    """One bundle in force: `packed` is what clients fetch, `etag` the hash of those bytes.

    `packed_whole` holds the server-only rules too and never leaves the backend.
    """

    server: CompiledBundle
    packed: bytes
    packed_whole: bytes
    etag: str

    @property
    def client(self) -> CompiledBundle:
        """Return the bundle as clients have it, compiled when first asked for."""
        return _client_side(self.packed)


@functools.lru_cache(maxsize=8)
def _client_side(packed: bytes) -> CompiledBundle:
    return compile_bundle(unpack_bundle(packed), Side.CLIENT)


def running_policy(files: Mapping[str, bytes]) -> RunningPolicy:
    """Compile a bundle for both sides; raises contract.policy.problems.BundleError."""
    published = client_files(files)
    packed = pack_bundle(published)
    return RunningPolicy(
        server=compile_bundle(files, Side.SERVER),
        packed=packed,
        packed_whole=pack_bundle(files),
        etag=f'"{hashlib.sha256(packed).hexdigest()}"',
    )


def read_policy_folder(folder: Path) -> dict[str, bytes]:
    """Return the files of a bundle kept as a folder, by their relative name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in _SUFFIXES
    }


def adopt(
    connection: Connection, firm_id: str, offered: RunningPolicy, now_utc_ms: int
) -> tuple[RunningPolicy, str]:
    """Return the policy in force after an offer, and what is wrong with the offer, if anything.

    A newer bundle is published; an older one is refused and the one in force goes on.
    """
    try:
        publish(connection, firm_id, offered, now_utc_ms)
    except PolicyTooOld as refused:
        newest = newest_files(connection, firm_id)
        assert newest is not None, "an older offer was refused, so there is a newer one"
        return running_policy(newest), f"A policy was refused: {refused}."
    return offered, ""


def newest_files(connection: Connection, firm_id: str) -> dict[str, bytes] | None:
    """Return the files of the newest bundle that was in force; None before the first."""
    columns = policy_bundles.c
    rows = connection.execute(
        select(columns.version, columns.packed).where(columns.firm_id == firm_id)
    ).all()
    if not rows:
        return None
    return unpack_bundle(max(rows, key=lambda row: version_key(row.version)).packed)


def publish(
    connection: Connection,
    firm_id: str,
    policy: RunningPolicy,
    now_utc_ms: int,
    *,
    signers: Sequence[str] = (),
) -> bool:
    """Record that a bundle came into force; False when this very bundle was published before.

    A new one is archived with the ids of the people who signed it, and the firm's employees are
    told. Raises PolicyTooOld for a version below the newest, or for the newest version with
    other content.
    """
    columns = policy_bundles.c
    known = connection.execute(
        select(columns.version, columns.bundle_hash).where(columns.firm_id == firm_id)
    ).all()
    offered = policy.server
    newest = max(known, key=lambda row: version_key(row.version), default=None)
    if newest is not None:
        if (newest.version, newest.bundle_hash) == (offered.version, offered.hash):
            return False
        if version_key(offered.version) <= version_key(newest.version):
            raise PolicyTooOld(
                f"version {offered.version} is not newer than {newest.version}, which is in force"
            )
    connection.execute(
        insert(policy_bundles).values(
            version=offered.version,
            firm_id=firm_id,
            bundle_hash=offered.hash,
            packed=policy.packed_whole,
            published_at_utc_ms=now_utc_ms,
        )
    )
    _archive(connection, firm_id, offered, signers, now_utc_ms)
    body = PolicyChanged(bundle_version=offered.version)
    for employee_id in connection.execute(
        select(employees.c.employee_id).where(employees.c.firm_id == firm_id)
    ).scalars():
        append_event(connection, EmployeeId(employee_id), body, now_utc_ms)
    return True


def _archive(
    connection: Connection,
    firm_id: str,
    offered: CompiledBundle,
    signers: Sequence[str],
    now_utc_ms: int,
) -> None:
    append_entry(
        connection,
        kind="policy",
        actor_id="backend",
        conversation_id="",
        message_id="",
        revision=0,
        occurred_at_utc_ms=now_utc_ms,
        salt=new_salt(),
        body=canonical_json(
            {"hash": offered.hash, "signers": list(signers), "version": offered.version}
        ),
        firm_id=firm_id,
        now_utc_ms=now_utc_ms,
    )
