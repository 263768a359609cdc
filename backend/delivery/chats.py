"""Owns which conversation an event of a channel belongs to.

It never joins two addresses: who is who is decided by people.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, select

from backend.channels import events
from backend.channels.contract import Account
from backend.directory.points import (
    GROUP,
    KnownPoint,
    PointAddress,
    ensure_point,
    find_point,
    masked,
)
from backend.inbox.conversations import ensure_direct_conversation
from backend.inbox.inbound import firm_of_account
from backend.storage.tables import conversations
from contract.ids import ConversationId

UNNAMED = "Group "


def chat_address(account: Account, event: events.InboundEvent) -> PointAddress:
    """Return the address a conversation belongs to: the group's, else the sender's."""
    chat = getattr(event, "chat", "")
    if chat:
        return PointAddress(account.channel, GROUP, chat)
    return PointAddress(account.channel, event.sender.id_type, event.sender.address)


def chat_name(event: events.InboundEvent) -> str:
    """Return what a new conversation is called: a group never by a member's name."""
    chat = getattr(event, "chat", "")
    if not chat:
        return event.name if isinstance(event, events.ChatNamed) else event.sender.name
    return getattr(event, "chat_name", "") or f"{UNNAMED}{masked(chat)}"


def find_chat(
    connection: Connection, account: Account, event: events.InboundEvent
) -> ConversationId | None:
    """Return the conversation an event belongs to, or None when there is none yet."""
    firm_id = firm_of_account(connection, account.account_id)
    point = find_point(connection, firm_id, chat_address(account, event))
    if point is None:
        return None
    found = connection.execute(
        select(conversations.c.conversation_id).where(
            conversations.c.account_id == account.account_id,
            conversations.c.thread_key == point.contact_point_id,
        )
    ).scalar_one_or_none()
    return None if found is None else ConversationId(found)


def chat_of(
    connection: Connection, account: Account, event: events.InboundEvent, now_utc_ms: int
) -> tuple[KnownPoint, ConversationId]:
    """Return the address and the conversation an event belongs to, made where they are new."""
    point = ensure_point(
        connection,
        account.account_id,
        chat_address(account, event),
        chat_name(event),
        now_utc_ms,
    )
    conversation_id = ensure_direct_conversation(
        connection,
        account_id=account.account_id,
        contact_id=point.contact_id,
        contact_point_id=point.contact_point_id,
        now_utc_ms=now_utc_ms,
    )
    return point, conversation_id


def actor_of(connection: Connection, account: Account, event: events.InboundEvent) -> str:
    """Return who acts in a chat: a contact's id, a lasting one for a member nobody knows.

    A group's member is no client of ours because of a reaction: no contact and no chat is made.
    """
    sender = event.sender
    firm_id = firm_of_account(connection, account.account_id)
    address = PointAddress(account.channel, sender.id_type, sender.address)
    if (known := find_point(connection, firm_id, address)) is not None:
        return known.contact_id
    told = "\0".join((firm_id, account.channel, sender.id_type, sender.address))
    return f"member-{hashlib.sha256(told.encode()).hexdigest()[:32]}"
