"""Owns what can be told of compound files: old Office documents, encrypted ones, installers.

It never reads a document's words: a compound file is never wholly evaluated.

Sources: MS-CFB, MS-OFFCRYPTO, MS-DOC 2.5.1, MS-XLS 2.4.117.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from contract.inspection.model import Reason
from contract.inspection.reading import Reading, Stopped
from contract.inspection.signatures import COMPOUND

LOCKED_OFFICE = "application/x-ms-office-encrypted"
_HEADER_BYTES = 512
_ENTRY_BYTES = 128
_MOST_DIRECTORY_SECTORS = 4_096
_LAST_SECTOR = 0xFFFFFFFA
_INSTALLER_CLASS = bytes.fromhex("84100c0000000000c000000000000046")
_TYPES = (
    ("worddocument", "application/msword"),
    ("workbook", "application/vnd.ms-excel"),
    ("book", "application/vnd.ms-excel"),
    ("powerpoint document", "application/vnd.ms-powerpoint"),
    ("__properties_version1.0", "application/vnd.ms-outlook"),
)
_MACROS = frozenset({"_vba_project", "_vba_project_cur", "macros"})
_FILE_PASS = 0x2F
_WORD_ENCRYPTED = 0x0100


class _Entry:
    """One stream or storage of the directory."""

    def __init__(self, raw: bytes) -> None:
        name_bytes = min(64, struct.unpack_from("<H", raw, 64)[0])
        self.name = raw[: max(0, name_bytes - 2)].decode("utf-16-le", "replace").lower()
        self.class_id = raw[80:96]
        self.first_sector = int(struct.unpack_from("<I", raw, 116)[0])


class _Sectors:
    """The file's sectors and the table that chains them."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        source.seek(0)
        header = source.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES:
            raise Stopped(Reason.DAMAGED)
        shift = struct.unpack_from("<H", header, 30)[0]
        if shift not in (9, 12):
            raise Stopped(Reason.DAMAGED)
        self._size = 1 << shift
        self.directory = int(struct.unpack_from("<I", header, 48)[0])
        self._tables: tuple[int, ...] = struct.unpack_from("<109I", header, 76)

    def read(self, number: int) -> bytes:
        self._source.seek((number + 1) * self._size)
        return self._source.read(self._size)

    def next(self, number: int) -> int:
        """Return the sector after this one; the chain's end where the table does not tell."""
        row, place = divmod(number, self._size // 4)
        if row >= len(self._tables) or self._tables[row] >= _LAST_SECTOR:
            return _LAST_SECTOR
        self._source.seek((self._tables[row] + 1) * self._size + 4 * place)
        told = self._source.read(4)
        return int(struct.unpack("<I", told)[0]) if len(told) == 4 else _LAST_SECTOR


def read_compound(source: BinaryIO, reading: Reading) -> str:
    """Note what a compound file tells of itself; return its media type. Raises Stopped."""
    sectors = _Sectors(source)
    entries = _directory(sectors)
    if entries and entries[0].class_id == _INSTALLER_CLASS:
        reading.note(Reason.EXECUTABLE)
        return "application/x-msi"
    by_name = {entry.name: entry for entry in entries}
    if "encryptedpackage" in by_name or "encryptedsummary" in by_name:
        reading.note(Reason.ENCRYPTED)
        return LOCKED_OFFICE
    if _MACROS & by_name.keys():
        reading.note(Reason.MACROS)
    reading.note(Reason.UNSUPPORTED)
    for name, media_type in _TYPES:
        if name in by_name:
            if _is_locked(name, sectors.read(by_name[name].first_sector)):
                reading.note(Reason.ENCRYPTED)
            return media_type
    return COMPOUND


def _directory(sectors: _Sectors) -> list[_Entry]:
    entries: list[_Entry] = []
    number, seen = sectors.directory, set[int]()
    while number < _LAST_SECTOR and number not in seen:
        seen.add(number)
        if len(seen) > _MOST_DIRECTORY_SECTORS:
            raise Stopped(Reason.TOO_LARGE)
        sector = sectors.read(number)
        for start in range(0, len(sector) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
            entries.append(_Entry(sector[start : start + _ENTRY_BYTES]))
        number = sectors.next(number)
    return entries


def _is_locked(name: str, first: bytes) -> bool:
    """Tell whether the first sector of a document's stream says that it is encrypted."""
    if name == "worddocument":
        return len(first) > 12 and bool(struct.unpack_from("<H", first, 10)[0] & _WORD_ENCRYPTED)
    place = 0
    while name in ("workbook", "book") and place + 4 <= len(first):
        kind, size = struct.unpack_from("<HH", first, place)
        if kind == _FILE_PASS:
            return True
        place += 4 + size
    return False
