"""Owns the identity of an imported message, by which importing twice adds nothing.

It never depends on the file's name, nor on where in the file a message stands.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable

from contract.imports.model import ImportedChat, ImportedMessage

_FIELD_END = b"\x1f"
_DIRECTION_MARKS = dict.fromkeys((0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0xFEFF))


def message_identities(chat: ImportedChat) -> tuple[str, ...]:
    """Return a SHA-256 (hex) for each message, in the chat's order.

    It covers the source, the chat, the sender, the second, the ordinal of equal messages within
    that second and the normalised text with the names of its files; a message with an id of its
    app is known by that id alone. Where the phone wrote no time zone the second is the phone's
    own, so that another choice of zone brings nothing in twice.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    found = []
    for message in chat.messages:
        if message.native_id:
            found.append(_digest((chat.source, chat.key, "id", message.native_id)))
            continue
        text = _said(message)
        second = message.local_stamp or str(message.at_utc_ms // 1000)
        place = (message.sender, second, text)
        parts = (chat.source, chat.key, message.sender, second, str(seen[place]), text)
        found.append(_digest(parts))
        seen[place] += 1
    return tuple(found)


def normalised(text: str) -> str:
    """Return a text without direction marks, line-end styles and outer blanks, in NFC."""
    unified = text.translate(_DIRECTION_MARKS).replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", unified.strip())


def _said(message: ImportedMessage) -> str:
    return "\n".join((message.kind, normalised(message.text), *message.files))


def _digest(parts: Iterable[str]) -> str:
    told = _FIELD_END.join(part.encode("utf-8", "replace") for part in parts)
    return hashlib.sha256(told).hexdigest()
