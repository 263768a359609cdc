"""Commands that open the workspace's database while no backend runs on it.

It never prints a message's text, except where `archive find` is asked for it.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from backend.archive.verify import describe_message
from backend.cli.log_commands import LOG_ADMIN, verify
from backend.cli.opening import open_offline
from backend.cli.tiles import run_tiles
from backend.delivery.accounts import pauses, resume_account
from backend.storage.blobs import BlobStore
from backend.storage.tables import jobs, messages
from contract.ids import AccountId
from contract.states import DeliveryState

_DEAD = (DeliveryState.FAILED.value, DeliveryState.UNKNOWN.value)


def run_archive(arguments: argparse.Namespace) -> int:
    """Verify the archive, publish it, or print a message's entries; returns the exit status."""
    with open_offline(arguments.data_dir) as (database, key):
        if arguments.archive_command == "find":
            _print(database.read_now(lambda c: describe_message(c, arguments.message_id)))
            return 0
        if arguments.archive_command == "tiles":
            return run_tiles(arguments, database)
        return verify(database, BlobStore(arguments.data_dir / "blobs", key), arguments)


def run_admin(arguments: argparse.Namespace) -> int:
    """List jobs, dead letters or pauses, or resume an account; returns the exit status."""
    with open_offline(arguments.data_dir) as (database, _):
        if arguments.admin_command == "resume":
            account_id = AccountId(arguments.account)
            resumed = database.write_now(lambda c: resume_account(c, account_id))
            _print({"resumed": resumed})
            return 0 if resumed else 1
        if arguments.admin_command in LOG_ADMIN:
            return LOG_ADMIN[arguments.admin_command](database, arguments)
        look = {"jobs": _open_jobs, "dead-letters": _dead_letters, "paused": pauses}
        for line in database.read_now(look[arguments.admin_command]):
            _print(line)
    return 0


def _open_jobs(connection: Connection) -> list[dict[str, Any]]:
    columns = jobs.c
    rows = connection.execute(
        select(
            columns.job_id,
            columns.conversation_id,
            columns.account_id,
            columns.state,
            columns.attempts,
            columns.not_before_utc_ms,
            messages.c.state.label("message_state"),
            messages.c.state_detail,
        )
        .join(messages, messages.c.message_id == columns.message_id)
        .where(columns.state != "done")
        .order_by(columns.lane_order)
    )
    return [dict(row._mapping) for row in rows]


def _dead_letters(connection: Connection) -> list[dict[str, Any]]:
    columns = messages.c
    rows = connection.execute(
        select(
            columns.message_id,
            columns.conversation_id,
            columns.account_id,
            columns.state,
            columns.state_detail,
            columns.state_at_utc_ms,
        )
        .where(columns.state.in_(_DEAD))
        .order_by(columns.place_index)
    )
    return [dict(row._mapping) for row in rows]


def _print(value: object) -> None:
    line = value if isinstance(value, bytes) else msgspec.json.encode(value)
    sys.stdout.write(line.decode() + "\n")
