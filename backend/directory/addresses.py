"""The addresses under which clients are reached on the accounts of the firm.

It never shows an address to a client program: those see masked labels only.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select

from backend.storage.tables import (
    channel_accounts,
    contact_points,
    contacts,
    conversation_contacts,
    conversations,
)
from contract.ids import AccountId, ConversationId
from contract.wire import Channel, Mode


class ClientAddress(NamedTuple):
    """One client's address on one governed account, with name and language."""

    account_id: AccountId
    conversation_id: ConversationId
    contact_id: str
    channel: Channel
    id_type: str
    address: str
    name: str
    language: str


def governed_addresses(
    connection: Connection,
    *,
    contact_id: str | None = None,
    conversation_id: str | None = None,
    channel: Channel | None = None,
) -> tuple[ClientAddress, ...]:
    """Return the addresses of conversations on governed accounts, narrowed by what is given."""
    query = (
        select(
            conversations.c.account_id,
            conversations.c.conversation_id,
            contacts.c.contact_id,
            conversations.c.channel,
            contact_points.c.id_type,
            contact_points.c.address,
            contacts.c.display_name,
            contacts.c.language,
        )
        .join(
            conversation_contacts,
            conversation_contacts.c.conversation_id == conversations.c.conversation_id,
        )
        .join(
            contact_points,
            contact_points.c.contact_point_id == conversation_contacts.c.contact_point_id,
        )
        .join(contacts, contacts.c.contact_id == contact_points.c.contact_id)
        .join(channel_accounts, channel_accounts.c.account_id == conversations.c.account_id)
        .where(channel_accounts.c.mode == Mode.GOVERNED.value)
        .order_by(conversations.c.last_activity_utc_ms.desc())
    )
    if contact_id is not None:
        query = query.where(contacts.c.contact_id == contact_id)
    if conversation_id is not None:
        query = query.where(conversations.c.conversation_id == conversation_id)
    if channel is not None:
        query = query.where(conversations.c.channel == channel.value)
    return tuple(
        ClientAddress(*row[:3], Channel(row.channel), *row[4:]) for row in connection.execute(query)
    )
