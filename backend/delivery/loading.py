"""The turning of a claimed job into what a connector sends.

It never changes a row and reads a file's bytes only when the connector asks for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, or_, select
from sqlalchemy.exc import NoResultFound

from backend.archive.entries import read_entry
from backend.archive.verify import fault_of
from backend.channels.contract import OutboundFile, OutboundMessage, OutboundTemplate
from backend.delivery.claims import Claim
from backend.delivery.message_refs import read_refs
from backend.directory.confirmations import confirmation_deadline
from backend.directory.templates import filled_template
from backend.inbox.rendering import message_attachments
from backend.storage.blobs import BlobDamaged
from backend.storage.bulk import Prepared
from backend.storage.tables import (
    consents,
    contact_points,
    conversation_contacts,
    conversations,
    messages,
)
from contract.ids import AttachmentId, MessageId, idempotency_key
from contract.wire import Attachment, Channel, ConsentStatus

ReadFile = Callable[[AttachmentId], Awaitable[bytes]]
_GONE = (ConsentStatus.OPTED_OUT.value, ConsentStatus.REFUSED.value)


# Built once: asked for each message that goes out.
_quoted = messages.alias("quoted")
_SENT = Prepared(
    select(
        messages.c.text,
        messages.c.firm_id,
        _quoted.c.external_id.label("quote_external_id"),
        _quoted.c.text.label("quote_text"),
        conversations.c.channel,
        conversations.c.window_closes_at_utc_ms,
        contact_points.c.id_type,
        contact_points.c.address,
        contact_points.c.contact_id,
    )
    .join(conversations, conversations.c.conversation_id == messages.c.conversation_id)
    .join(
        conversation_contacts,
        conversation_contacts.c.conversation_id == conversations.c.conversation_id,
    )
    .join(
        contact_points,
        contact_points.c.contact_point_id == conversation_contacts.c.contact_point_id,
    )
    .outerjoin(_quoted, _quoted.c.message_id == messages.c.quote_message_id)
    .where(messages.c.message_id == bindparam("message"))
    .order_by(conversation_contacts.c.position)
    .limit(1),
    "message",
)
_OPTED_OUT = Prepared(
    select(consents.c.status)
    .where(
        consents.c.contact_id == bindparam("contact"),
        consents.c.kind == "recording",
        or_(consents.c.channel == "", consents.c.channel == bindparam("channel")),
        consents.c.status.in_(_GONE),
    )
    .limit(1),
    "contact",
    "channel",
)


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed message with its address and files as they stand in the database.

    `as_archived` tells whether text and files are those that its sealed entry commits to;
    `template_id` is the template that the entry names.
    """

    claim: Claim
    channel: Channel
    id_type: str
    address: str
    text: str
    quote_external_id: str
    quote_refs: Mapping[str, str]
    quote_text: str
    files: tuple[Attachment, ...]
    window_closes_at_utc_ms: int | None
    consented: bool
    as_archived: bool
    template_id: str
    template: OutboundTemplate | None

    def outbound(self, read_file: ReadFile) -> OutboundMessage:
        """Return what the connector gets; `read_file` returns an attachment's bytes."""
        return OutboundMessage(
            account_id=self.claim.account_id,
            channel=self.channel,
            conversation_id=self.claim.conversation_id,
            message_id=self.claim.message_id,
            revision=self.claim.revision,
            id_type=self.id_type,
            address=self.address,
            text=self.text,
            quote_external_id=self.quote_external_id,
            quote_refs=self.quote_refs,
            quote_text=self.quote_text,
            attachments=tuple(_file(item, read_file) for item in self.files),
            window_closes_at_utc_ms=self.window_closes_at_utc_ms,
            consented=self.consented,
            template_id=self.template_id,
            template=self.template,
        )


class ArchivedBody(msgspec.Struct):
    """What a submission's entry in the archive holds, as far as delivery asks for it.

    `attachments` are SHA-256s in hex.
    """

    text: str
    attachments: tuple[str, ...]
    template: str = ""


def load(connection: Connection, claim: Claim) -> Load:
    """Read what a claimed message needs to be sent: text, address, quote, files, window."""
    row = _SENT.record(connection, claim.message_id)
    if row is None:
        raise NoResultFound("a claimed message has nobody to go to")
    files = tuple(message_attachments(connection, [claim.message_id])[claim.message_id])
    body = archived_body(connection, claim.message_id, claim.revision)
    return Load(
        claim=claim,
        channel=Channel(row.channel),
        id_type=row.id_type,
        address=row.address,
        text=row.text,
        quote_external_id=row.quote_external_id or "",
        quote_refs=read_refs(connection, claim.account_id, row.quote_external_id or ""),
        quote_text=row.quote_text or "",
        files=files,
        window_closes_at_utc_ms=row.window_closes_at_utc_ms,
        consented=_may_go(connection, claim.message_id, row.contact_id, row.channel),
        as_archived=body is not None and _is_as_archived(body, row.text, files),
        template_id="" if body is None else body.template,
        template=None if body is None else _template(connection, row.firm_id, row.channel, body),
    )


def _template(
    connection: Connection, firm_id: str, channel: str, body: ArchivedBody
) -> OutboundTemplate | None:
    """Return what the vendor is told of a template; None where it is none, or was withdrawn."""
    found = (
        filled_template(connection, firm_id, body.template, channel, body.text)
        if body.template
        else None
    )
    if found is None:
        return None
    template, values = found
    return OutboundTemplate(name=template.name, language=template.language, values=values)


def archived_body(
    connection: Connection, message_id: MessageId, revision: int
) -> ArchivedBody | None:
    """Return what a submission's sound entry holds; None when there is none, or it was erased."""
    entry = read_entry(connection, idempotency_key(message_id, revision))
    if entry is None or entry.body is None or fault_of(entry, entry.sequence):
        return None
    return msgspec.json.decode(entry.body, type=ArchivedBody)


def _is_as_archived(body: ArchivedBody, text: str, files: Sequence[Attachment]) -> bool:
    """Tell whether what is about to leave is what the entry holds."""
    return body.text == text and body.attachments == tuple(file.sha256 for file in files)


def _may_go(connection: Connection, message_id: str, contact_id: str, channel: str) -> bool:
    """Tell whether consent lets a message go: an opt-out's confirmation goes in spite of it."""
    if confirmation_deadline(connection, message_id) is not None:
        return True
    return not _opted_out(connection, contact_id, channel)


def _opted_out(connection: Connection, contact_id: str, channel: str) -> bool:
    return _OPTED_OUT.first(connection, contact_id, channel) is not None


def _file(item: Attachment, read_file: ReadFile) -> OutboundFile:
    async def read() -> bytes:
        data = await read_file(item.attachment_id)
        if hashlib.sha256(data).hexdigest() != item.sha256:
            raise BlobDamaged("an attachment is not the one that was archived")
        return data

    return OutboundFile(
        attachment_id=item.attachment_id,
        name=item.name,
        media_type=item.media_type,
        size_bytes=item.size_bytes,
        sha256=item.sha256,
        read=read,
    )
