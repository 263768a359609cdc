"""The opening of a firm's database by a command, also beside a running backend.

It never upgrades a database: the backend's own start does, and nobody else is there then.
"""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection

from backend.cli.keys import Told, told_key
from backend.directory.firm_settings import firm_of
from backend.firm_workspace import NO_FIRM, refuse_sample
from backend.inbox.events import open_database
from backend.storage.database import Database, stored_version
from backend.storage.tables import SCHEMA_VERSION
from backend.workspace import DATABASE_FILE
from backend.workspace_errors import WorkspaceError

T = TypeVar("T")


class FirmDesk(NamedTuple):
    """A firm's open database; `by` is who gives the commands, `told` what stdin said."""

    database: Database
    firm_id: str
    by: str
    told: Told

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction of its own."""
        return self.database.write_now(work)

    def read(self, look: Callable[[Connection], T]) -> T:
        """Read one consistent state."""
        return self.database.read_now(look)


@contextlib.contextmanager
def open_firm_desk(arguments: argparse.Namespace) -> Iterator[FirmDesk]:
    """Yield the firm in the command's data folder; closes it at the end.

    A backend that runs takes up what is written within a second. Raises WorkspaceError when there
    is no firm or the database is of another version, DatabaseError, or ValueError for a bad line
    on stdin.
    """
    os.umask(0o077)
    path = arguments.data_dir / DATABASE_FILE
    if not path.exists():
        raise WorkspaceError(NO_FIRM)
    told = told_key(arguments)
    if stored_version(path, told.key) != SCHEMA_VERSION:
        raise WorkspaceError(
            "This workspace was written by another version of Parley: start the backend of the "
            "version you want once, then use that version's commands."
        )
    database = open_database(path, told.key)
    try:
        database.read_now(refuse_sample)
        firm_id, _ = database.read_now(firm_of)
        yield FirmDesk(database, firm_id, arguments.by, told)
    finally:
        database.close_now()
