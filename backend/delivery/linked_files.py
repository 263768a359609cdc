"""Owns what a vendor's link leads to: the archived file of a message that went out, or nothing.

It never reads a byte of a file, and never believes a token: its caller has checked it.
"""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, insert, select

from backend.delivery.loading import archived_body
from backend.inbox.uploads import StoredAttachment, stored_attachment
from backend.storage.custody_tables import erased_messages
from backend.storage.tables import attachments, attempts, jobs, messages, properties
from contract.ids import MessageId
from contract.states import DeliveryState

_KEY_BYTES = 32
_KEY = "media.link_key"
_GOES_OR_WENT = (
    DeliveryState.QUEUED,  # an attempt was made, and the next one waits
    DeliveryState.SENDING,
    DeliveryState.UNKNOWN,
    DeliveryState.ACCEPTED,
    DeliveryState.SENT,
    DeliveryState.DELIVERED,
    DeliveryState.READ,
)


def link_key(connection: Connection) -> bytes:
    """Return the workspace's key of links, made at the first call; the database is encrypted."""
    columns = properties.c
    kept = connection.execute(
        select(columns.value).where(columns.name == _KEY)
    ).scalar_one_or_none()
    if kept is None:
        kept = secrets.token_hex(_KEY_BYTES)
        connection.execute(insert(properties).values(name=_KEY, value=kept))
    return bytes.fromhex(kept)


def linked_file(
    connection: Connection, attachment_id: str, attempt_id: str
) -> StoredAttachment | None:
    """Return the file of the message that an attempt sends or sent, None once it may not be had.

    The message's sealed entry must name the file, neither may be erased, nor it taken back.
    """
    row = connection.execute(
        select(attachments, jobs.c.revision)
        .join(messages, messages.c.message_id == attachments.c.message_id)
        .join(jobs, jobs.c.message_id == messages.c.message_id)
        .join(attempts, attempts.c.job_id == jobs.c.job_id)
        .outerjoin(erased_messages, erased_messages.c.message_id == messages.c.message_id)
        .where(
            attachments.c.attachment_id == attachment_id,
            attempts.c.attempt_id == attempt_id,
            attachments.c.complete.is_(True),
            messages.c.state.in_(_GOES_OR_WENT),
            messages.c.deleted.is_(False),
            erased_messages.c.message_id.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    body = archived_body(connection, MessageId(row.message_id), row.revision)
    if body is None or row.sha256 not in body.attachments:
        return None
    return stored_attachment(connection, row)
