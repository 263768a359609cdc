"""Owns what an import makes before its first message: account, clients, conversation, the entry.

It never makes one of them twice, and never changes what a person set.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from backend.archive.imports import ImportedFile, import_entry_id, record_import
from backend.directory.account_changes import add_native_account
from backend.directory.points import PointAddress, ensure_point, find_point
from backend.imports.placing import ImportedClient, Place, import_account_id
from backend.imports.rows import KnownImport
from backend.inbox.conversations import (
    add_member,
    bump_conversation,
    ensure_direct_conversation,
)
from backend.inbox.events import note_contact
from backend.storage.tables import (
    channel_accounts,
    contact_points,
    conversation_contacts,
    conversations,
)
from contract.ids import ContactPointId, ConversationId, uuid7
from contract.imports.model import ImportedChat
from contract.names import file_name, shown_name
from contract.wire import Me

# An account made for imports alone is not expected to bring more by itself: no alarm of silence.
_NEVER_SILENT_H = 100 * 366 * 24
_LABEL = "imported"


class Opened(NamedTuple):
    """What stands ready for the messages."""

    account_id: str
    conversation_id: ConversationId
    entry_id: str


def open_import(
    connection: Connection,
    me: Me,
    known: KnownImport,
    chat: ImportedChat,
    place: Place,
    now_utc_ms: int,
) -> Opened:
    """Make what is missing and archive that the file is imported; call it in one transaction."""
    account_id = place.account_id or _make_account(connection, me, place, now_utc_ms)
    status = known.status
    record_import(
        connection,
        me.firm_id,
        me.employee_id,
        ImportedFile(
            account_id=account_id,
            importer=chat.source.value,
            file_name=file_name(status.file_name),
            file_sha256=status.file_sha256,
            size_bytes=status.size_bytes,
            message_count=len(chat.messages),
        ),
        now_utc_ms,
    )
    conversation_id = _conversation(connection, me, account_id, chat, place, now_utc_ms)
    entry_id = import_entry_id(me.firm_id, account_id, status.file_sha256)
    return Opened(account_id, conversation_id, entry_id)


def _make_account(connection: Connection, me: Me, place: Place, now_utc_ms: int) -> str:
    account_id = import_account_id(me, place.channel)
    columns = channel_accounts.c
    this = columns.account_id == account_id
    if connection.execute(select(columns.account_id).where(this)).first() is None:
        add_native_account(
            connection,
            me.firm_id,
            account_id,
            place.channel,
            f"{me.display_name}’s phone",
            me.employee_id,
            me.employee_id,
            now_utc_ms,
        )
        connection.execute(
            update(channel_accounts).where(this).values(capture_limit_h=_NEVER_SILENT_H)
        )
    return account_id


def _conversation(
    connection: Connection,
    me: Me,
    account_id: str,
    chat: ImportedChat,
    place: Place,
    now_utc_ms: int,
) -> ConversationId:
    points = {
        client.point: _point(connection, me, account_id, client, now_utc_ms)
        for client in place.clients.values()
    }
    first_point, first_contact = next(iter(points.values()))
    title = shown_name(chat.title)
    if place.is_group:
        first_point = _own_point(
            connection, me, first_contact, place.thread, title or _LABEL, now_utc_ms
        )
    conversation_id = ensure_direct_conversation(
        connection,
        account_id=account_id,
        contact_id=first_contact,
        contact_point_id=first_point,
        now_utc_ms=now_utc_ms,
    )
    if place.is_group:
        _add_clients(connection, me, conversation_id, points)
        if title:
            connection.execute(
                update(conversations)
                .where(conversations.c.conversation_id == conversation_id)
                .values(title=title)
            )
    add_member(connection, conversation_id, me.employee_id, now_utc_ms)
    for _, contact_id in points.values():
        note_contact(connection, contact_id, now_utc_ms)
    bump_conversation(connection, conversation_id, now_utc_ms)
    return conversation_id


def _point(
    connection: Connection, me: Me, account_id: str, client: ImportedClient, now_utc_ms: int
) -> tuple[ContactPointId, str]:
    """Return a client's point for imports and the contact, made where they are new."""
    if client.contact_id:
        point_id = _own_point(connection, me, client.contact_id, client.point, _LABEL, now_utc_ms)
        return point_id, client.contact_id
    made = ensure_point(connection, account_id, client.point, client.display_name, now_utc_ms)
    connection.execute(
        update(contact_points)
        .where(contact_points.c.contact_point_id == made.contact_point_id)
        .values(label=_LABEL)
    )
    return made.contact_point_id, made.contact_id


def _own_point(
    connection: Connection,
    me: Me,
    contact_id: str,
    point: PointAddress,
    label: str,
    now_utc_ms: int,
) -> ContactPointId:
    known = find_point(connection, me.firm_id, point)
    if known is not None:
        return known.contact_point_id
    point_id = ContactPointId(uuid7(now_utc_ms, os.urandom(10)))
    connection.execute(
        insert(contact_points).values(
            contact_point_id=point_id,
            firm_id=me.firm_id,
            contact_id=contact_id,
            channel=point.channel.value,
            mode="native",
            id_type=point.id_type,
            address=point.address,
            label=label,
        )
    )
    return point_id


def _add_clients(
    connection: Connection,
    me: Me,
    conversation_id: ConversationId,
    points: dict[PointAddress, tuple[ContactPointId, str]],
) -> None:
    columns = conversation_contacts.c
    there = set(
        connection.execute(
            select(columns.contact_id).where(columns.conversation_id == conversation_id)
        ).scalars()
    )
    for position, (point_id, contact_id) in enumerate(points.values(), start=1):
        if contact_id in there:
            continue
        there.add(contact_id)
        connection.execute(
            insert(conversation_contacts).values(
                conversation_id=conversation_id,
                contact_point_id=point_id,
                contact_id=contact_id,
                firm_id=me.firm_id,
                position=position,
            )
        )
