"""Owns what a Telegram message says: its text as people read it, and its files.

It never hides an address behind a word: a linked text is followed by its link.
"""

from __future__ import annotations

from backend.channels.events import MediaRef
from backend.channels.telegram import wire


def content_of(message: wire.Message) -> tuple[str, tuple[MediaRef, ...]]:
    """Return text and files; both empty for a kind that has neither."""
    text = with_links(message.text or message.caption, message.entities or message.caption_entities)
    file = _file(message)
    if file is not None:
        return text, (file,)
    if text:
        return text, ()
    if message.sticker is not None:
        return message.sticker.emoji, ()
    if message.location is not None:
        where = f"{message.location.latitude:.6f}, {message.location.longitude:.6f}"
        named = (message.venue.title, message.venue.address) if message.venue else ()
        return "\n".join(part for part in (*named, where) if part), ()
    if message.contact is not None:
        card = message.contact
        name = " ".join(part for part in (card.first_name, card.last_name) if part)
        return f"{name}: {card.phone_number}", ()
    return "", ()


def with_links(text: str, entities: list[wire.Entity]) -> str:
    """Return a text with each hidden link written behind its words."""
    links = [each for each in entities if each.type == "text_link" and each.url]
    if not links:
        return text
    units = text.encode("utf-16-le")
    for link in sorted(links, key=lambda each: each.offset, reverse=True):
        end = (link.offset + link.length) * 2
        words = units[link.offset * 2 : end].decode("utf-16-le", "replace")
        if words != link.url:
            units = units[:end] + f" ({link.url})".encode("utf-16-le") + units[end:]
    return units.decode("utf-16-le", "replace")


def _file(message: wire.Message) -> MediaRef | None:
    if message.photo:
        largest = max(message.photo, key=lambda each: each.file_size)
        return _ref(largest, f"photo-{message.message_id}.jpg", "image/jpeg")
    for kind, media_type, file in (
        ("document", "application/octet-stream", message.document),
        ("video", "video/mp4", message.video),
        ("animation", "video/mp4", message.animation),
        ("audio", "audio/mpeg", message.audio),
        ("voice", "audio/ogg", message.voice),
        ("video-note", "video/mp4", message.video_note),
    ):
        if file is not None:
            return _ref(file, f"{kind}-{message.message_id}", media_type)
    return None


def _ref(file: wire.File, name: str, media_type: str) -> MediaRef:
    return MediaRef(
        ref=file.file_id,
        name=file.file_name or name,
        media_type=file.mime_type or media_type,
        size_bytes=file.file_size,
    )
