"""What an exported chat holds, whichever app it came from.

It never says which client or employee a name stands for: that is asked.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Source(StrEnum):
    """The formats that can be imported; the names stand in the archive and never change."""

    WHATSAPP_TEXT = "whatsapp_txt"
    TELEGRAM_JSON = "telegram_json"
    LINE_TEXT = "line_txt"
    IMESSAGE = "imessage_chat_db"
    SMS_BACKUP = "sms_backup_xml"
    SIGNAL_DESKTOP = "signal_desktop"


class ImportedKind(StrEnum):
    """What a line of an export is."""

    MESSAGE = "message"
    SYSTEM = "system"
    DELETED = "deleted"
    CALL = "call"


class ImportedReaction(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One person's emoji on a message; `sender` as the export names them, empty for the owner."""

    sender: str
    emoji: str


class ImportedMessage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One message of an export; it holds texts, numbers and tuples of such, so never a cycle.

    `sender` is as the export names the person, empty for a line of the app itself. `outgoing` is
    None where the export does not tell. `files` are names inside the export; `missing_files`
    counts those it mentions without holding them. `native_id` and `quoted_native_id` are the
    consumer app's own ids, empty where it gives none. `local_stamp` is the time as a phone
    without a time zone wrote it (`2026-07-21T09:01:02`), empty where the format knows UTC.
    """

    at_utc_ms: int
    sender: str
    text: str
    kind: ImportedKind = ImportedKind.MESSAGE
    outgoing: bool | None = None
    files: tuple[str, ...] = ()
    missing_files: int = 0
    edited_at_utc_ms: int | None = None
    edited: bool = False
    local_stamp: str = ""
    native_id: str = ""
    quoted_native_id: str = ""
    reactions: tuple[ImportedReaction, ...] = ()


class ImportedChat(msgspec.Struct, frozen=True, kw_only=True):
    """One chat of an export, oldest message first.

    `key` tells chats of one source apart, the same at each export where the format allows it.
    `participants` are the names that wrote, in order of appearance; `owner` is the one whose
    phone it was, empty where the export does not tell. `notes` are plain sentences on what could
    not be read as meant.
    """

    source: Source
    key: str
    title: str
    messages: tuple[ImportedMessage, ...]
    participants: tuple[str, ...] = ()
    owner: str = ""
    is_group: bool = False
    notes: tuple[str, ...] = ()


# Beyond, no calendar, no id and no database of ours holds a time.
_LATEST_UTC_MS = 7_258_118_400_000  # the year 2200


def is_placeable(at_utc_ms: float) -> bool:
    """Tell whether a time in UTC milliseconds is one at which a message can stand."""
    return 0 <= at_utc_ms < _LATEST_UTC_MS


class ImportRefused(Exception):
    """The file can't be imported; the text is a plain sentence that says what to do."""


def participants_of(messages: tuple[ImportedMessage, ...]) -> tuple[str, ...]:
    """Return the senders in the order in which they first wrote."""
    return tuple(dict.fromkeys(each.sender for each in messages if each.sender))
