"""Owns what another identity or name on a channel changes: groups follow, people are asked about.

It never joins two people: only what the channel itself calls the same person's is kept together.
"""

from __future__ import annotations

import os

from sqlalchemy import Connection, insert, select, update

from backend.channels import events
from backend.channels.contract import Account
from backend.delivery.chats import UNNAMED, chat_address, chat_name
from backend.directory.points import (
    GROUP,
    PointAddress,
    ensure_point,
    find_point,
    initials_of,
    masked,
)
from backend.inbox.conversations import bump_conversation
from backend.inbox.events import note_contact
from backend.inbox.inbound import firm_of_account
from backend.storage.tables import channel_accounts, contact_points, contacts, conversations
from contract.ids import ContactPointId, uuid7
from contract.names import shown_name

_NUMBER = "phone"


def follow_group(connection: Connection, account: Account, event: events.IdentityChange) -> bool:
    """Give a group that moved its new address, so that its conversation goes on.

    False for a person, and for a group that is not known or has both addresses already.
    """
    if event.sender.id_type != GROUP:
        return False
    firm_id = firm_of_account(connection, account.account_id)
    before = find_point(
        connection, firm_id, PointAddress(account.channel, GROUP, event.sender.address)
    )
    after = PointAddress(account.channel, GROUP, event.new_address)
    if before is None or find_point(connection, firm_id, after) is not None:
        return False
    connection.execute(
        update(contact_points)
        .where(contact_points.c.contact_point_id == before.contact_point_id)
        .values(address=event.new_address)
    )
    return True


def name_group(
    connection: Connection,
    account: Account,
    event: events.ChatNamed | events.MessageIn,
    now_utc_ms: int,
) -> None:
    """Call a group what the channel calls it; a message names only one that had no name."""
    told = isinstance(event, events.ChatNamed)
    name = shown_name(chat_name(event))
    address = chat_address(account, event)
    if address.id_type != GROUP or not name:
        return
    point = ensure_point(connection, account.account_id, address, name, now_utc_ms)
    if point.display_name == name or not (told or point.display_name.startswith(UNNAMED)):
        return
    calling = {"display_name": name, "initials": initials_of(name)}
    connection.execute(
        update(contacts).where(contacts.c.contact_id == point.contact_id).values(**calling)
    )
    homes = conversations.c.thread_key == point.contact_point_id
    connection.execute(
        update(conversations).where(homes).values(title=name, initials=initials_of(name))
    )
    for conversation_id in connection.execute(
        select(conversations.c.conversation_id).where(homes)
    ).scalars():
        bump_conversation(connection, conversation_id, now_utc_ms)
    note_contact(connection, point.contact_id, now_utc_ms)


def keep_together(
    connection: Connection, account: Account, sender: events.Sender, now_utc_ms: int
) -> bool:
    """Keep the second address that a channel vouches for with the contact of the first.

    Nothing happens when there is none, or when either stands with a contact already that way.
    False where a number's owner is another account now than the one known with it: numbers are
    given to other people, so that the new account is not kept with the old one's contact.
    """
    id_type, address = sender.also
    if not id_type or not address or not sender.address:
        return True
    firm_id = firm_of_account(connection, account.account_id)
    known = find_point(
        connection, firm_id, PointAddress(account.channel, sender.id_type, sender.address)
    )
    second = PointAddress(account.channel, id_type, address)
    if known is None:
        return True
    theirs = _addresses(connection, known.contact_id, second)
    if sender.id_type == _NUMBER and theirs and address not in theirs:
        return False
    if find_point(connection, firm_id, second) is not None:
        return True
    mode = connection.execute(
        select(channel_accounts.c.mode).where(channel_accounts.c.account_id == account.account_id)
    ).scalar_one()
    connection.execute(
        insert(contact_points).values(
            contact_point_id=ContactPointId(uuid7(now_utc_ms, os.urandom(10))),
            firm_id=firm_id,
            contact_id=known.contact_id,
            channel=account.channel,
            mode=mode,
            id_type=id_type,
            address=address,
            label=masked(address),
        )
    )
    note_contact(connection, known.contact_id, now_utc_ms)
    return True


def _addresses(connection: Connection, contact_id: str, like: PointAddress) -> set[str]:
    """Return a contact's addresses on a channel that are of one type."""
    columns = contact_points.c
    return set(
        connection.execute(
            select(columns.address).where(
                columns.contact_id == contact_id,
                columns.channel == like.channel,
                columns.id_type == like.id_type,
            )
        ).scalars()
    )
