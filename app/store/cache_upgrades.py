"""Brings a cache file of an older version to today's tables, inside the caller's transaction.

It does no work that grows with the messages: what needs that is noted and done later in steps.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from app.store.cache_tables import (
    CACHE_VERSION,
    STATE_INDEXES,
    cached_files,
    create_file_counter,
    create_search,
)
from app.store.search_rows import index_contacts, index_titles, note_tagless

Upgrade = Callable[[Connection], None]


def upgrade_cache(connection: Connection, found: int) -> None:
    """Apply every step from version `found` (1 or higher) to today's; set the file's version.

    The caller's one transaction makes it whole or not at all, also when the process is killed.
    """
    for version in range(found, CACHE_VERSION):
        _UPGRADES[version](connection)
    connection.exec_driver_sql(f"PRAGMA user_version = {CACHE_VERSION}")


def _from_version_1(connection: Connection) -> None:
    """Version 2: messages let go, cached files, indexes of the inbox; search by filters."""
    connection.exec_driver_sql(
        "ALTER TABLE conversations ADD COLUMN floor_at_utc_ms INTEGER DEFAULT '0' NOT NULL"
    )
    for index in STATE_INDEXES:
        connection.exec_driver_sql(f"DROP INDEX {index.name}")
        index.create(connection)
    cached_files.create(connection)
    create_file_counter(connection)
    create_search(connection, "conversation_search")
    index_titles(connection)
    # Names were indexed with fewer letters taken for one another (contract.search_letters).
    connection.exec_driver_sql("DROP TABLE contact_search")
    create_search(connection, "contact_search")
    index_contacts(connection)
    note_tagless(connection)


# By the version they start from. All of one release's changes belong to one step.
_UPGRADES: dict[int, Upgrade] = {1: _from_version_1}
