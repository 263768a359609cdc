"""Turns wire values into the bytes of the cache's rows, and back.

It never keeps another copy: what a query needs stands in columns, the rest in one payload.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import msgspec

from contract.inspection.model import FileInspection
from contract.wire import ArchiveRef, Attachment, Contact, Conversation, Message

_ENCODER = msgspec.msgpack.Encoder()
encode = _ENCODER.encode
decode_message = msgspec.msgpack.Decoder(Message).decode
decode_conversation = msgspec.msgpack.Decoder(Conversation).decode
decode_contact = msgspec.msgpack.Decoder(Contact).decode
decode_archive_ref = msgspec.msgpack.Decoder(ArchiveRef).decode
decode_inspection = msgspec.msgpack.Decoder(FileInspection).decode
decode_attachment = msgspec.msgpack.Decoder(Attachment).decode


def id_list(ids: Iterable[str]) -> str:
    """Return ids as the JSON array of one bound value, read by `json_each`."""
    return json.dumps(list(ids))


def searched_text(message: Message) -> str:
    """Return what of a message can be found: its text and its files' names."""
    if message.deleted:
        return ""
    if not message.attachments:
        return message.text
    return "\n".join((message.text, *(file.name for file in message.attachments)))


def searched_contact(contact: Contact) -> str:
    """Return what of a contact can be found."""
    labels = (point.label for point in contact.points)
    return "\n".join((contact.display_name, contact.organisation, contact.city, *labels))
