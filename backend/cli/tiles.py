"""The commands about published tiles: `archive tiles` writes them, `archive verify-tiles` checks.

They never show what an entry holds, and the second needs no archive.
"""

from __future__ import annotations

import argparse
import sys

from backend.archive.tile_audit import audit_tiles
from backend.archive.tile_places import place_of
from backend.archive.tile_store import TilesRefused, publish_tiles
from backend.archive.worm import WormNotReady
from backend.cli.printing import print_line
from backend.storage.database import Database
from backend.workspace_errors import WorkspaceError
from contract.receipts.errors import NoteError
from contract.receipts.keys import VerifierKey


def run_tiles(arguments: argparse.Namespace, database: Database) -> int:
    """Publish what is sealed and not published yet; raises WorkspaceError."""
    try:
        place = place_of(arguments.to, endpoint_url=arguments.endpoint_url, region=arguments.region)
        published = publish_tiles(database, place)
    except (TilesRefused, WormNotReady) as error:
        raise WorkspaceError(str(error)) from error
    except OSError as error:
        raise WorkspaceError(f"The tiles can't be written: {error.strerror}.") from error
    print_line(published._asdict())
    return 0


def run_verify_tiles(arguments: argparse.Namespace) -> int:
    """Audit a published log from its files alone; returns 0, or 1 with the first fault."""
    try:
        log_key = VerifierKey.parse(arguments.log_key)
        witnesses = tuple(VerifierKey.parse(key) for key in arguments.witness_key)
    except NoteError as error:
        raise WorkspaceError(f"A key on the command line can't be read: {error}.") from error
    quorum = len({key.name for key in witnesses})
    if arguments.quorum is not None:
        quorum = arguments.quorum
    try:
        place = place_of(
            arguments.place, endpoint_url=arguments.endpoint_url, region=arguments.region
        )
        found = audit_tiles(place, log_key, witnesses, quorum, _tell)
    except WormNotReady as error:
        raise WorkspaceError(str(error)) from error
    except OSError as error:
        raise WorkspaceError(f"The tiles can't be read: {error.strerror}.") from error
    print_line(
        {
            "ok": found.ok,
            "fault": found.fault,
            "entries": found.entries,
            "size": found.size,
            "root": found.root.hex(),
            "witnesses": found.witnesses,
        }
    )
    return 0 if found.ok else 1


def _tell(done: int, total: int) -> None:
    if done == total:
        sys.stderr.write(f"{done} of {total} entries verified\n")
