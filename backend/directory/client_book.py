"""Owns the adding of clients to a firm's book: names, addresses, who serves them, what they agreed.

It never merges two clients, and never moves an address from one to another.
"""

from __future__ import annotations

import os

import msgspec
from sqlalchemy import Connection, insert, select

from backend.directory.administration import AdministrationRefused, note_act
from backend.directory.consents import record_consent
from backend.directory.points import (
    AVATAR_COLORS,
    PointAddress,
    find_point,
    initials_of,
    masked,
)
from backend.directory.staff import checked_zone, require_employee
from backend.inbox.conversations import add_to_book, ensure_direct_conversation
from backend.inbox.events import note_contact
from backend.storage.tables import channel_accounts, contact_points, contacts
from contract.ids import ContactId, ContactPointId, uuid7
from contract.names import shown_name
from contract.wire import Channel, ConsentKind, ConsentStatus


class ClientConsent(msgspec.Struct, frozen=True, kw_only=True):
    """What a client agreed to or refused; `channel` None means all of them."""

    kind: ConsentKind
    status: ConsentStatus
    channel: Channel | None = None
    text_version: str = ""


class NewClient(msgspec.Struct, frozen=True, kw_only=True):
    """A client; `employees` are the ids of those who serve them.

    `chats` are ids of accounts from which the client is to be written to first.
    """

    display_name: str
    points: tuple[PointAddress, ...] = ()
    employees: tuple[str, ...] = ()
    consents: tuple[ClientConsent, ...] = ()
    chats: tuple[str, ...] = ()
    organisation: str = ""
    city: str = ""
    time_zone: str = ""
    language: str = "en"
    retail: bool = False
    contact_id: str = ""


class ClientLine(msgspec.Struct, frozen=True, kw_only=True):
    """One client as a list shows them, addresses masked."""

    contact_id: str
    display_name: str
    points: tuple[str, ...]


def add_client(
    connection: Connection, firm_id: str, new: NewClient, by: str, now_utc_ms: int
) -> ContactId:
    """Add a client and return the id; raises AdministrationRefused for what can't be taken."""
    contact_id = ContactId(new.contact_id or uuid7(now_utc_ms, os.urandom(10)))
    name = shown_name(new.display_name)
    if not name:
        raise AdministrationRefused("A client needs a name.")
    if connection.execute(
        select(contacts.c.contact_id).where(contacts.c.contact_id == contact_id)
    ).first():
        raise AdministrationRefused(f"There is a client {contact_id!r} already.")
    connection.execute(
        insert(contacts).values(
            contact_id=contact_id,
            firm_id=firm_id,
            display_name=name,
            initials=initials_of(name),
            organisation=shown_name(new.organisation),
            city=shown_name(new.city),
            time_zone=checked_zone(new.time_zone),
            language=new.language,
            color=sum(contact_id.encode()) % AVATAR_COLORS,
            retail=new.retail,
        )
    )
    points = [_add_point(connection, firm_id, contact_id, p, now_utc_ms) for p in new.points]
    for employee_id in new.employees:
        require_employee(connection, employee_id)
        add_to_book(connection, firm_id, employee_id, contact_id)
    for consent in new.consents:
        _consent(connection, contact_id, consent, by, now_utc_ms)
    for account_id in new.chats:
        _open_chat(connection, account_id, contact_id, dict(points), now_utc_ms)
    note_contact(connection, contact_id, now_utc_ms)
    note_act(connection, firm_id, by, "client_added", {"client": contact_id}, now_utc_ms)
    return contact_id


def clients(connection: Connection) -> tuple[ClientLine, ...]:
    """Return the firm's clients by name."""
    labels: dict[str, list[str]] = {}
    columns = contact_points.c
    for row in connection.execute(
        select(columns.contact_id, columns.channel, columns.label).order_by(columns.channel)
    ):
        labels.setdefault(row.contact_id, []).append(f"{row.channel} {row.label}")
    return tuple(
        ClientLine(
            contact_id=row.contact_id,
            display_name=row.display_name,
            points=tuple(labels.get(row.contact_id, ())),
        )
        for row in connection.execute(
            select(contacts).order_by(contacts.c.display_name, contacts.c.contact_id)
        )
    )


def _add_point(
    connection: Connection, firm_id: str, contact_id: str, point: PointAddress, now_utc_ms: int
) -> tuple[Channel, ContactPointId]:
    known = find_point(connection, firm_id, point)
    if known is not None:
        raise AdministrationRefused(
            f"The {point.channel} address {masked(point.address)} is client {known.contact_id}'s."
        )
    point_id = ContactPointId(uuid7(now_utc_ms, os.urandom(10)))
    connection.execute(
        insert(contact_points).values(
            contact_point_id=point_id,
            firm_id=firm_id,
            contact_id=contact_id,
            channel=point.channel.value,
            id_type=point.id_type,
            address=point.address,
            label=masked(point.address),
        )
    )
    return point.channel, point_id


def _consent(
    connection: Connection, contact_id: str, consent: ClientConsent, by: str, now_utc_ms: int
) -> None:
    record_consent(
        connection,
        contact_id=contact_id,
        kind=consent.kind,
        status=consent.status,
        channel=consent.channel,
        actor_id=by,
        at_utc_ms=now_utc_ms,
        now_utc_ms=now_utc_ms,
        text_version=consent.text_version,
    )


def _open_chat(
    connection: Connection,
    account_id: str,
    contact_id: str,
    points: dict[Channel, ContactPointId],
    now_utc_ms: int,
) -> None:
    channel = connection.execute(
        select(channel_accounts.c.channel).where(channel_accounts.c.account_id == account_id)
    ).scalar_one_or_none()
    point_id = None if channel is None else points.get(Channel(channel))
    if point_id is None:
        raise AdministrationRefused(
            f"No chat from {account_id!r}: there is no such account, or the client has no "
            "address on its channel."
        )
    ensure_direct_conversation(
        connection,
        account_id=account_id,
        contact_id=contact_id,
        contact_point_id=point_id,
        now_utc_ms=now_utc_ms,
    )
