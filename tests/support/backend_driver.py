"""A process that runs the real backend and may die at its n-th commit.

It never changes what the backend does: its command line gets the arguments as they are.

SIGUSR1, or PARLEY_TEST_ARMED at the start, arms the fuse with the number found in the file
PARLEY_TEST_DIE_AT names, and with the name of the step to begin at where one stands behind it;
what it does is said as JSON lines on standard error.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from sqlalchemy import Connection

from backend.__main__ import main
from backend.channels.sandbox.store import SandboxStore
from backend.storage.group_writer import GroupWriter, Hook, Job
from tests.support.fuse import Fuse, qualified_name

_READS = {"SandboxQueue.take", "SandboxPeer.phones", "SandboxPeer.find", "SandboxPeer.media"}


def _tell(event: str, **fields: object) -> None:
    os.write(2, json.dumps({"event": event, **fields}).encode() + b"\n")


def _vendor_step(_: object, work: object) -> str:
    name = qualified_name(work)
    return "" if name in _READS else f"vendor: {name}"


def light(fuse: Fuse) -> None:
    """Set steps around every commit of the backend and of the sandbox vendor.

    Works that wait together share a commit, so that each has a step before it of its own: one that
    is waited for is met wherever it stands. The step after has the name of the first of them.
    """
    run, commit = Job.run, GroupWriter._commit_group

    def run_after_a_step(job: Job, connection: Connection, hooks: list[Hook]) -> None:
        fuse.step(f"before backend: {qualified_name(job.work)}")
        run(job, connection, hooks)

    def commit_and_step(writer: GroupWriter, first: Job) -> bool:
        is_end = commit(writer, first)
        fuse.step(f"after backend: {qualified_name(first.work)}")
        return is_end

    setattr(Job, "run", run_after_a_step)  # noqa: B010 - a method, which mypy lets nobody assign
    setattr(GroupWriter, "_commit_group", commit_and_step)  # noqa: B010 - likewise
    fuse.around(SandboxStore, "_transaction", _vendor_step)


def _arm(fuse: Fuse, *, commits_only: bool = False) -> None:
    die_at, _, begins_at = Path(os.environ["PARLEY_TEST_DIE_AT"]).read_text().partition(" ")
    fuse.arm(int(die_at), begins_at=begins_at, commits_only=commits_only)
    _tell("armed")


if __name__ == "__main__":
    the_fuse = Fuse(lambda n, name: _tell("step", n=n, name=name))
    light(the_fuse)
    signal.signal(signal.SIGUSR1, lambda *_: _arm(the_fuse))
    if "PARLEY_TEST_ARMED" in os.environ:
        _arm(the_fuse, commits_only=True)
    sys.exit(main())
