"""Owns what another identity on a channel changes: a group follows, a person is asked about.

It never joins two people: only what the channel itself calls the same person's is kept together.
"""

from __future__ import annotations

import os

from sqlalchemy import Connection, insert, select, update

from backend.channels import events
from backend.channels.contract import Account
from backend.directory.points import GROUP, PointAddress, find_point, masked
from backend.inbox.events import note_contact
from backend.inbox.inbound import firm_of_account
from backend.storage.tables import channel_accounts, contact_points
from contract.ids import ContactPointId, uuid7


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


def keep_together(
    connection: Connection, account: Account, sender: events.Sender, now_utc_ms: int
) -> None:
    """Keep the second address that a channel vouches for with the contact of the first.

    Nothing happens when there is none, or when either stands with a contact already that way.
    """
    id_type, address = sender.also
    if not id_type or not address or not sender.address:
        return
    firm_id = firm_of_account(connection, account.account_id)
    known = find_point(
        connection, firm_id, PointAddress(account.channel, sender.id_type, sender.address)
    )
    second = PointAddress(account.channel, id_type, address)
    if known is None or find_point(connection, firm_id, second) is not None:
        return
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
