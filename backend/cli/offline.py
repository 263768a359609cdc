"""Commands that open the workspace's database while no backend runs on it.

It never prints a message's text, except where `archive find` is asked for it.
"""

from __future__ import annotations

import argparse
import sys

import msgspec

from backend.archive.verify import describe_message
from backend.cli.log_commands import LOG_ADMIN, verify
from backend.cli.opening import open_offline
from backend.cli.tiles import run_tiles
from backend.storage.blobs import BlobStore


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
    """Carry out a command about the log itself; returns the exit status."""
    with open_offline(arguments.data_dir) as (database, _):
        return LOG_ADMIN[arguments.admin_command](database, arguments)


def _print(value: object) -> None:
    line = value if isinstance(value, bytes) else msgspec.json.encode(value)
    sys.stdout.write(line.decode() + "\n")
