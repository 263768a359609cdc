"""Owns the finding and making of contact points, keyed on channel, id type and address.

It never merges two contacts by a look-alike address.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from backend.directory.languages import guessed_language
from backend.storage.tables import channel_accounts, contact_points, contacts
from contract.ids import ContactId, ContactPointId, uuid7
from contract.names import shown_name
from contract.wire import Channel

GROUP = "chat"  # the id type of a group's own address
SHOWN_CHARS = 4
AVATAR_COLORS = 10


class PointAddress(NamedTuple):
    """Where a client is reached: the channel with its own type of id and the id itself."""

    channel: Channel
    id_type: str
    address: str


class KnownPoint(NamedTuple):
    """A stored contact point with its contact; `created` when it was unknown until now."""

    contact_point_id: ContactPointId
    contact_id: ContactId
    display_name: str
    created: bool


def find_point(connection: Connection, firm_id: str, point: PointAddress) -> KnownPoint | None:
    """Return the contact point with this address, or None."""
    columns = contact_points.c
    row = connection.execute(
        select(columns.contact_point_id, columns.contact_id, contacts.c.display_name)
        .join(contacts, contacts.c.contact_id == columns.contact_id)
        .where(
            columns.firm_id == firm_id,
            columns.channel == point.channel,
            columns.id_type == point.id_type,
            columns.address == point.address,
        )
    ).one_or_none()
    if row is None:
        return None
    return KnownPoint(
        ContactPointId(row.contact_point_id), ContactId(row.contact_id), row.display_name, False
    )


def ensure_point(
    connection: Connection,
    account_id: str,
    point: PointAddress,
    name: str,
    now_utc_ms: int,
    said: str = "",
) -> KnownPoint:
    """Return the contact point, with an incomplete contact made for an unknown client.

    What they `said` may tell their language; else it is the account's.
    """
    account = channel_accounts.c
    row = connection.execute(
        select(account.firm_id, account.mode, account.language).where(
            account.account_id == account_id
        )
    ).one()
    known = find_point(connection, row.firm_id, point)
    if known is not None:
        return known
    contact_id = ContactId(uuid7(now_utc_ms, os.urandom(10)))
    point_id = ContactPointId(uuid7(now_utc_ms, os.urandom(10)))
    display_name = shown_name(name) or masked(point.address)
    connection.execute(
        insert(contacts).values(
            contact_id=contact_id,
            firm_id=row.firm_id,
            display_name=display_name,
            initials=initials_of(display_name),
            language=guessed_language(said, row.language),
            color=sum(point_id.encode()) % AVATAR_COLORS,
        )
    )
    connection.execute(
        insert(contact_points).values(
            contact_point_id=point_id,
            firm_id=row.firm_id,
            contact_id=contact_id,
            channel=point.channel,
            mode=row.mode,
            id_type=point.id_type,
            address=point.address,
            label=masked(point.address),
        )
    )
    return KnownPoint(point_id, contact_id, display_name, True)


def masked(address: str) -> str:
    """Return an address fit for display: its last four characters only."""
    shown = shown_name(address)
    return "…" + shown[-SHOWN_CHARS:] if len(shown) > SHOWN_CHARS else shown


def initials_of(name: str) -> str:
    """Return up to two initials; a name in Chinese or Japanese gives its first character."""
    words = [word for word in name.split() if word[0].isalpha()]
    if not words:
        return name[:1].upper()
    if not words[0][0].isascii() and words[0][0].lower() == words[0][0].upper():
        return words[0][0]
    letters = words[0][0] + (words[-1][0] if len(words) > 1 else "")
    return letters.upper()
