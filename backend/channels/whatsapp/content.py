"""Owns what a WhatsApp message says: its text as people read it, and its files.

It never fetches a file.
"""

from __future__ import annotations

from backend.channels.events import MediaRef
from backend.channels.whatsapp import wire


def content_of(message: wire.Message) -> tuple[str, tuple[MediaRef, ...]]:
    """Return text and files; both empty for a kind that has neither."""
    media = message.image or message.video or message.audio or message.document or message.sticker
    if media is not None:
        name = media.filename or f"{message.type}-{message.timestamp}"
        ref = MediaRef(ref=media.id, name=name, media_type=media.mime_type, size_bytes=0)
        return media.caption, (ref,)
    if message.text is not None:
        return message.text.body, ()
    if message.button is not None:
        return message.button.text, ()
    if message.interactive is not None:
        chosen = message.interactive.button_reply or message.interactive.list_reply
        return (chosen.title if chosen else ""), ()
    if message.location is not None:
        return _place(message.location), ()
    people = [
        ": ".join((one.name.formatted_name, ", ".join(phone.phone for phone in one.phones)))
        for one in message.contacts
    ]
    return "\n".join(people), ()


def words_of_edit(edit: wire.Edit) -> str:
    """Return the words of a changed message; a file's are its caption."""
    now = edit.message
    if now is None:
        return ""
    if now.text is not None:
        return now.text.body
    media = now.image or now.video or now.document
    return media.caption if media is not None else ""


def _place(place: wire.Place) -> str:
    where = f"{place.latitude:.6f}, {place.longitude:.6f}"
    return "\n".join(part for part in (place.name, place.address, where) if part)
