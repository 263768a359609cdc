"""Owns the history id: which course of this database the positions of its event streams count.

It never touches the archive: what a restore means to the log is stated beside it, signed.
"""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, insert, select, update

from backend.storage.tables import properties

_HISTORY = "history_id"


def history_id_of(connection: Connection) -> str:
    """Return the history's id, made at its first use."""
    known: str | None = connection.execute(
        select(properties.c.value).where(properties.c.name == _HISTORY)
    ).scalar_one_or_none()
    if known is not None:
        return known
    history_id = secrets.token_hex(16)
    connection.execute(insert(properties).values(name=_HISTORY, value=history_id))
    return history_id


def begin_history(connection: Connection) -> str:
    """Give a database that was put back to an earlier day a new history id, and return it.

    Run it while no backend runs. Every client then forgets its copy and syncs anew: positions and
    versions count on from that day, and would be taken for those of the days that are lost.
    """
    history_id_of(connection)
    history_id = secrets.token_hex(16)
    connection.execute(
        update(properties).where(properties.c.name == _HISTORY).values(value=history_id)
    )
    return history_id
