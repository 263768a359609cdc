"""Owns the joining of an unknown sender to a client whom the book holds already.

It never joins two clients whom somebody knows, and of two answers about consent it keeps the
stricter one.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, exists, or_, select, update

from backend.directory.consents import contact_changed, record_consent
from backend.directory.denials import denied_contacts
from backend.inbox.conversations import conversation_row
from backend.refusals import Refused, not_found
from backend.storage.account_tables import consent_notices
from backend.storage.supervision_tables import client_accounts, gifts_given, wall_members
from backend.storage.tables import (
    consents,
    contact_points,
    contacts,
    conversation_contacts,
    conversations,
    employee_contacts,
    walls,
)
from contract.problems import ProblemCode
from contract.wire import Channel, ConsentKind, ConsentStatus, Me

_STRICT = frozenset({ConsentStatus.OPTED_OUT, ConsentStatus.REFUSED})
# What somebody has said of a client: whoever has any of it is no stranger.
_KNOWN = (
    employee_contacts.c.contact_id,
    walls.c.contact_id,
    wall_members.c.member_id,
    client_accounts.c.contact_id,
    gifts_given.c.contact_id,
)


def link_sender(
    connection: Connection, me: Me, conversation_id: str, contact_id: str, now_utc_ms: int
) -> str:
    """Give an unknown sender's addresses to a client of the asker's own book.

    Returns the id by which the sender was known until now; that contact is gone. Conversations
    take the client's name. Raises Refused when the client is not in the asker's book or a wall
    parts them, for groups, and when the sender is a client of somebody's already.
    """
    if not _is_of_book(connection, me.employee_id, contact_id):
        raise not_found("contact")
    home = conversation_row(connection, conversation_id)
    if home.is_group:
        raise Refused(ProblemCode.BAD_REQUEST, "A group is no single client: link nobody.")
    point = contact_points.c.contact_point_id == home.thread_key
    stranger = connection.execute(select(contact_points.c.contact_id).where(point)).scalar_one()
    if stranger == contact_id or _is_known(connection, stranger):
        raise Refused(
            ProblemCode.CONFLICT, "This sender is a client already: take them over without a link."
        )
    _carry_consents(connection, me, stranger, contact_id, Channel(home.channel), now_utc_ms)
    _name_conversations(connection, stranger, contact_id)
    for table in (contact_points, conversation_contacts, consent_notices):
        connection.execute(
            update(table).where(table.c.contact_id == stranger).values(contact_id=contact_id)
        )
    connection.execute(delete(consents).where(consents.c.contact_id == stranger))
    connection.execute(delete(contacts).where(contacts.c.contact_id == stranger))
    contact_changed(connection, contact_id, now_utc_ms)
    return str(stranger)


def _is_of_book(connection: Connection, employee_id: str, contact_id: str) -> bool:
    """Tell whether somebody has a client in the book whom no wall parts from them."""
    book = employee_contacts.c
    mine = book.employee_id == employee_id, book.contact_id == contact_id
    found = connection.execute(select(book.contact_id).where(*mine)).first()
    return found is not None and not denied_contacts(connection, employee_id, [contact_id])


def _is_known(connection: Connection, contact_id: str) -> bool:
    said = or_(*(exists().where(column == contact_id) for column in _KNOWN))
    return bool(connection.execute(select(said)).scalar())


def _name_conversations(connection: Connection, stranger: str, contact_id: str) -> None:
    """Call the sender's own chats as the client is called."""
    client = connection.execute(select(contacts).where(contacts.c.contact_id == contact_id)).one()
    points = select(contact_points.c.contact_point_id).where(
        contact_points.c.contact_id == stranger
    )
    connection.execute(
        update(conversations)
        .where(conversations.c.thread_key.in_(points))
        .values(title=client.display_name, initials=client.initials, color=client.color)
    )


def _carry_consents(
    connection: Connection,
    me: Me,
    stranger: str,
    contact_id: str,
    channel: Channel,
    now_utc_ms: int,
) -> None:
    """Carry what the sender answered to the client: a no always, a yes where nothing stands yet."""
    columns = consents.c
    given = connection.execute(select(consents).where(columns.contact_id == stranger)).all()
    for row in given:
        status, kind = ConsentStatus(row.status), ConsentKind(row.kind)
        stands = connection.execute(
            select(columns.status).where(
                columns.contact_id == contact_id,
                columns.kind == row.kind,
                columns.channel.in_(("", channel.value)),
            )
        ).first()
        if stands is not None and status not in _STRICT:
            continue
        everywhere = status in _STRICT and not row.channel
        record_consent(
            connection,
            contact_id=contact_id,
            kind=kind,
            status=status,
            channel=None if everywhere else Channel(row.channel or channel),
            actor_id=me.employee_id,
            at_utc_ms=row.decided_at_utc_ms or now_utc_ms,
            now_utc_ms=now_utc_ms,
            text_version=row.text_version,
        )
