"""Owns what a pulled message or event of WeCom's customer service tells.

It never fetches a file and never guesses who an employee in WeCom is.
"""

from __future__ import annotations

import msgspec

from backend.channels.events import (
    Deleted,
    InboundEvent,
    MediaRef,
    MessageEcho,
    MessageIn,
    Receipt,
    Sender,
    Unknown,
)
from backend.channels.webhooks import body_key
from backend.channels.wecom import wire
from backend.channels.wecom.errors import failed_because
from contract.states import DeliveryState
from contract.wire import MessageKind

_ID_TYPE = "external_userid"
_NOBODY = Sender(id_type=_ID_TYPE, address="")
_BY_EMPLOYEE = 5
_FILES = {
    "image": ("jpg", "image/jpeg"),
    "voice": ("amr", "audio/amr"),
    "video": ("mp4", "video/mp4"),
    "file": ("bin", "application/octet-stream"),
}


def read_message(raw: bytes) -> tuple[InboundEvent, ...]:
    """Return the event of a pulled message; what is not known becomes Unknown."""
    try:
        message = msgspec.json.decode(raw, type=wire.Message)
    except (msgspec.DecodeError, ValueError):
        return (unreadable(raw),)
    if message.event is not None:
        return (_happening(message, message.event),)
    return (_said(message),)


def unreadable(raw: bytes, type_name: str = "unreadable") -> Unknown:
    """Return what stands for bytes that say nothing: archived, shown to nobody."""
    return Unknown(dedupe_key=body_key(raw), at_utc_ms=0, sender=_NOBODY, type_name=type_name[:64])


def _said(message: wire.Message) -> InboundEvent:
    client = Sender(id_type=_ID_TYPE, address=message.external_userid)
    at_utc_ms = message.send_time * 1000
    text, files = _content(message)
    if message.origin == _BY_EMPLOYEE:
        return MessageEcho(
            dedupe_key=message.msgid,
            at_utc_ms=at_utc_ms,
            sender=client,
            external_id=message.msgid,
            text=text or ("" if files else message.msgtype[:64]),
            kind=MessageKind.TEXT if text or files else MessageKind.UNSUPPORTED,
            attachments=files,
        )
    if not text and not files:
        return Unknown(
            dedupe_key=message.msgid,
            at_utc_ms=at_utc_ms,
            sender=client,
            type_name=message.msgtype[:64],
            external_id=message.msgid,
        )
    return MessageIn(
        dedupe_key=message.msgid,
        at_utc_ms=at_utc_ms,
        sender=client,
        external_id=message.msgid,
        text=text,
        attachments=files,
    )


def _happening(message: wire.Message, event: wire.Event) -> InboundEvent:
    """Return what an event tells; what is no word to us is archived without being shown."""
    address = event.external_userid or message.external_userid
    client = Sender(id_type=_ID_TYPE, address=address)
    at_utc_ms = message.send_time * 1000
    if event.event_type == "msg_send_fail":
        return Receipt(
            dedupe_key=message.msgid,
            at_utc_ms=at_utc_ms,
            sender=client,
            state=DeliveryState.FAILED,
            external_id=event.fail_msgid,
            detail=failed_because(event.fail_type),
        )
    if event.event_type == "user_recall_msg" and event.recall_msgid:
        return Deleted(
            dedupe_key=message.msgid,
            at_utc_ms=at_utc_ms,
            sender=client,
            external_id=event.recall_msgid,
        )
    return Unknown(
        dedupe_key=message.msgid,
        at_utc_ms=at_utc_ms,
        sender=_NOBODY,
        type_name=f"event {event.event_type}"[:64],
    )


def _content(message: wire.Message) -> tuple[str, tuple[MediaRef, ...]]:
    if message.text is not None:
        return message.text.content, ()
    media = message.image or message.voice or message.video or message.file
    if media is not None and media.media_id and message.msgtype in _FILES:
        ending, media_type = _FILES[message.msgtype]
        name = f"{message.msgtype}-{message.msgid[:16]}.{ending}"
        ref = MediaRef(ref=media.media_id, name=name, media_type=media_type, size_bytes=0)
        return "", (ref,)
    if message.location is not None:
        place = message.location
        where = f"{place.latitude:.6f}, {place.longitude:.6f}"
        return "\n".join(part for part in (place.name, place.address, where) if part), ()
    if message.link is not None:
        page = message.link
        return "\n".join(part for part in (page.title, page.desc, page.url) if part), ()
    return "", ()
