"""The commands that look after delivery: open jobs, dead letters, paused accounts.

It never prints a message's text, and never sends: a worker does.
"""

from __future__ import annotations

import argparse
from typing import Any

from sqlalchemy import Connection, select

from backend.cli.opening import open_beside
from backend.cli.printing import print_line
from backend.delivery.accounts import pauses, resume_account
from backend.delivery.dead_letters import RetryRefused, dead_letters, retry_dead_letter
from backend.services import system_clock_utc_ms
from backend.storage.database import Database
from backend.storage.tables import jobs, messages
from backend.workspace_errors import WorkspaceError
from contract.ids import AccountId


def run_delivery(arguments: argparse.Namespace) -> int:
    """Carry out one command; returns the exit status (1: there was nothing to resume).

    Raises WorkspaceError or DatabaseError.
    """
    with open_beside(arguments) as database:
        if arguments.admin_command == "resume":
            account_id = AccountId(arguments.account)
            resumed = database.write_now(lambda c: resume_account(c, account_id))
            print_line({"resumed": resumed})
            return 0 if resumed else 1
        if arguments.admin_command == "dead-letters" and arguments.act == "retry":
            return _retry(arguments, database)
        look = {"jobs": _open_jobs, "dead-letters": dead_letters, "paused": pauses}
        for line in database.read_now(look[arguments.admin_command]):
            print_line(line)
    return 0


def _retry(arguments: argparse.Namespace, database: Database) -> int:
    message_id, now_utc_ms = arguments.message_id, system_clock_utc_ms()
    try:
        database.write_now(
            lambda c: retry_dead_letter(c, message_id, arguments.by, arguments.why, now_utc_ms)
        )
    except RetryRefused as error:
        raise WorkspaceError(str(error)) from error
    print_line({"queued": message_id})
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
