"""Owns the mirroring of legal holds onto the locked copies: what a matter holds, the store holds.

It never lifts a hold from a copy that any standing matter keeps, and changes no retention.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete, insert, select

from backend.archive.holds import StandingHolds, held_places
from backend.archive.retention import Schedule
from backend.archive.worm import WormStore
from backend.storage.custody_tables import worm_copies
from backend.storage.database import Database
from backend.storage.tables import archive_entries, firms, properties

_PAGE = 500
Places = frozenset[tuple[str, str]]


class HoldRun(NamedTuple):
    """How many copies were put on hold, and from how many the hold was lifted."""

    held: int
    lifted: int


class _Copy(NamedTuple):
    name: str
    version_id: str
    entry_id: str
    firm_id: str
    conversation_id: str
    message_id: str


class _Change(NamedTuple):
    name: str
    version_id: str
    held: bool


def mirror_holds(database: Database, store: WormStore) -> HoldRun:
    """Bring the store's legal holds up to date with the matters; it blocks.

    The holds mirrored last are noted once all copies follow them: a run that was cut short is
    done again from its beginning. Raises what the store's client raises.
    """
    before, now = database.read_now(lambda c: (_mirrored(c, store.bucket), _standing(c)))
    if before == now:
        return HoldRun(0, 0)
    held = lifted = 0
    for change in _changes(database, store.bucket, before, now):
        if change.held:
            store.hold(change.name, change.version_id)
            held += 1
        else:
            store.release_hold(change.name, change.version_id)
            lifted += 1
    database.write_now(lambda c: _note(c, store.bucket, now))
    return HoldRun(held, lifted)


class HeldCopies:
    """Tells which copies the store has on hold, by the holds that were mirrored last."""

    def __init__(self, connection: Connection, bucket: str) -> None:
        self._places = _mirrored(connection, bucket)
        self._clients = _Clients(connection)

    def is_held(self, firm_id: str, entry_id: str, conversation_id: str, message_id: str) -> bool:
        """Tell whether a new copy of this entry belongs on hold, as older ones are."""
        about = (firm_id, entry_id, conversation_id, message_id)
        return not self._clients.places_of(*about).isdisjoint(self._places)


class _Clients:
    """The places by which entries can be held, each with its firm in the scope's name."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._schedules: dict[str, Schedule] = {}

    def places_of(
        self, firm_id: str, entry_id: str, conversation_id: str, message_id: str
    ) -> Places:
        if firm_id not in self._schedules:
            self._schedules[firm_id] = Schedule(self._connection, firm_id)
        schedule = self._schedules[firm_id]
        clients = schedule.clients(conversation_id) if conversation_id else ()
        places = held_places(entry_id, conversation_id, message_id, clients)
        return frozenset((f"{firm_id} {scope}", scope_id) for scope, scope_id in places)


def _changes(database: Database, bucket: str, before: Places, now: Places) -> Iterator[_Change]:
    after = ""
    while True:
        look = functools.partial(_page, bucket=bucket, after=after, before=before, now=now)
        after, changes = database.read_now(look)
        yield from changes
        if not after:
            return


def _page(
    connection: Connection, bucket: str, after: str, before: Places, now: Places
) -> tuple[str, list[_Change]]:
    """Return the last name of a page, empty at the end, and what changes on its copies."""
    columns, entries = worm_copies.c, archive_entries.c
    rows = [
        _Copy(*row)
        for row in connection.execute(
            select(
                columns.name,
                columns.version_id,
                columns.entry_id,
                columns.firm_id,
                entries.conversation_id,
                entries.message_id,
            )
            .join(archive_entries, entries.entry_id == columns.entry_id)
            .where(columns.bucket == bucket, columns.name > after)
            .order_by(columns.name)
            .limit(_PAGE)
        )
    ]
    clients, changes = _Clients(connection), []
    for copy in rows:
        about = (copy.firm_id, copy.entry_id, copy.conversation_id, copy.message_id)
        places = clients.places_of(*about)
        was, is_now = not places.isdisjoint(before), not places.isdisjoint(now)
        if was != is_now:
            changes.append(_Change(copy.name, copy.version_id, is_now))
    return (rows[-1].name if len(rows) == _PAGE else ""), changes


def _standing(connection: Connection) -> Places:
    """Return every place that is held, with its firm in the scope's name."""
    firm_ids = connection.execute(select(firms.c.firm_id)).scalars().all()
    return frozenset(
        (f"{firm_id} {scope}", scope_id)
        for firm_id in firm_ids
        for scope, scope_id in StandingHolds(connection, firm_id).places
    )


def _mirrored(connection: Connection, bucket: str) -> Places:
    stored = connection.execute(
        select(properties.c.value).where(properties.c.name == _property(bucket))
    ).scalar_one_or_none()
    if stored is None:
        return frozenset()
    return msgspec.json.decode(stored, type=frozenset[tuple[str, str]])


def _note(connection: Connection, bucket: str, places: Places) -> None:
    name = _property(bucket)
    connection.execute(delete(properties).where(properties.c.name == name))
    told = msgspec.json.encode(sorted(places)).decode()
    connection.execute(insert(properties).values(name=name, value=told))


def _property(bucket: str) -> str:
    return f"worm_holds:{bucket}"
