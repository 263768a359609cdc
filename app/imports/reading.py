"""Reads an export on this computer, whichever of the formats it is, before anything is uploaded.

It never unpacks to a disk, never changes the file, and blocks: it belongs on a worker thread.
"""

from __future__ import annotations

import hashlib
import io
import re
import threading
from collections.abc import Callable, Iterable
from datetime import tzinfo
from pathlib import Path
from typing import IO, TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.domain.errors import Refused
from app.domain.imports import DateReadings, Export, ReadAs
from contract.import_wire import MOST_FILE_BYTES
from contract.imports.day_order import FoundOrder, moment_of
from contract.imports.line_heads import Head
from contract.imports.messages_zip import holds_messages
from contract.imports.model import ImportedChat, ImportRefused, Source
from contract.imports.opening import read_chats
from contract.imports.telegram_zip import holds_telegram
from contract.imports.whatsapp import read_chat, take_apart
from contract.imports.whatsapp_zip import read_archive

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_HEAD_BYTES = 4_096
_READ_SHARE = 2 / 3
_ZIP, _SQLITE = b"PK\x03\x04", b"SQLite format 3\x00"
_LINE_MARKS = (
    "[LINE]",
    "Chat history ",
    "のトーク履歴",
    "的聊天",
    "대화",
    "ประวัติการแชท",
)
_ENCRYPTED_NAME = re.compile("\\.crypt\\d+$", re.IGNORECASE)
_NOT_AN_EXPORT = (
    "This file is no chat that Parley can read. Export the chat in WhatsApp, Telegram Desktop, "
    "LINE or SMS Backup & Restore and choose the file it makes."
)
_WEB_PAGE = (
    "This is a web page, which leaves out much of a chat. In Telegram Desktop export the chat once "
    "more and choose the format “Machine-readable JSON”."
)
_ENCRYPTED = (
    "This is an encrypted backup of WhatsApp, which only the phone can open. Open the chat in "
    "WhatsApp, choose “Export chat”, and take the file it makes."
)
_NO_DATABASE = (
    "This database is none that Parley can read. For iMessage quit Messages on the Mac and choose "
    "a copy of chat.db from the folder Library/Messages of your home."
)
_FOLDER = (
    "This is a folder. Choose the file that the export made. For iMessage zip chat.db with the "
    "folder Attachments beside it, and choose the zip."
)
TOO_LARGE = (
    f"This file is larger than {MOST_FILE_BYTES // 1024**3} GB. Export the chat without media, or "
    "a shorter time of it."
)

Progress = Callable[[float], None]


class ReadingStopped(Exception):
    """The person stopped the reading."""


class Watch:
    """Tells how far a reading is (0 to 1) and stops it when asked; safe from any thread."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Have the reading end at its next step."""
        self._stopped.set()

    def reached(self, fraction: float) -> None:
        """Note how far it is; raises ReadingStopped once it was stopped."""
        if self._stopped.is_set():
            raise ReadingStopped
        self._progress(min(1.0, fraction))


def read_export(path: Path, read_as: ReadAs, watch: Watch) -> Export:
    """Return what a file holds, its times read as `read_as` says.

    Raises Refused with a plain sentence for a file that is no export, locked, damaged, too large
    or not readable; ReadingStopped once `watch` was stopped.
    """
    try:
        size_bytes = path.stat().st_size
        if _ENCRYPTED_NAME.search(path.name):
            raise Refused(_ENCRYPTED)
        if size_bytes == 0:
            raise Refused("This file is empty. Export the chat once more.")
        with io.BufferedReader(_Watched(path, size_bytes, watch)) as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            head = file.read(len(_ZIP))
            file.seek(0)
            read = _read(file, path.name, read_as)
    except ImportRefused as refused:
        raise Refused(str(refused)) from refused
    except IsADirectoryError as fault:
        raise Refused(_FOLDER) from fault
    except OSError as fault:
        raise Refused(f"The file can’t be read: {fault.strerror}.") from fault
    chats, order, heads = read
    if not any(chat.messages for chat in chats):
        raise Refused("There is no message in this file. Export the chat once more.")
    has_others = chats[0].source is Source.IMESSAGE and head == _ZIP
    if len(chats) == 1 and size_bytes > MOST_FILE_BYTES and not has_others:
        raise Refused(TOO_LARGE)
    return Export(
        path=path,
        size_bytes=size_bytes,
        sha256=sha256,
        chats=tuple(chat for chat in chats if chat.messages),
        has_zone=not any(chat.messages[0].local_stamp for chat in chats if chat.messages),
        order=order,
        readings=None if order is None or order.is_sure else _readings(heads, order),
        has_others=has_others,
    )


_Read = tuple[tuple[ImportedChat, ...], FoundOrder | None, tuple[Head, ...]]


def _read(file: IO[bytes], name: str, read_as: ReadAs) -> _Read:
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    source, zone = _source_of(head), zone_of(read_as.zone)
    if head.startswith(_ZIP) and holds_telegram(file):
        source = Source.TELEGRAM_JSON
    elif head.startswith(_ZIP) and holds_messages(file):
        return read_chats(file, Source.IMESSAGE, name, zone), None, ()
    if source is Source.WHATSAPP_TEXT:
        return _read_whatsapp(file, name, zone, read_as)
    try:
        return read_chats(file, source, name, zone), None, ()
    except ImportRefused:
        if source is not Source.IMESSAGE:
            raise
    # Databases look alike from outside: the other one whose format is known is tried, too.
    file.seek(0)
    try:
        return read_chats(file, Source.SIGNAL_DESKTOP, name, zone), None, ()
    except ImportRefused as refused:
        raise Refused(_NO_DATABASE) from refused


def _source_of(head: bytes) -> Source:
    """Return the format a file has by its first bytes; raises Refused for one that has none."""
    if head.startswith(_SQLITE):
        return Source.IMESSAGE
    if head.startswith(_ZIP):
        return Source.WHATSAPP_TEXT
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t")
    if start[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise Refused(_WEB_PAGE)
    if start.startswith(b"{"):
        return Source.TELEGRAM_JSON
    if start.startswith(b"<"):
        return Source.SMS_BACKUP
    if b"\x00" in head:
        raise Refused(_NOT_AN_EXPORT)
    return Source.LINE_TEXT if _says_line(head) else Source.WHATSAPP_TEXT


def _read_whatsapp(file: IO[bytes], name: str, zone: tzinfo, read_as: ReadAs) -> _Read:
    archive = read_archive(file, name)
    taken = take_apart(archive.text)
    archive = archive._replace(text=b"")  # not held beside what came of it
    chosen = read_as.order if read_as.order in taken.order.possible else None
    chat = read_chat(taken, zone, title=archive.title, order=chosen, files=archive.files)
    return (chat,), taken.order, tuple(line.head for line in taken.lines)


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its IANA name; raises Refused for an unknown one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as fault:
        raise Refused("This computer does not know that time zone. Choose another.") from fault


def _says_line(head: bytes) -> bool:
    first = head.decode("utf-8-sig", "ignore").split("\n", 1)[0]
    return any(mark in first for mark in _LINE_MARKS)


def _readings(heads: Iterable[Head], order: FoundOrder) -> DateReadings | None:
    """Return the first date that really gives another day in another order."""
    for head in heads:
        found = [(each, moment_of(head, each)) for each in order.possible]
        days = tuple((each, moment.date()) for each, moment in found if moment is not None)
        if not head.is_ordered and len({day for _, day in days}) > 1:
            return DateReadings("/".join(f"{number:02d}" for number in head.numbers), days)
    return None


class _Watched(io.FileIO):
    """A file whose every read tells how far it is."""

    def __init__(self, path: Path, size_bytes: int, watch: Watch) -> None:
        super().__init__(path, "rb")
        self._size_bytes = size_bytes
        self._read_bytes = 0
        self._watch = watch

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        # Read once for its hash, once for its chats; taking these apart is the last third.
        self._watch.reached(min(_READ_SHARE, self._read_bytes / (3 * self._size_bytes)))
        count = super().readinto(buffer)
        self._read_bytes += count or 0
        return count
