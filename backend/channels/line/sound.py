"""Reads how long an M4A sound lasts, which LINE wants to be told.

It never decodes a sound.

Boxes: ISO/IEC 14496-12, 4.2 (box), 8.2.2 (movie header).
"""

from __future__ import annotations

_HEADER_BYTES = 8
_LONG_HEADER_BYTES = 16


def duration_ms(data: bytes) -> int | None:
    """Return the length in milliseconds, None for what is no M4A or does not tell it."""
    movie = _box(data, b"moov")
    header = None if movie is None else _box(movie, b"mvhd")
    if not header:
        return None
    # version and flags, two times, the time scale, the length: 64-bit times in version 1
    time_bytes = 8 if header[0] == 1 else 4
    at = 4 + 2 * time_bytes
    scale = int.from_bytes(header[at : at + 4], "big")
    length = header[at + 4 : at + 4 + time_bytes]
    if not scale or len(length) < time_bytes:
        return None
    return int.from_bytes(length, "big") * 1000 // scale or None


def _box(data: bytes, wanted: bytes) -> bytes | None:
    """Return what the first box of a kind holds, among those that lie side by side in `data`."""
    at = 0
    while at + _HEADER_BYTES <= len(data):
        size, header = int.from_bytes(data[at : at + 4], "big"), _HEADER_BYTES
        if size == 1:
            size, header = int.from_bytes(data[at + 8 : at + 16], "big"), _LONG_HEADER_BYTES
        elif size == 0:
            size = len(data) - at
        if size < header:
            return None
        if data[at + 4 : at + 8] == wanted:
            return data[at + header : at + size]
        at += size
    return None
