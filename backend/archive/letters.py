"""Owns the turning of an archived communication into the letter that partner archives receive.

It never reads a live message's text: a letter says what its entry committed to.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, select

from backend.archive.mail import Letter, Party
from backend.archive.selection import Record
from backend.storage.tables import (
    attachments,
    contact_points,
    contacts,
    conversation_contacts,
    conversation_members,
    conversations,
    decisions,
    employees,
    message_versions,
    messages,
)
from contract.ids import AttachmentId
from contract.receipts.leaf import Envelope

EMPLOYEES = "employees"
_OUTCOMES = {"block": "refused", "approve": "held"}
_TAKEN_BACK = "This message was taken back. Its earlier versions stay in the archive."


class FileRef(NamedTuple):
    """A file to put into the letter once its bytes are read."""

    attachment_id: AttachmentId
    name: str
    media_type: str
    sha256: str


class Draft(NamedTuple):
    """A letter without its files' bytes, with the files it takes."""

    letter: Letter
    files: tuple[FileRef, ...]


class _Body(msgspec.Struct):
    """What bodies of communications hold; each kind leaves out what it has not."""

    text: str = ""
    justification: str = ""
    emoji: str = ""
    attachments: tuple[str, ...] = ()


def draft_letter(connection: Connection, record: Record) -> Draft | None:
    """Return the letter of a communication, or None when its body was lawfully erased."""
    if record.body is None:
        return None
    envelope = record.envelope
    body = msgspec.json.decode(record.body, type=_Body)
    message = connection.execute(
        select(messages).where(messages.c.message_id == record.message_id)
    ).one_or_none()
    conversation = connection.execute(
        select(conversations).where(conversations.c.conversation_id == record.conversation_id)
    ).one_or_none()
    people = _People.of(connection, record.conversation_id)
    sender, recipients = people.sides(envelope.actor_id, message)
    letter = Letter(
        entry_id=record.entry_id,
        entry_hash=record.leaf_hash.hex(),
        index=record.leaf_index,
        kind=record.kind,
        outcome=_outcome(connection, envelope, sender),
        channel="" if conversation is None else conversation.channel,
        title="" if conversation is None else conversation.title,
        conversation_id=record.conversation_id,
        message_id=record.message_id,
        revision=envelope.revision,
        occurred_at_utc_ms=envelope.occurred_at_utc_ms,
        archived_at_utc_ms=record.archived_at_utc_ms,
        text=_text(record.kind, body),
        sender=sender,
        recipients=recipients,
        justification=body.justification,
        answers=_first_entry(connection, record),
    )
    return Draft(letter, files_of(connection, record, body.attachments))


def files_of(
    connection: Connection, record: Record, sha256s: tuple[str, ...]
) -> tuple[FileRef, ...]:
    """Return the stored files with these hashes: the message's, else its author's uploads."""
    columns, found = attachments.c, []
    for digest in sha256s:
        mine = columns.message_id == record.message_id
        row = connection.execute(
            select(columns.attachment_id, columns.name, columns.media_type)
            .where(
                columns.sha256 == digest,
                columns.firm_id == record.firm_id,
                columns.complete,
                mine | (columns.owner_id == record.envelope.actor_id),
            )
            .order_by(mine.desc(), columns.attachment_id)
            .limit(1)
        ).one_or_none()
        if row is not None:
            found.append(FileRef(AttachmentId(row.attachment_id), row.name, row.media_type, digest))
    return tuple(found)


def attachment_hashes(body: bytes) -> tuple[str, ...]:
    """Return the hex SHA-256 of each file that a body names."""
    try:
        return msgspec.json.decode(body, type=_Body).attachments
    except msgspec.DecodeError:
        return ()


class _People(NamedTuple):
    """Who takes part in a conversation."""

    inside: dict[str, Party]
    outside: dict[str, list[Party]]

    @classmethod
    def of(cls, connection: Connection, conversation_id: str) -> _People:
        members, points = conversation_members.c, conversation_contacts.c
        inside = {
            row.employee_id: Party(row.display_name, row.employee_id, EMPLOYEES)
            for row in connection.execute(
                select(employees.c.employee_id, employees.c.display_name)
                .join(conversation_members, members.employee_id == employees.c.employee_id)
                .where(members.conversation_id == conversation_id)
                .order_by(employees.c.employee_id)
            )
        }
        outside: dict[str, list[Party]] = {}
        for row in connection.execute(
            select(
                contacts.c.contact_id,
                contacts.c.display_name,
                contact_points.c.address,
                contact_points.c.channel,
            )
            .join(conversation_contacts, points.contact_id == contacts.c.contact_id)
            .join(contact_points, contact_points.c.contact_point_id == points.contact_point_id)
            .where(points.conversation_id == conversation_id)
            .order_by(points.position, points.contact_point_id)
        ):
            party = Party(row.display_name, row.address, row.channel)
            outside.setdefault(row.contact_id, []).append(party)
        return cls(inside, outside)

    def sides(self, actor_id: str, message: Row[Any] | None) -> tuple[Party, tuple[Party, ...]]:
        """Return who acted and everyone on the other side."""
        clients = tuple(party for points in self.outside.values() for party in points)
        if actor_id in self.outside:
            sender = self.outside[actor_id][0]
            if message is not None and message.author_id == actor_id and message.author_name:
                sender = Party(message.author_name, sender.address, sender.realm)
            return sender, tuple(self.inside.values())
        if message is not None and message.direction == "in" and actor_id == message.author_id:
            return Party(message.author_name, actor_id, "contacts"), tuple(self.inside.values())
        return self.inside.get(actor_id) or Party("", actor_id, EMPLOYEES), clients


def _outcome(connection: Connection, envelope: Envelope, sender: Party) -> str:
    if sender.realm != EMPLOYEES:
        return "received"
    if envelope.kind != "message_out":
        return "sent"
    columns = decisions.c
    row = connection.execute(
        select(columns.action, columns.justification).where(
            columns.message_id == envelope.message_id, columns.revision == envelope.revision
        )
    ).first()
    if row is None:
        return "sent"
    if row.action == "justify" and not row.justification.strip():
        return "refused"
    return _OUTCOMES.get(row.action, "sent")


def _text(kind: str, body: _Body) -> str:
    if kind == "deleted":
        return _TAKEN_BACK
    if kind == "reaction":
        return f"Reaction: {body.emoji}" if body.emoji else "Reaction taken back."
    return body.text


def _first_entry(connection: Connection, record: Record) -> str:
    """Return the entry of the message's first version, empty when the record is that itself."""
    columns = message_versions.c
    first = connection.execute(
        select(columns.entry_id).where(columns.message_id == record.message_id, columns.n == 1)
    ).scalar()
    return "" if first is None or first == record.entry_id else first
