"""Owns what an event of signal-cli tells about a conversation.

It does no I/O and drops nothing a person should know of.
"""

from __future__ import annotations

import msgspec

from backend.channels.events import (
    Deleted,
    Edited,
    IdentityChange,
    InboundEvent,
    MediaRef,
    MessageEcho,
    MessageIn,
    Reaction,
    Receipt,
    Sender,
    Typing,
    Unknown,
)
from backend.channels.signal import wire
from backend.channels.signal.identities import Edits, message_id
from backend.channels.signal.stream import dedupe_key
from backend.channels.webhooks import body_key
from contract.states import DeliveryState

ID_TYPE = "uuid"
NOBODY = Sender(id_type=ID_TYPE, address="")
_LONG_TEXT = "text/x-signal-plain"  # what stands beyond the first 2,000 bytes comes as a file


def events_of(event: wire.Event, own_number: str, edits: Edits) -> tuple[InboundEvent, ...]:
    """Return what an event tells; raises msgspec.DecodeError for a shape that is not known."""
    return _Reading(event, own_number, edits).events()


def unread(raw: bytes) -> Unknown:
    """Return what stands for an event of an unknown shape: shown if it was a message."""
    try:
        told = msgspec.json.decode(raw, type=wire.BareEvent).envelope
        body = told.data_message if wire.is_there(told.data_message) else told.edit_message
        address = (told.source_uuid or told.source_number or "") if wire.is_there(body) else ""
    except (msgspec.DecodeError, ValueError):
        told, body, address = wire.BareEnvelope(), wire.ABSENT, ""
    return Unknown(
        dedupe_key=body_key(raw),
        at_utc_ms=told.timestamp,
        sender=Sender(id_type=ID_TYPE if told.source_uuid else "phone", address=address),
        type_name="message" if address else "unreadable",
        external_id=message_id(address, told.timestamp) if address else "",
        chat=_group_of(body) if address else "",
    )


def _group_of(data: bytes) -> str:
    try:
        group = msgspec.json.decode(data, type=wire.BareData).group_info
    except (msgspec.DecodeError, ValueError):
        return ""
    return group.group_id if group else ""


class _Reading:
    """One event while it is read."""

    def __init__(self, event: wire.Event, own_number: str, edits: Edits) -> None:
        self._event, self._own, self._edits = event, own_number, edits
        envelope = self._envelope = event.envelope
        self._key = dedupe_key(event)
        self._author = envelope.source_uuid or envelope.source_number or ""
        self._sender = Sender(
            id_type=ID_TYPE if envelope.source_uuid else "phone",
            address=self._author,
            name=envelope.source_name or "",
            also=_also(envelope),
        )

    def events(self) -> tuple[InboundEvent, ...]:
        envelope = self._envelope
        if self._event.exception is not None:
            return (self._closed(self._event.exception),)
        if wire.is_there(envelope.data_message):
            return self._data(envelope.data_message)
        if envelope.edit_message is not None:
            return (self._edit(envelope.edit_message),)
        if envelope.receipt_message is not None:
            return self._receipts(envelope.receipt_message)
        if envelope.typing_message is not None:
            return (self._typing(envelope.typing_message),)
        if envelope.sync_message is not None:
            return self._elsewhere(envelope.sync_message)
        if envelope.call_message is not None:
            rings = wire.is_there(envelope.call_message.offer_message)
            return (self._unknown("call"),) if rings else ()
        if wire.is_there(envelope.story_message):
            return ()  # a story is told to everyone, not to the firm
        return (self._unknown("envelope"),)

    def _closed(self, trouble: wire.Trouble) -> InboundEvent:
        if trouble.type.startswith("UntrustedIdentity") and self._author:
            return IdentityChange(
                dedupe_key=self._key,
                at_utc_ms=self._envelope.timestamp,
                sender=self._sender,
                new_address=self._author,
            )
        return self._unknown("message that could not be opened")

    def _data(self, raw: bytes) -> tuple[InboundEvent, ...]:
        data, strange = wire.read_data(raw)
        at = data.timestamp or self._envelope.timestamp
        chat = data.group_info.group_id if data.group_info else ""
        if data.reaction is not None:
            return (self._reaction(data.reaction, at, chat),)
        if data.remote_delete is not None:
            gone = self._edits.original(message_id(self._author, data.remote_delete.timestamp))
            return (
                Deleted(dedupe_key=self._key, at_utc_ms=at, sender=self._sender, external_id=gone),
            )
        text, files = text_of(data), self._files(data, chat)
        if not text and not files:
            # Without words: a timer, a group's change, a key. A kind not known here is shown.
            return (self._unknown(strange, chat),) if strange else ()
        return (
            MessageIn(
                dedupe_key=self._key,
                at_utc_ms=at,
                sender=self._sender,
                external_id=message_id(self._author, at),
                text=text,
                quote_external_id=self._quoted(data.quote, chat),
                attachments=files,
                chat=chat,
            ),
        )

    def _edit(self, edit: wire.EditMessage) -> InboundEvent:
        data = msgspec.json.decode(edit.data_message, type=wire.DataMessage)
        target = message_id(self._author, edit.target_sent_timestamp)
        return Edited(
            dedupe_key=self._key,
            at_utc_ms=data.timestamp or self._envelope.timestamp,
            sender=self._sender,
            external_id=self._edits.original(target),
            text=text_of(data),
            chat=data.group_info.group_id if data.group_info else "",
        )

    def _reaction(self, reaction: wire.Reaction, at: int, chat: str) -> InboundEvent:
        target = self._named(
            reaction.target_author_uuid,
            reaction.target_author_number,
            reaction.target_sent_timestamp,
            chat,
        )
        return Reaction(
            dedupe_key=self._key,
            at_utc_ms=at,
            sender=self._sender,
            external_id=target,
            emoji="" if reaction.is_remove else reaction.emoji,
        )

    def _receipts(self, told: wire.ReceiptMessage) -> tuple[InboundEvent, ...]:
        if not (told.is_delivery or told.is_read or told.is_viewed):
            return ()
        state = DeliveryState.DELIVERED if told.is_delivery else DeliveryState.READ
        return tuple(
            Receipt(
                dedupe_key=f"{self._author}.{timestamp}.{state.value}",
                at_utc_ms=told.when or self._envelope.timestamp,
                sender=self._sender,
                state=state,
                external_id=self._edits.original(message_id("", timestamp)),
            )
            for timestamp in told.timestamps
        )

    def _typing(self, typing: wire.TypingMessage) -> InboundEvent:
        return Typing(
            dedupe_key=self._key,
            at_utc_ms=self._envelope.timestamp,
            sender=self._sender,
            typing=typing.action == "STARTED",
            chat=typing.group_id or "",
        )

    def _elsewhere(self, sync: wire.SyncMessage) -> tuple[InboundEvent, ...]:
        """Return what the employee wrote on another device of this account."""
        if not wire.is_there(sync.sent_message):
            return ()
        to = msgspec.json.decode(sync.sent_message, type=wire.SentElsewhere)
        data = msgspec.json.decode(sync.sent_message, type=wire.DataMessage)
        chat = data.group_info.group_id if data.group_info else ""
        client = Sender(
            id_type=ID_TYPE if to.destination_uuid else "phone",
            address=to.destination_uuid or to.destination_number or "",
        )
        text, files = text_of(data), self._files(data, chat, client.address)
        if not (text or files) or not (client.address or chat):
            # A reaction, an edit or a removal on the other device: kept, though shown nowhere.
            return (self._unknown("change made on another device", sender=NOBODY),)
        return (
            MessageEcho(
                dedupe_key=self._key,
                at_utc_ms=data.timestamp or self._envelope.timestamp,
                sender=client,
                external_id=message_id("", data.timestamp or self._envelope.timestamp),
                text=text,
                attachments=files,
                chat=chat,
            ),
        )

    def _quoted(self, quote: wire.Quote | None, chat: str) -> str:
        if quote is None:
            return ""
        return self._named(quote.author_uuid, quote.author_number, quote.id, chat)

    def _named(self, author: str | None, number: str | None, timestamp: int, chat: str) -> str:
        """Return the id of a message that this one speaks of: ours, or a client's."""
        whose = author or number or ""
        ours = number == self._own or (not chat and whose != self._author)
        return self._edits.original(message_id("" if ours else whose, timestamp))

    def _files(self, data: wire.DataMessage, chat: str, other: str = "") -> tuple[MediaRef, ...]:
        owner = chat or other or self._author
        return tuple(
            MediaRef(
                ref=f"{file.id} {owner}",
                name=_file_name(file, n),
                media_type=_media_type(file),
                size_bytes=file.size or 0,
            )
            for n, file in enumerate(data.attachments or (), start=1)
            if file.id
        )

    def _unknown(self, type_name: str, chat: str = "", sender: Sender | None = None) -> Unknown:
        shown = self._sender if sender is None else sender
        at = self._envelope.timestamp
        return Unknown(
            dedupe_key=self._key,
            at_utc_ms=at,
            sender=shown,
            type_name=type_name[:64],
            external_id=message_id(self._author, at) if shown.address else "",
            chat=chat,
        )


def text_of(data: wire.DataMessage) -> str:
    """Return a message's words, people named in it by their names, a card as its lines."""
    text = data.message or ""
    units = text.encode("utf-16-le", "surrogatepass")
    for mention in sorted(data.mentions or (), key=lambda each: each.start, reverse=True):
        named = f"@{mention.name or mention.number or '?'}".encode("utf-16-le")
        start, end = mention.start * 2, (mention.start + mention.length) * 2
        units = units[:start] + named + units[end:]
    lines = [units.decode("utf-16-le", "replace")] if text else []
    for card in data.contacts or ():
        name = card.name or wire.Name()
        shown = name.display or " ".join(part for part in (name.given, name.family) if part)
        numbers = ", ".join(phone.value for phone in card.phone or () if phone.value)
        lines.append(f"{shown}: {numbers}")
    return "\n".join(lines)


def _also(envelope: wire.Envelope) -> tuple[str, str]:
    """Return the number Signal shows beside the id of the person."""
    known = envelope.source_uuid and envelope.source_number
    return ("phone", envelope.source_number or "") if known else ("", "")


def _media_type(file: wire.Attachment) -> str:
    told = file.content_type or "application/octet-stream"
    return "text/plain" if told == _LONG_TEXT else told


def _file_name(file: wire.Attachment, n: int) -> str:
    if file.content_type == _LONG_TEXT:
        return "whole-text.txt"
    return file.filename or file.id or f"file-{n}"
