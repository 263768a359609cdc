"""The commands that replay a bundle, put it in force, and look after its signers' keys.

They never run while a backend holds a sample, and never publish what one person alone signed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from backend.cli.opening import open_beside
from backend.cli.policy_sources import print_problems, read_bundle
from backend.cli.printing import print_line
from backend.governance.policy import PolicyTooOld, policy_on_record
from backend.governance.publication import (
    PublicationRefused,
    add_key,
    known_keys,
    publish_signed,
    retire_key,
)
from backend.governance.replay import Replay
from backend.services import system_clock_utc_ms
from backend.storage.tables import firms
from backend.workspace_errors import WorkspaceError
from contract.policy.bundle import Side, compile_bundle
from contract.policy.problems import BundleError


def run_publication(arguments: argparse.Namespace) -> int:
    """Publish a bundle, or list and change its signers' keys; returns 0, or 1 when refused.

    Raises WorkspaceError or DatabaseError.
    """
    run = {"publish": _publish, "keys": _keys, "replay": _replay}
    try:
        work = run[arguments.policy_command](arguments)
    except BundleError as error:
        print_problems(error.problems)
        return 1
    with open_beside(arguments) as database:
        try:
            replays = arguments.policy_command == "replay"
            for line in database.read_now(work) if replays else database.write_now(work):
                print_line(line)
        except (PublicationRefused, PolicyTooOld) as refused:
            print_line({"ok": False, "fault": str(refused)})
            return 1
        except BundleError as error:
            print_problems(error.problems)
            return 1
    return 0


Work = Callable[[Connection], list[object]]


def _publish(arguments: argparse.Namespace) -> Work:
    files = read_bundle(arguments.bundle)

    def work(connection: Connection) -> list[object]:
        policy = publish_signed(connection, _firm(connection), files, system_clock_utc_ms())
        return [{"ok": True, "version": policy.version, "hash": policy.hash}]

    return work


def _keys(arguments: argparse.Namespace) -> Work:
    def work(connection: Connection) -> list[object]:
        now_utc_ms, firm_id = system_clock_utc_ms(), _firm(connection)
        if arguments.add:
            person, by = arguments.employee, arguments.by
            add_key(connection, firm_id, arguments.add, person, by, now_utc_ms)
        if arguments.retire:
            retire_key(connection, firm_id, arguments.retire, arguments.by, now_utc_ms)
        return [
            {"key": str(one.key), "employee_id": one.employee_id} for one in known_keys(connection)
        ]

    return work


def _replay(arguments: argparse.Namespace) -> Work:
    new = compile_bundle(read_bundle(arguments.bundle), Side.SERVER)
    try:
        since = datetime.fromisoformat(arguments.since).replace(tzinfo=UTC)
    except ValueError as error:
        raise WorkspaceError("--since takes a day such as 2026-11-21.") from error

    def work(connection: Connection) -> list[object]:
        in_force = policy_on_record(connection, _firm(connection))
        assert in_force is not None, "a workspace has a policy from its first start on"
        replay = Replay(connection, in_force.server, new)
        since_utc_ms = int(since.timestamp() * 1000)
        return [*replay.differences(since_utc_ms), replay.outcome]

    return work


def _firm(connection: Connection) -> str:
    firm_id: str = connection.execute(select(firms.c.firm_id)).scalar_one()
    return firm_id
