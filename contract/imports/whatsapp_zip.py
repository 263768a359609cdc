"""Reads the archive WhatsApp makes of a chat: the text, and the files beside it.

It never unpacks to a disk, and takes no archive that grows beyond what a phone can export.
"""

from __future__ import annotations

import codecs
import io
import re
import struct
import zipfile
import zlib
from typing import IO, NamedTuple

from contract.imports.model import ImportRefused

MOST_TEXT_BYTES = 512 * 1024 * 1024
MOST_ENTRIES = 50_000
MOST_UNPACKED_BYTES = 20 * 1024**3
_MOST_DIRECTORY_BYTES = 16 * 1024 * 1024
_PIECE_BYTES = 1024 * 1024
_TAIL_BYTES = 65_557 + 76  # the end's record with its comment, the larger format's two before it
# What the standard library raises on damaged archives; its ValueErrors are bad places and names.
ARCHIVE_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)
_DAMAGED = "This archive is damaged or locked with a password. Export the chat once more."
_TOO_LARGE = "This archive is larger than any chat's export: it is not taken."
_TITLE = re.compile(
    "(?:WhatsApp[ -]?Chat(?: (?:with|mit|avec))?|Chat (?:de|di|do) WhatsApp (?:con|com)|"
    "Discussion WhatsApp avec|Conversa do WhatsApp com|WhatsApp-chat met|WhatsApp Chat -|"
    "与|「|Чат WhatsApp с)[ -]*(?P<name>.+)",
    re.IGNORECASE,
)
_SYSTEM_FOLDER = "__MACOSX/"


class WhatsAppArchive(NamedTuple):
    """An export: its text in UTF-8, the chat's title as far as a name tells it, the other files."""

    text: bytes
    title: str
    files: tuple[str, ...]


def read_archive(file: IO[bytes], name: str) -> WhatsAppArchive:
    """Return what an export (.zip or .txt) named `name` holds.

    Raises ImportRefused for anything that is no export of one chat.
    """
    if not zipfile.is_zipfile(file):
        file.seek(0)
        return WhatsAppArchive(_checked(file.read(MOST_TEXT_BYTES + 1)), title_of(name), ())
    check_directory(file)
    try:
        with zipfile.ZipFile(file) as archive:
            return _from_zip(archive, name)
    except ARCHIVE_FAULTS as error:
        raise ImportRefused(_DAMAGED) from error


def check_directory(file: IO[bytes]) -> None:
    """Raise ImportRefused for a list of entries that is too long to be read into memory.

    Layout: PKWARE's APPNOTE, 4.3.14 (larger format) and 4.3.16.
    """
    file.seek(max(0, file.seek(0, io.SEEK_END) - _TAIL_BYTES))
    tail = file.read(_TAIL_BYTES)
    for mark, offset, width in ((b"PK\x05\x06", 12, 4), (b"PK\x06\x06", 40, 8)):
        # Which of several marks counts is the reader's own choice: none may tell of too much.
        for at in (found.start() for found in re.finditer(re.escape(mark), tail)):
            size_bytes = int.from_bytes(tail[at + offset : at + offset + width], "little")
            is_elsewhere = width == 4 and size_bytes == 0xFFFFFFFF
            if size_bytes > _MOST_DIRECTORY_BYTES and not is_elsewhere:
                raise ImportRefused(_TOO_LARGE)
    file.seek(0)


def title_of(name: str) -> str:
    """Return the chat's title that a file's name tells, empty where it tells none."""
    stem = re.sub("\\.(zip|txt)$", "", name.rsplit("/", 1)[-1], flags=re.IGNORECASE)
    found = _TITLE.match(stem.translate({0x200E: None, 0x200F: None}).strip())
    return re.sub(" \\(\\d+\\)$", "", found["name"].strip(" -」")) if found else ""


def _from_zip(archive: zipfile.ZipFile, name: str) -> WhatsAppArchive:
    entries = [
        entry
        for entry in archive.infolist()
        if not entry.is_dir() and not entry.filename.startswith(_SYSTEM_FOLDER)
    ]
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > MOST_ENTRIES or unpacked > MOST_UNPACKED_BYTES:
        raise ImportRefused(_TOO_LARGE)
    text = _chat_text(entries)
    if text.file_size > MOST_TEXT_BYTES:
        raise ImportRefused("The chat's text is larger than 512 MB: split the export.")
    with archive.open(text) as opened:
        said = _checked(opened.read(MOST_TEXT_BYTES + 1))
    others = tuple(_base(entry) for entry in entries if entry is not text)
    return WhatsAppArchive(said, title_of(_base(text)) or title_of(name), others)


def _chat_text(entries: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    texts = [entry for entry in entries if entry.filename.lower().endswith(".txt")]
    for entry in texts:
        if _base(entry) == "_chat.txt":
            return entry
    titled = [entry for entry in texts if title_of(_base(entry))]
    found = titled or texts
    if not found:
        raise ImportRefused(
            "There is no chat in this archive. Choose the .zip WhatsApp made of one chat."
        )
    return max(found, key=lambda entry: entry.file_size)


def _base(entry: zipfile.ZipInfo) -> str:
    return entry.filename.replace("\\", "/").rsplit("/", 1)[-1]


def _checked(content: bytes) -> bytes:
    """Return a text's bytes without their mark; decoded whole it may take four times the room."""
    if len(content) > MOST_TEXT_BYTES:
        raise ImportRefused("The chat's text is larger than 512 MB: split the export.")
    try:
        decoder = codecs.getincrementaldecoder("utf-8")()
        for start in range(0, len(content), _PIECE_BYTES):
            decoder.decode(content[start : start + _PIECE_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise ImportRefused(
            "The chat's text is not in UTF-8, as WhatsApp writes it. Do not open and save the "
            "file in another program before importing it."
        ) from error
    return content.removeprefix(codecs.BOM_UTF8)
