"""Owns the running policy bundle: compiled for enforcement, packed for the clients, when asked.

It never evaluates a draft, and it never gives a server-only rule away.
"""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from sqlalchemy import Connection, insert, select

from backend.archive.entries import append_act
from backend.inbox.events import append_event
from backend.storage.tables import employees, policy_bundles
from contract.events import PolicyChanged
from contract.ids import EmployeeId
from contract.policy.bundle import CompiledBundle, Side, compile_bundle, forget_sources
from contract.policy.manifest import pack_bundle, unpack_bundle, version_key
from contract.policy.model import Decision, Draft, Facts
from contract.policy.publishing import client_files

_SUFFIXES = frozenset({".yaml", ".csv", ".json"})


class PolicyTooOld(Exception):
    """A bundle older than the published one was offered; versions only grow."""


class RunningPolicy:
    """One bundle in force, of which each form is made when it is first asked for.

    Any thread may ask; others that ask meanwhile wait. `version` and `hash` (hex, of the whole
    bundle's manifest) are what it is known by; `files` hold the server-only rules, too.
    """

    def __init__(self, files: Mapping[str, bytes], version: str, bundle_hash: str) -> None:
        self.version = version
        self.hash = bundle_hash
        self.files = files
        self._making = threading.RLock()
        self._server: CompiledBundle | None = None
        self._client: CompiledBundle | None = None
        self._packed = b""

    @property
    def server(self) -> CompiledBundle:
        """Return the whole bundle as it is enforced; raises BundleError for a bad one."""
        with self._making:
            if self._server is None:
                self._server = compile_bundle(self.files, Side.SERVER)
            return self._server

    @property
    def client(self) -> CompiledBundle:
        """Return the bundle as clients have it."""
        with self._making:
            if self._client is None:
                self._client = compile_bundle(unpack_bundle(self.packed), Side.CLIENT)
                forget_sources()
            return self._client

    @property
    def packed(self) -> bytes:
        """Return what clients fetch."""
        with self._making:
            if not self._packed:
                self._packed = pack_bundle(client_files(self.files))
            return self._packed

    @property
    def packed_whole(self) -> bytes:
        """Return the bundle with its server-only rules, which never leaves the backend."""
        return pack_bundle(self.files)

    @functools.cached_property
    def etag(self) -> str:
        """The hash of what clients fetch, as HTTP names it."""
        return f'"{hashlib.sha256(self.packed).hexdigest()}"'

    def become(self, newer: RunningPolicy) -> None:
        """Be another bundle from now on; call it in a transaction that writes.

        Decisions are made in such transactions alone, so that none meets half of each.
        """
        with self._making:
            self.version, self.hash, self.files = newer.version, newer.hash, newer.files
            self._server, self._client, self._packed = newer.server, newer._client, newer.packed
            self.__dict__.pop("etag", None)
            forget_sources()

    def enforce(self, facts: Facts, draft: Draft) -> Decision:
        """Return the decision that stands."""
        from contract.policy.evaluate import evaluate  # what it needs costs start-up

        return evaluate(self.server, facts, draft)

    def hint(self, facts: Facts, draft: Draft) -> Decision:
        """Return what a client should have hinted that knows these facts."""
        from contract.policy.evaluate import evaluate

        return evaluate(self.client, facts.for_client(), draft)

    def prepare(self) -> None:
        """Make what enforcing needs, so that no message waits; raises BundleError for a bad bundle.

        The clients' form is left to the first hint: it takes a tenth of a second and 10 MB.
        """
        import_module("contract.policy.evaluate")
        from contract.policy.finders import prepare_searches

        prepare_searches(self.server.rules)
        _ = self.etag
        forget_sources()


def running_policy(files: Mapping[str, bytes]) -> RunningPolicy:
    """Compile a bundle as it is enforced; raises contract.policy.problems.BundleError."""
    server = compile_bundle(files, Side.SERVER)
    policy = RunningPolicy(files, server.version, server.hash)
    policy._server = server
    return policy


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
        newest = policy_on_record(connection, firm_id)
        assert newest is not None, "an older offer was refused, so there is a newer one"
        return newest, f"A policy was refused: {refused}."
    return offered, ""


def policy_on_record(connection: Connection, firm_id: str) -> RunningPolicy | None:
    """Return the newest policy that was in force; None before the first.

    It was compiled before it came into force, so it is not compiled here.
    """
    columns, newest = policy_bundles.c, newest_version(connection, firm_id)
    if newest is None:
        return None
    row = connection.execute(
        select(columns.bundle_hash, columns.packed).where(
            columns.firm_id == firm_id, columns.version == newest
        )
    ).one()
    return RunningPolicy(unpack_bundle(row.packed), newest, row.bundle_hash)


def newest_version(connection: Connection, firm_id: str) -> str | None:
    """Return the version of the policy on record; None before the first."""
    columns = policy_bundles.c
    versions = connection.execute(
        select(columns.version).where(columns.firm_id == firm_id)
    ).scalars()
    return max(versions, key=version_key, default=None)


def bring_into_force(
    connection: Connection,
    firm_id: str,
    running: RunningPolicy,
    newer: RunningPolicy,
    now_utc_ms: int,
) -> None:
    """Enforce a policy that another process published, and have clients ask for it now."""
    running.become(newer)
    _tell(connection, firm_id, newer, now_utc_ms)


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
    newest = max(known, key=lambda row: version_key(row.version), default=None)
    if newest is not None:
        if (newest.version, newest.bundle_hash) == (policy.version, policy.hash):
            return False
        if version_key(policy.version) <= version_key(newest.version):
            raise PolicyTooOld(
                f"version {policy.version} is not newer than {newest.version}, which is in force"
            )
    connection.execute(
        insert(policy_bundles).values(
            version=policy.version,
            firm_id=firm_id,
            bundle_hash=policy.hash,
            packed=policy.packed_whole,
            published_at_utc_ms=now_utc_ms,
        )
    )
    _archive(connection, firm_id, policy, signers, now_utc_ms)
    _tell(connection, firm_id, policy, now_utc_ms)
    return True


def _tell(connection: Connection, firm_id: str, policy: RunningPolicy, now_utc_ms: int) -> None:
    body = PolicyChanged(bundle_version=policy.version)
    for employee_id in connection.execute(
        select(employees.c.employee_id).where(employees.c.firm_id == firm_id)
    ).scalars():
        append_event(connection, EmployeeId(employee_id), body, now_utc_ms)


def _archive(
    connection: Connection,
    firm_id: str,
    offered: RunningPolicy,
    signers: Sequence[str],
    now_utc_ms: int,
) -> None:
    append_act(
        connection,
        kind="policy",
        actor_id="backend",
        told={"hash": offered.hash, "signers": list(signers), "version": offered.version},
        firm_id=firm_id,
        now_utc_ms=now_utc_ms,
    )
