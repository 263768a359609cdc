"""Owns the errors that the database shows to others, and the telling of which one a driver's is.

It never quotes a statement's values, and it knows no rule of the business.
"""

from __future__ import annotations

import sqlcipher3.dbapi2 as sqlcipher
from sqlalchemy import exc


class DatabaseError(Exception):
    """The database can't serve; the text is a plain sentence without content."""


class DatabaseUnreadable(DatabaseError):
    """The file is damaged, or the key is not its key."""


class DatabaseTooNew(DatabaseError):
    """A newer Parley wrote the file."""


class DatabaseBusy(DatabaseError):
    """Another process held the database for too long; nothing of the transaction was kept."""


class StorageFull(DatabaseError):
    """The disk is full; nothing of the transaction was kept."""


def translated(error: BaseException) -> BaseException:
    """Return the error to raise in place of `error`, which becomes its cause; or `error` itself."""
    found: DatabaseError | None = None
    if isinstance(error, exc.DatabaseError):
        found = _by_name(str(getattr(error.orig, "sqlite_errorname", "")))
    elif isinstance(error, sqlcipher.DatabaseError):
        found = DatabaseUnreadable(
            "The backend's database can't be opened: the key is not its key, or the file "
            "is damaged."
        )
    if found is None:
        return error
    found.__cause__ = error
    return found


def _by_name(name: str) -> DatabaseError | None:
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return StorageFull("The disk of the backend is full or can't be written: free some space.")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return DatabaseBusy("Another process holds the backend's database: try again.")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return DatabaseUnreadable(
            "The backend's database can't be read: the key is not its key, or it is damaged."
        )
    return None
