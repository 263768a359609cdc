"""The options of the commands that look after delivery.

It never imports a part of the backend: a start costs only what its command needs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

Commands = argparse._SubParsersAction  # argparse names this type nowhere else


def add_delivery_commands(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the `admin` commands: jobs, dead-letters, paused, resume."""
    _command(commands, "jobs", "list delivery jobs that are not done")
    letters = commands.add_parser(
        "dead-letters", help="list failed and unknown deliveries, or try a failed one again"
    )
    letters.set_defaults(delivery_admin=True)
    acts = letters.add_subparsers(dest="act", required=True)
    _command(acts, "list", "list them, and which may be tried again")
    retry = _command(acts, "retry", "try a failed one again; never one that may have arrived")
    retry.add_argument("message_id")
    retry.add_argument("--by", required=True, metavar="ID", help="who does this, for the archive")
    retry.add_argument("--why", required=True, metavar="TEXT", help="the reason, for the archive")
    _command(commands, "paused", "list paused channel accounts")
    resume = _command(commands, "resume", "send again from a paused account")
    resume.add_argument("--account", required=True)


def _command(
    commands: Commands[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text)
    command.set_defaults(delivery_admin=True)
    command.add_argument("--data-dir", type=Path, required=True)
    command.add_argument(
        "--key-file",
        type=Path,
        metavar="FILE",
        help="holds the database key's 64 hex digits; without it stdin tells the key",
    )
    return command
