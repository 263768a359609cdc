"""Owns the identity of an imported message, by which importing twice adds nothing.

It never depends on the file's name, nor on where in the file a message stands.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable

from contract.imports.model import ImportedChat, ImportedKind, ImportedMessage, Source

_FIELD_END = b"\x1f"
_WITHOUT_WORDS = f"{ImportedKind.MESSAGE}\n"
_DIRECTION_MARKS = dict.fromkeys((0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0xFEFF))


def message_identities(chat: ImportedChat) -> tuple[str, ...]:
    """Return a SHA-256 (hex) for each message, in the chat's order.

    It covers the source, the chat, the sender, the second, the ordinal of equal messages within
    that second and the normalised text with the names of its files; a message with an id of its
    app is known by that id alone. Where the phone wrote no time zone the second is the phone's
    own, so that another choice of zone brings nothing in twice. A message that `is_media` is known
    without words and names, which an export without media leaves out.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    found = []
    for message in chat.messages:
        if message.native_id:
            found.append(_digest((chat.source, chat.key, "id", message.native_id)))
            continue
        text = _WITHOUT_WORDS if is_media(chat, message) else _said(message)
        place = (message.sender, second_of(message), text)
        found.append(_placed(chat, message, seen[place], text))
        seen[place] += 1
    return tuple(found)


def is_media(chat: ImportedChat, message: ImportedMessage) -> bool:
    """Tell whether another export of this chat may tell a message otherwise: with its file or not.

    WhatsApp exports a chat with its media or without, and gives no message an id.
    """
    if chat.source is not Source.WHATSAPP_TEXT or message.kind is not ImportedKind.MESSAGE:
        return False
    return bool(message.files or message.missing_files) or not normalised(message.text)


def media_identity(chat: ImportedChat, message: ImportedMessage, ordinal: int) -> str:
    """Return the identity of the `ordinal`-th media message of its sender and second."""
    return _placed(chat, message, ordinal, _WITHOUT_WORDS)


def named_identity(chat: ImportedChat, message: ImportedMessage, ordinal: int) -> str:
    """Return the identity that earlier versions gave a media message: with words and names.

    `ordinal` counts those equal in all of it within their second.
    """
    return _placed(chat, message, ordinal, _said(message))


def second_of(message: ImportedMessage) -> str:
    """Return the second in which a message was said, as its identity holds it."""
    return message.local_stamp or str(message.at_utc_ms // 1000)


def normalised(text: str) -> str:
    """Return a text without direction marks, line-end styles and outer blanks, in NFC."""
    unified = text.translate(_DIRECTION_MARKS).replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", unified.strip())


def _said(message: ImportedMessage) -> str:
    return "\n".join((message.kind, normalised(message.text), *message.files))


def _placed(chat: ImportedChat, message: ImportedMessage, ordinal: int, text: str) -> str:
    second = second_of(message)
    return _digest((chat.source, chat.key, message.sender, second, str(ordinal), text))


def _digest(parts: Iterable[str]) -> str:
    told = _FIELD_END.join(part.encode("utf-8", "replace") for part in parts)
    return hashlib.sha256(told).hexdigest()
