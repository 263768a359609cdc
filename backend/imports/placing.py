"""Owns the question where an imported chat belongs: account, conversation, and who each name is.

It never makes anything: a preview asks the same questions and must leave no trace.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, func, select

from backend.directory.people import read_contacts
from backend.directory.points import GROUP, PointAddress, find_point
from backend.storage.tables import (
    account_members,
    channel_accounts,
    contact_points,
    conversations,
    messages,
)
from contract.ids import ContactId
from contract.import_wire import UNIDENTIFIED_ID, ImportPerson, StageImport, Standing
from contract.imports.identity import message_identities
from contract.imports.model import ImportedChat, ImportRefused, Source
from contract.imports.opening import KEYED_BY_TITLE
from contract.wire import Channel, Me, Mode

CHANNEL_OF = {
    Source.WHATSAPP_TEXT: Channel.WHATSAPP,
    Source.TELEGRAM_JSON: Channel.TELEGRAM,
    Source.LINE_TEXT: Channel.LINE,
    Source.IMESSAGE: Channel.IMESSAGE,
    Source.SMS_BACKUP: Channel.SMS,
    Source.SIGNAL_DESKTOP: Channel.SIGNAL,
}
ID_TYPE = "import"  # of the contact points that imports make: no address anybody writes to
_GROUP_PREFIX = "import:"
_COMPARED = 200
_MOST_GROUPS = 100
_PRIVATE = "Nobody in this chat is a client: a private chat is not taken. Nothing was stored."


class ImportedClient(NamedTuple):
    """A client of the chat: the point imports know them by, and the contact, "" while unmade."""

    name: str
    point: PointAddress
    contact_id: ContactId
    display_name: str


class Place(NamedTuple):
    """Where a chat belongs; `thread` is the point its conversation is kept under.

    `account_id` is "" while an account has to be made for imports. `clients` by the export's name.
    """

    account_id: str
    channel: Channel
    thread: PointAddress
    is_group: bool
    clients: dict[str, ImportedClient]
    mine: frozenset[str]


class Author(NamedTuple):
    """Who wrote a message."""

    author_id: str
    name: str
    is_me: bool
    is_known: bool


def place_of(connection: Connection, me: Me, command: StageImport, chat: ImportedChat) -> Place:
    """Return where a chat belongs as its importer matched it.

    Raises ImportRefused for a private chat, a contact that is not in the importer's book, or an
    account that is not one of their native ones.
    """
    channel = CHANNEL_OF[chat.source]
    account_id = _account(connection, me, command.account_id, channel)
    named = {*chat.participants, chat.title}
    clients = {
        person.name: _client(connection, me, channel, person)
        for person in command.people
        if person.name in named and person.standing in (Standing.CONTACT, Standing.NEW_CONTACT)
    }
    if not clients:
        raise ImportRefused(_PRIVATE)
    distinct = {client.point for client in clients.values()}
    is_group = chat.is_group or len(distinct) > 1
    first = next(iter(clients.values()))
    return Place(
        account_id=account_id,
        channel=channel,
        thread=_group_point(connection, me, account_id, chat, distinct)
        if is_group
        else first.point,
        is_group=is_group,
        clients=clients,
        mine=frozenset(each.name for each in command.people if each.standing is Standing.ME),
    )


def keyed(chat: ImportedChat, place: Place) -> ImportedChat:
    """Return the chat under the key its messages' identities are made with.

    A chat that its format knows by a title alone is known by its conversation instead: the file
    may be renamed, the messages stay the same.
    """
    if chat.source not in KEYED_BY_TITLE:
        return chat
    return msgspec.structs.replace(chat, key=place.thread.address)


def author_of(place: Place, me: Me, sender: str, outgoing: bool | None) -> Author:
    """Return whom a sender stands for; a name nobody spoke of is an unidentified participant."""
    if outgoing or sender in place.mine:
        return Author(me.employee_id, me.display_name, is_me=True, is_known=True)
    client = place.clients.get(sender)
    if client is not None:
        return Author(client.contact_id, client.display_name, is_me=False, is_known=True)
    told = f"{place.thread.address}\n{sender}".encode("utf-8", "replace")
    opaque = hashlib.sha256(told).hexdigest()[:24]
    return Author(f"{UNIDENTIFIED_ID}-{opaque}", sender, is_me=False, is_known=False)


def import_account_id(me: Me, channel: Channel) -> str:
    """Return the id of the account made for an employee's imports where they have no other."""
    return f"import-{channel.value}-{me.employee_id}"


def _account(connection: Connection, me: Me, asked: str, channel: Channel) -> str:
    accounts, members = channel_accounts.c, account_members.c
    found = list(
        connection.execute(
            select(accounts.account_id)
            .join(account_members, members.account_id == accounts.account_id)
            .where(
                members.employee_id == me.employee_id,
                accounts.channel == channel.value,
                accounts.mode == Mode.NATIVE.value,
            )
            .order_by(accounts.account_id)
        ).scalars()
    )
    if asked:
        if asked not in found:
            raise ImportRefused("This account is none of your own on which people write natively.")
        return asked
    if len(found) > 1:
        raise ImportRefused("You have several phones on this channel: say which one it was.")
    return found[0] if found else ""


def _client(
    connection: Connection, me: Me, channel: Channel, person: ImportPerson
) -> ImportedClient:
    if person.standing is Standing.NEW_CONTACT:
        told = f"{me.employee_id}\n{person.name}".encode("utf-8", "replace")
        point = PointAddress(channel, ID_TYPE, f"new:{hashlib.sha256(told).hexdigest()[:32]}")
        known = find_point(connection, me.firm_id, point)
        name = person.display_name or person.name
        if known is None:
            return ImportedClient(person.name, point, ContactId(""), name)
        return ImportedClient(person.name, point, known.contact_id, known.display_name)
    found = read_contacts(connection, me.employee_id, [person.contact_id])
    if not found:
        raise ImportRefused("A client of the matching is not in your book: match them anew.")
    contact = found[0]
    point = _point_of(connection, me.firm_id, channel, contact.contact_id)
    return ImportedClient(person.name, point, contact.contact_id, contact.display_name)


def _point_of(
    connection: Connection, firm_id: str, channel: Channel, contact_id: ContactId
) -> PointAddress:
    """Return the point that imports know a contact by: the one there is, or would be."""
    columns = contact_points.c
    address = connection.execute(
        select(columns.address)
        .where(
            columns.firm_id == firm_id,
            columns.contact_id == contact_id,
            columns.channel == channel.value,
            columns.id_type == ID_TYPE,
        )
        .order_by(columns.contact_point_id)
    ).scalar()
    return PointAddress(channel, ID_TYPE, address or f"contact:{contact_id}")


def _group_point(
    connection: Connection,
    me: Me,
    account_id: str,
    chat: ImportedChat,
    clients: set[PointAddress],
) -> PointAddress:
    """Return the point of a group: one known by its title alone may be here under another."""
    told = chat.key or "\n".join(sorted(point.address for point in clients))
    told = f"{me.employee_id}\n{chat.source}\n{told}"
    opaque = hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:32]
    point = PointAddress(CHANNEL_OF[chat.source], GROUP, f"{_GROUP_PREFIX}{opaque}")
    if chat.source not in KEYED_BY_TITLE or find_point(connection, me.firm_id, point):
        return point
    return _renamed(connection, account_id, chat) or point


def _renamed(connection: Connection, account_id: str, chat: ImportedChat) -> PointAddress | None:
    """Return the group of this account that holds most of the chat's beginning already."""
    beginning = msgspec.structs.replace(chat, messages=chat.messages[:_COMPARED])
    points, known = contact_points.c, messages.c
    addresses = connection.execute(
        select(points.address)
        .join(conversations, conversations.c.thread_key == points.contact_point_id)
        .where(
            conversations.c.account_id == account_id,
            points.id_type == GROUP,
            points.address.startswith(_GROUP_PREFIX),
        )
        .order_by(conversations.c.last_activity_utc_ms.desc())
        .limit(_MOST_GROUPS)
    ).scalars()
    for address in addresses.all():
        identities = message_identities(msgspec.structs.replace(beginning, key=address))
        count = connection.execute(
            select(func.count())
            .select_from(messages)
            .where(known.account_id == account_id, known.external_id.in_(identities))
        ).scalar_one()
        if 2 * count > len(identities):
            return PointAddress(CHANNEL_OF[chat.source], GROUP, address)
    return None
