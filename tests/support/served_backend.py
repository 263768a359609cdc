"""Starts, kills and restarts a real backend process, and looks into its files afterwards.

It never runs inside the test's process, and never opens the files while a backend holds them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from sqlalchemy import select

from backend.archive.verify import verify_archive as audit_archive
from backend.storage.database import Database
from backend.storage.tables import archive_bodies, archive_entries, attempts, jobs
from backend.workspace import DATABASE_FILE
from contract.receipts.bodies import KIND_MESSAGE_OUT
from tests.support.child import Child
from tests.support.surroundings import ROOT
from tests.support.waiting import until

SECRET = "a-secret-of-one-test"
KEY = bytes(range(32))
NEVER = 10**9


@dataclass(frozen=True, slots=True)
class Archived:
    """One archived submission: its place in the archive, its message and its text."""

    index: int
    message_id: str
    conversation_id: str
    text: str


class ServedBackend:
    """One backend on loopback; every start has a new port, the data stays."""

    def __init__(self, data_dir: Path, *, pace: float = 0.0, answers: bool = False) -> None:
        """`pace` multiplies the sandbox clients' delays; `answers` lets them write back."""
        self.data_dir = data_dir
        self.port = 0
        self._options = ["--sandbox-pace", str(pace), *([] if answers else ["--sandbox-silent"])]
        self._die_at = data_dir.with_name(f"{data_dir.name}-die-at")
        self._child: Child | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def child(self) -> Child:
        """Return the running process, or the one that ended last."""
        assert self._child is not None, "the backend was not started"
        return self._child

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._spawn({})
        self.port = int(self.child.expect("ready")["port"])

    def start_and_die_at(self, die_at: int) -> bool:
        """Start it with the fuse lit; true when it listens before its `die_at`-th commit."""
        self._die_at.write_text(str(die_at))
        self._spawn({"PARLEY_TEST_ARMED": "1"})
        until(lambda: self.child.told("ready") or not self.child.alive, "life or death")
        if not self.child.alive:
            self.child.wait()
            return False
        return True

    def _spawn(self, env: dict[str, str]) -> None:
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        self._child = Child(
            "tests.support.backend_driver",
            {"secret": SECRET, "database_key": KEY.hex(), "parent_pid": os.getpid()},
            "serve",
            "--embedded",
            "--data-dir",
            str(self.data_dir),
            *self._options,
            env={"PARLEY_TEST_DIE_AT": str(self._die_at), **env},
        )

    def arm(self, die_at: int, begins_at: str = "") -> None:
        """Let it die at its `die_at`-th step from now on; returns once the fuse burns.

        `begins_at` names the step that counts as the first: a backend that has just started
        still commits what its start brings with it, a little more or less each time.
        """
        self._die_at.write_text(f"{die_at} {begins_at}".rstrip())
        already = len(self.child.told("armed"))
        self.child.signal(signal.SIGUSR1)
        self.child.expect("armed", after=already)

    def disarm(self) -> bool:
        """Put the fuse out; false when the backend died before."""
        self._die_at.write_text(str(NEVER))
        already = len(self.child.told("armed"))
        self.child.signal(signal.SIGUSR1)
        until(lambda: self.child.told("armed")[already:] or not self.child.alive, "the fuse out")
        return self.child.alive

    def kill(self) -> None:
        """Kill it with SIGKILL, if it runs."""
        if self._child is not None:
            self._child.kill()

    def stop(self) -> None:
        """End it in order, as the app does: close its input and wait."""
        self.child.hang_up()
        self.child.wait()


def verify_archive(data_dir: Path, key: bytes = KEY) -> dict[str, Any]:
    """Return what `backend archive verify` says of a stopped backend's archive."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "backend", "archive", "verify", "--data-dir", str(data_dir)],
        input=json.dumps({"database_key": key.hex()}).encode() + b"\n",
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=300,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr.decode()
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def archive_is_sound(data_dir: Path, key: bytes = KEY) -> bool:
    """Do the same walk in this process: a second quicker."""
    database = Database.open(data_dir / DATABASE_FILE, key)
    try:
        return database.read_now(audit_archive).ok
    finally:
        database.close_now()


def archived_submissions(data_dir: Path, key: bytes = KEY) -> list[Archived]:
    """Return every archived submission of a stopped backend, in the archive's order."""
    entries, bodies = archive_entries.c, archive_bodies.c
    query = (
        select(entries.sequence, entries.message_id, entries.leaf, bodies.body)
        .join(archive_bodies, bodies.entry_id == entries.entry_id)
        .where(entries.kind == KIND_MESSAGE_OUT)
        .order_by(entries.sequence)
    )
    database = Database.open(data_dir / DATABASE_FILE, key)
    try:
        rows = database.read_now(lambda connection: connection.execute(query).all())
    finally:
        database.close_now()
    return [
        Archived(
            index=row.sequence,
            message_id=row.message_id,
            conversation_id=msgspec.json.decode(row.leaf)["conversation_id"],
            text=msgspec.json.decode(row.body)["text"],
        )
        for row in rows
    ]


def attempts_without_answer(data_dir: Path, key: bytes = KEY) -> set[str]:
    """Return the messages of which a try to deliver ended without the channel's answer."""
    query = (
        select(jobs.c.message_id)
        .join(attempts, attempts.c.job_id == jobs.c.job_id)
        .where(attempts.c.outcome.in_(("unknown", "lease_ran_out")))
    )
    database = Database.open(data_dir / DATABASE_FILE, key)
    try:
        return set(database.read_now(lambda connection: connection.execute(query).scalars().all()))
    finally:
        database.close_now()
