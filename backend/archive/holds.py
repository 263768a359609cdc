"""Owns the legal holds: what a matter keeps from going, placed and released in the archive.

It never lets a hold be changed, only released.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from backend.archive.retention import archive_change
from backend.storage.custody_tables import legal_holds
from backend.storage.tables import contacts, conversations, messages
from contract.ids import uuid7

SCOPES = ("firm", "client", "conversation", "message", "entry")
_KNOWN_BY = {
    "client": contacts.c.contact_id,
    "conversation": conversations.c.conversation_id,
    "message": messages.c.message_id,
}


class HoldError(ValueError):
    """A hold can't be placed; the text is a plain sentence that says what to do."""


class Hold(NamedTuple):
    """One thing a matter holds; it stands while `released_at_utc_ms` is None."""

    hold_id: str
    matter: str
    scope: str
    scope_id: str
    placed_at_utc_ms: int
    released_at_utc_ms: int | None


def place_hold(
    connection: Connection,
    firm_id: str,
    matter: str,
    scope: str,
    scope_id: str,
    actor_id: str,
    now_utc_ms: int,
) -> str:
    """Hold the whole firm, a client, a conversation, a message or an entry; returns the hold's id.

    Archives the act. Raises HoldError for an empty matter, an unknown scope or id.
    """
    if not matter.strip():
        raise HoldError("Name the matter that the hold belongs to.")
    if scope not in SCOPES or bool(scope_id) == (scope == "firm"):
        raise HoldError(f"Hold one of: {', '.join(SCOPES)}; the firm alone has no id.")
    known = _KNOWN_BY.get(scope)
    if known is not None:
        found = connection.execute(select(known).where(known == scope_id)).first()
        if found is None:
            raise HoldError(f"There is no {scope} of this id: a hold on it would hold nothing.")
    hold_id = uuid7(now_utc_ms, os.urandom(10))
    connection.execute(
        insert(legal_holds).values(
            hold_id=hold_id,
            firm_id=firm_id,
            matter=matter,
            scope=scope,
            scope_id=scope_id,
            placed_by=actor_id,
            placed_at_utc_ms=now_utc_ms,
        )
    )
    said: dict[str, object] = {"hold_id": hold_id, "matter": matter}
    said |= {"scope": scope, "scope_id": scope_id}
    archive_change(connection, "hold", firm_id, actor_id, said, now_utc_ms)
    return hold_id


def release_holds(
    connection: Connection, firm_id: str, matter: str, actor_id: str, now_utc_ms: int
) -> int:
    """Release all that a matter holds and archive it; returns how many holds stood."""
    columns = legal_holds.c
    released = connection.execute(
        update(legal_holds)
        .where(
            columns.firm_id == firm_id,
            columns.matter == matter,
            columns.released_at_utc_ms.is_(None),
        )
        .values(released_by=actor_id, released_at_utc_ms=now_utc_ms)
    ).rowcount
    if released:
        said: dict[str, object] = {"matter": matter, "released": released}
        archive_change(connection, "hold_release", firm_id, actor_id, said, now_utc_ms)
    return released


def all_holds(connection: Connection, firm_id: str) -> tuple[Hold, ...]:
    """Return every hold, standing and released, the oldest first."""
    columns = legal_holds.c
    rows = connection.execute(
        select(
            columns.hold_id,
            columns.matter,
            columns.scope,
            columns.scope_id,
            columns.placed_at_utc_ms,
            columns.released_at_utc_ms,
        )
        .where(columns.firm_id == firm_id)
        .order_by(columns.placed_at_utc_ms, columns.hold_id)
    )
    return tuple(Hold(*row) for row in rows)


def held_places(
    entry_id: str, conversation_id: str, message_id: str, clients: Iterable[str]
) -> list[tuple[str, str]]:
    """Return the scopes, each with its id, by which a matter can hold an entry."""
    places = [("firm", ""), ("entry", entry_id)]
    places += [("conversation", conversation_id), ("message", message_id)]
    return places + [("client", client) for client in clients]


class StandingHolds:
    """A firm's standing holds, read once, to ask for many entries."""

    def __init__(self, connection: Connection, firm_id: str) -> None:
        self._matters: dict[tuple[str, str], set[str]] = {}
        for hold in all_holds(connection, firm_id):
            if hold.released_at_utc_ms is None:
                self._matters.setdefault((hold.scope, hold.scope_id), set()).add(hold.matter)

    @property
    def places(self) -> frozenset[tuple[str, str]]:
        """Return every scope that a matter holds, each with its id."""
        return frozenset(self._matters)

    def matters(
        self, entry_id: str, conversation_id: str, message_id: str, clients: Iterable[str]
    ) -> frozenset[str]:
        """Return the matters that hold an entry; none may go while there is one."""
        places = held_places(entry_id, conversation_id, message_id, clients)
        return frozenset().union(*(self._matters.get(place, ()) for place in places))
