"""Owns the way from an export's bytes to its chats, for each format that can be imported.

It never guesses the format: the caller says which one it is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from typing import IO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contract.imports.day_order import DayOrder
from contract.imports.line_text import is_line_title, read_line
from contract.imports.model import ImportedChat, ImportRefused, Source
from contract.imports.sms_backup import read_sms_backup
from contract.imports.telegram import read_telegram
from contract.imports.whatsapp import read_chat, take_apart
from contract.imports.whatsapp_zip import read_archive

# Formats whose chat is known by a title alone: a renamed file must not make it another chat.
KEYED_BY_TITLE = frozenset({Source.WHATSAPP_TEXT, Source.LINE_TEXT})

_Read = Callable[[IO[bytes]], tuple[ImportedChat, ...]]


def read_chats(
    file: IO[bytes], source: Source, name: str, zone: tzinfo, order: DayOrder | None = None
) -> tuple[ImportedChat, ...]:
    """Return the chats of an export that hold a message, its times read in `zone` and `order`.

    `file` must be seekable; `name` is the file's. `order` counts only where the dates leave it
    open. Raises ImportRefused.
    """
    chats: tuple[ImportedChat, ...]
    if source is Source.WHATSAPP_TEXT:
        archive = read_archive(file, name)
        taken = take_apart(archive.text)
        archive = archive._replace(text=b"")  # not held beside what came of it
        chosen = order if order in taken.order.possible else None
        chats = (read_chat(taken, zone, title=archive.title, order=chosen, files=archive.files),)
    elif source is Source.LINE_TEXT:
        chats = (read_line(file, zone),)
    else:
        chats = _of_exact_times(source)(file)
    found = tuple(chat for chat in chats if chat.messages)
    if not found:
        raise ImportRefused("There is no message in this file. Export the chat once more.")
    return found


def guessed_source(head: bytes) -> Source | None:
    """Return which format a file's first 4 KiB speak for, None where they speak for none."""
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t")
    if head.startswith(b"SQLite format 3\x00"):
        return None
    if start.startswith(b"{"):
        return Source.TELEGRAM_JSON
    if start.startswith(b"<"):
        return Source.SMS_BACKUP
    if head.startswith(b"PK\x03\x04"):
        return Source.WHATSAPP_TEXT
    first = head.decode("utf-8-sig", "ignore").split("\n", 1)[0]
    if is_line_title(first):
        return Source.LINE_TEXT
    return None if b"\x00" in head else Source.WHATSAPP_TEXT


def the_chat(chats: tuple[ImportedChat, ...], key: str) -> ImportedChat:
    """Return the chat with this key, the only one where none is asked for; raises ImportRefused."""
    if not key and len(chats) == 1:
        return chats[0]
    for chat in chats:
        if key and chat.key == key:
            return chat
    if len(chats) == 1 and chats[0].source in KEYED_BY_TITLE:
        return chats[0]
    raise ImportRefused(
        "This file holds several chats: say which one is meant."
        if not key
        else "The chat that was chosen is not in this file. Choose the file once more."
    )


def zone_named(name: str) -> tzinfo:
    """Return a time zone by its IANA name; raises ImportRefused for an unknown one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ImportRefused("This time zone is not known. Choose another.") from error


def _of_exact_times(source: Source) -> _Read:
    if source is Source.TELEGRAM_JSON:
        return read_telegram
    if source is Source.SMS_BACKUP:
        return read_sms_backup
    # Databases are rare: what reads them is loaded when one comes.
    if source is Source.IMESSAGE:
        from contract.imports.imessage import read_imessage

        return read_imessage
    from contract.imports.signal_desktop import read_signal

    return read_signal
