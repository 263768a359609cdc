"""Taking folders of the machine that built it out of a compiled file's library search path.

It touches no path that is relative to the file itself.
"""

from __future__ import annotations

import struct
from pathlib import Path

_DYNAMIC_SEGMENT = 2
_END, _STRINGS, _RPATH, _RUNPATH = 0, 5, 15, 29
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")  # ELF of 64 bits, the lowest byte first
_SEGMENT = struct.Struct("<IIQQQQQQ")
_ENTRY = struct.Struct("<qQ")


def drop_absolute_paths(path: Path) -> bool:
    """Remove a search path that names folders from `/` on; tell whether there was one.

    The entry goes, and the folder's name with it. Files that are no ELF of 64 bits are left
    as they are.
    """
    data = bytearray(path.read_bytes())
    if data[:6] != b"\x7fELF\x02\x01":
        return False
    segments = _segments(data)
    place = next(((at, size) for kind, at, _, size in segments if kind == _DYNAMIC_SEGMENT), None)
    if place is None:
        return False
    entries = [_ENTRY.unpack_from(data, at) for at in range(place[0], sum(place), _ENTRY.size)]
    strings = next((value for tag, value in entries if tag == _STRINGS), None)
    if strings is None:
        return False
    kept = []
    for tag, value in entries:
        name_at = _file_offset(segments, strings + value)
        if tag in (_RPATH, _RUNPATH) and data[name_at : name_at + 1] == b"/":
            end = data.index(b"\0", name_at)
            data[name_at:end] = bytes(end - name_at)
        else:
            kept.append((tag, value))
    if len(kept) == len(entries):
        return False
    kept += [(_END, 0)] * (len(entries) - len(kept))
    data[place[0] : sum(place)] = b"".join(_ENTRY.pack(*entry) for entry in kept)
    path.write_bytes(data)
    return True


def _segments(data: bytes | bytearray) -> list[tuple[int, int, int, int]]:
    """Return each segment's kind, offset in the file, address and size in the file."""
    header = _HEADER.unpack_from(data)
    start, size, count = header[5], header[9], header[10]
    found = []
    for number in range(count):
        kind, _, offset, address, _, size_bytes, _, _ = _SEGMENT.unpack_from(
            data, start + number * size
        )
        found.append((kind, offset, address, size_bytes))
    return found


def _file_offset(segments: list[tuple[int, int, int, int]], address: int) -> int:
    for kind, offset, start, size_bytes in segments:
        if kind == 1 and start <= address < start + size_bytes:
            return offset + address - start
    return 0
