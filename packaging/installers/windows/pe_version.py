"""The version and language that a Windows program or library says of itself.

It never changes a file and never runs it; what is no PE file simply has no version.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

_RT_VERSION = 16
_RESOURCE_DIRECTORY = 2  # its place among the optional header's data directories
_FIXED_INFO = struct.pack("<I", 0xFEEF04BD)
_MAX_FILE_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileVersion:
    """What Windows Installer's File table holds of a versioned file."""

    version: str  # four numbers, as 6.11.3.0
    language: str  # decimal language id, 0 for none


@dataclass(frozen=True, slots=True)
class _Section:
    address: int
    size_bytes: int
    offset: int


def file_version(path: Path) -> FileVersion | None:
    """Return what the version resource says; None without one or where the file is no PE.

    Format: Microsoft's "PE Format", the sections on optional headers and on resources, and
    VS_FIXEDFILEINFO.
    """
    with path.open("rb") as file:
        if file.read(2) != b"MZ":
            return None
        content = b"MZ" + file.read(_MAX_FILE_BYTES)
    try:
        return _read(content)
    except (struct.error, IndexError):
        return None


def _read(content: bytes) -> FileVersion | None:
    (header,) = struct.unpack_from("<I", content, 0x3C)
    if content[header : header + 4] != b"PE\0\0":
        return None
    count, optional_size = struct.unpack_from("<2xH12xH", content, header + 4)
    optional = header + 24
    (magic,) = struct.unpack_from("<H", content, optional)
    directories = optional + (112 if magic == 0x20B else 96)
    address, size = struct.unpack_from("<II", content, directories + 8 * _RESOURCE_DIRECTORY)
    if not size:
        return None
    table = optional + optional_size
    sections = [_section(content, table + 40 * index) for index in range(count)]
    root = _offset(sections, address)
    found = _version_entry(content, root)
    if found is None:
        return None
    language, data = found
    place, length = struct.unpack_from("<II", content, root + data)
    start = _offset(sections, place)
    return _fixed_info(content[start : start + length], language)


def _section(content: bytes, at: int) -> _Section:
    address, size_bytes, offset = struct.unpack_from("<12xIII", content, at)
    return _Section(address, size_bytes, offset)


def _offset(sections: list[_Section], address: int) -> int:
    for section in sections:
        if section.address <= address < section.address + section.size_bytes:
            return section.offset + address - section.address
    raise IndexError(address)


def _version_entry(content: bytes, root: int) -> tuple[int, int] | None:
    """Return the language and the data entry (from the root) of the first version resource."""
    kinds = dict(_entries(content, root, 0))
    if _RT_VERSION not in kinds:
        return None
    names = _entries(content, root, kinds[_RT_VERSION] & 0x7FFFFFFF)
    languages = _entries(content, root, names[0][1] & 0x7FFFFFFF)
    return languages[0]


def _entries(content: bytes, root: int, directory: int) -> list[tuple[int, int]]:
    named, numbered = struct.unpack_from("<12xHH", content, root + directory)
    first = root + directory + 16
    return [
        struct.unpack_from("<II", content, first + 8 * index) for index in range(named + numbered)
    ]


def _fixed_info(resource: bytes, language: int) -> FileVersion | None:
    at = resource.find(_FIXED_INFO)
    if at < 0:
        return None
    high, low = struct.unpack_from("<8xII", resource, at)
    version = f"{high >> 16}.{high & 0xFFFF}.{low >> 16}.{low & 0xFFFF}"
    return FileVersion(version, str(language))
