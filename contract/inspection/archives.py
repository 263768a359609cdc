"""Owns what the headers of 7z and RAR archives tell: whether a password locks them.

It never unpacks a member: what lies within such an archive is not evaluated.

Sources: 7zFormat.txt of the LZMA SDK; the technical notes on RAR 5.0 and RAR 4.x.
"""

from __future__ import annotations

import lzma
import struct
from typing import BinaryIO

from contract.inspection.signatures import RAR, SEVEN_ZIP

_AES_CODER = b"\x06\xf1\x07\x01"
_LZMA_CODER = b"\x03\x01\x01"
_ENCODED_HEADER = 0x17
_PACK_INFO = 0x06
_MOST_HEADER_BYTES = 4 * 1024 * 1024
_MOST_DICTIONARY_BYTES = 16 * 1024 * 1024
_RAR5 = b"Rar!\x1a\x07\x01\x00"
_RAR5_FILE, _RAR5_LOCK, _RAR5_END = 2, 4, 5
_MOST_BLOCKS = 10_000


def is_locked(media_type: str, source: BinaryIO) -> bool:
    """Tell whether an archive's headers say that its content is encrypted.

    False also where the headers can't be read: such an archive is unread either way.
    """
    source.seek(0)
    try:
        if media_type == SEVEN_ZIP:
            return _seven_zip(source)
        return media_type == RAR and _rar(source)
    except (struct.error, lzma.LZMAError, IndexError, OverflowError, OSError, ValueError):
        return False


def _seven_zip(source: BinaryIO) -> bool:
    """Look for the AES coder in the end header, unpacked where it is packed."""
    start = source.read(32)
    at, size = struct.unpack_from("<QQ", start, 12)
    if size > _MOST_HEADER_BYTES:
        return False
    source.seek(32 + at)
    header = source.read(size)
    if _AES_CODER in header:
        return True
    if not header or header[0] != _ENCODED_HEADER:
        return False
    return _AES_CODER in _unpacked_header(header, source)


def _unpacked_header(header: bytes, source: BinaryIO) -> bytes:
    """Return the LZMA-packed end header; its place, size and properties stand in `header`."""
    if header[1] != _PACK_INFO:
        return b""
    place, at = _number(header, 2)
    streams, at = _number(header, at)
    if streams != 1 or header[at] != 0x09:
        return b""
    size, at = _number(header, at + 1)
    coder = header.find(_LZMA_CODER, at)
    if coder < 0 or size > _MOST_HEADER_BYTES:
        return b""
    properties = header[coder + 4 : coder + 9]
    dictionary = struct.unpack_from("<I", properties, 1)[0]
    if dictionary > _MOST_DICTIONARY_BYTES:
        return b""
    settings: dict[str, int] = {
        "id": lzma.FILTER_LZMA1,
        "dict_size": max(4096, dictionary),
        "lc": properties[0] % 9,
        "lp": properties[0] // 9 % 5,
        "pb": properties[0] // 45,
    }
    source.seek(32 + place)
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[settings])
    return unpacker.decompress(source.read(size), _MOST_HEADER_BYTES)


def _number(content: bytes, at: int) -> tuple[int, int]:
    """Return a 7z number and the place behind it: leading ones count the bytes that follow."""
    first, mask, value = content[at], 0x80, 0
    for count in range(8):
        if not first & mask:
            return value + ((first & (mask - 1)) << (8 * count)), at + 1 + count
        value |= content[at + 1 + count] << (8 * count)
        mask >>= 1
    return value, at + 9


def _rar(source: BinaryIO) -> bool:
    return _rar5(source) if source.read(8) == _RAR5 else _rar4(source)


def _rar4(source: BinaryIO) -> bool:
    place = 7
    for _ in range(_MOST_BLOCKS):
        source.seek(place)
        block = source.read(11)
        if len(block) < 7:
            return False
        kind, flags, size = struct.unpack_from("<BHH", block, 2)
        if (kind == 0x73 and flags & 0x80) or (kind == 0x74 and flags & 0x04):
            return True
        if flags & 0x8000 or kind == 0x74:
            size += struct.unpack_from("<I", block, 7)[0]
        if size < 7 or kind == 0x7B:
            return False
        place += size
    return False


def _rar5(source: BinaryIO) -> bool:
    place = 8
    for _ in range(_MOST_BLOCKS):
        source.seek(place + 4)
        block = source.read(4096)
        size, at = _vint(block, 0)
        head_end = place + 4 + at + size
        kind, at = _vint(block, at)
        if kind == _RAR5_LOCK:
            return True
        flags, at = _vint(block, at)
        extra, at = _vint(block, at) if flags & 1 else (0, at)
        data, at = _vint(block, at) if flags & 2 else (0, at)
        if kind == _RAR5_FILE and extra and _has_lock_record(source, head_end - extra, extra):
            return True
        if size <= 0 or kind == _RAR5_END:
            return False
        place = head_end + data
    return False


def _has_lock_record(source: BinaryIO, place: int, size: int) -> bool:
    """Tell whether a file's extra area holds the record of encryption (type 1)."""
    source.seek(max(0, place))
    area, at = source.read(min(size, 65_536)), 0
    while at < len(area):
        length, after = _vint(area, at)
        kind, _ = _vint(area, after)
        if kind == 1:
            return True
        at = after + max(1, length)
    return False


def _vint(content: bytes, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, lowest first, and the place behind it."""
    value = 0
    for count in range(10):
        byte = content[at + count]
        value |= (byte & 0x7F) << (7 * count)
        if not byte & 0x80:
            return value, at + count + 1
    raise ValueError("a number without an end")
