"""Cabinet files: many files in one, compressed as Windows Installer unpacks them.

It never asks a file for its time, so that equal contents always give equal bytes.

Source: [MS-CAB], Microsoft Cabinet Format, and [MS-MCI], MSZIP. Each block of 32 KiB is one
deflate stream that may refer to the block before it. That reference is why this is here: it, with
the slowest level, makes a smaller file than the tools at hand, which begin each block anew.
"""

from __future__ import annotations

import datetime
import os
import struct
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_BLOCK_BYTES = 32768
_MSZIP, _ARCHIVE = 1, 0x20
_HEADER = struct.Struct("<4sIIIIIBBHHHHH")
_FOLDER = struct.Struct("<IHH")
_FILE = struct.Struct("<IIHHHH")
_DATA = struct.Struct("<IHH")


def write_cabinet(target: Path, files: Iterable[tuple[str, Path]], at_utc_s: int) -> None:
    """Write the named files into one cabinet, in their order and all of one time (UTC).

    Names are at most 255 ASCII signs. Whole contents are held in memory.
    """
    entries, content = b"", bytearray()
    count = 0
    date, time = _dos_time(at_utc_s)
    for name, path in files:
        data = path.read_bytes()
        entries += _FILE.pack(len(data), len(content), 0, date, time, _ARCHIVE)
        entries += name.encode("ascii") + b"\0"
        content += data
        count += 1
    blocks = _compressed(bytes(content))
    first_entry = _HEADER.size + _FOLDER.size
    first_block = first_entry + len(entries)
    size = first_block + sum(len(block) for block in blocks)
    header = _HEADER.pack(b"MSCF", 0, size, 0, first_entry, 0, 3, 1, 1, count, 0, 0, 0)
    folder = _FOLDER.pack(first_block, len(blocks), _MSZIP)
    with target.open("wb") as cabinet:
        cabinet.writelines([header, folder, entries, *blocks])


def _compressed(content: bytes) -> list[bytes]:
    """Return the blocks with their headers, compressed on all processors."""
    starts = range(0, len(content), _BLOCK_BYTES)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(lambda start: _block(content, start), starts))


def _block(content: bytes, start: int) -> bytes:
    plain = content[start : start + _BLOCK_BYTES]
    before = content[max(0, start - _BLOCK_BYTES) : start]
    packer = (
        zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, before)
        if before
        else zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    )
    packed = b"CK" + packer.compress(plain) + packer.flush()
    sizes = struct.pack("<HH", len(packed), len(plain))
    return _DATA.pack(_checksum(packed) ^ _checksum(sizes), len(packed), len(plain)) + packed


def _checksum(data: bytes) -> int:
    """Return the exclusive or of all 32-bit words; up to three last bytes count backwards."""
    whole = len(data) // 4 * 4
    words, count = int.from_bytes(data[:whole], "little"), whole // 4
    while count > 1:
        half = (count + 1) // 2
        words = (words >> (32 * half)) ^ (words & ((1 << (32 * half)) - 1))
        count = half
    return words ^ int.from_bytes(data[whole:], "big")


def _dos_time(at_utc_s: int) -> tuple[int, int]:
    """Return date and time as a cabinet holds them: from 1980 on, in steps of two seconds."""
    at = datetime.datetime.fromtimestamp(max(at_utc_s, 315532800), datetime.UTC)
    date = (at.year - 1980) << 9 | at.month << 5 | at.day
    return date, at.hour << 11 | at.minute << 5 | at.second // 2
