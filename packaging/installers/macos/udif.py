"""Writes and reads Apple's disk image format (UDIF) in its zlib flavour, UDZO.

It knows sectors alone, not what volume they hold; it writes neither encryption nor licences.

The format has no public specification; the fields are those that hdiutil writes and that
dmg2img, 7-Zip and macOS read. All numbers are big-endian.
"""

from __future__ import annotations

import plistlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from installers.faults import BuildFault

SECTOR_BYTES = 512
CHUNK_SECTORS = 2048  # 1 MiB at once, as hdiutil does
_TRAILER_BYTES = 512
_ZEROS, _RAW, _ZLIB, _END = 0x0, 0x1, 0x8000_0005, 0xFFFF_FFFF
_CRC32 = (2, 32)  # kind of checksum, its bits
_WHOLE_DEVICE = 0xFFFF_FFFE
_NAME = "whole disk (Apple_HFS : 0)"
_CHUNK = struct.Struct(">II4Q")


@dataclass(frozen=True, slots=True)
class Chunk:
    """One stretch of sectors, and where its packed bytes lie in the image file."""

    kind: int
    first_sector: int
    sectors: int
    offset_bytes: int
    size_bytes: int


def write(volume: Path, target: Path) -> None:
    """Pack a raw volume into a disk image that a Mac mounts read-only.

    The volume is a whole number of sectors. Raises BuildFault when it is not.
    """
    size_bytes = volume.stat().st_size
    if size_bytes == 0 or size_bytes % SECTOR_BYTES:
        raise BuildFault(f"{volume.name} is no whole number of sectors: it is no volume.")
    with volume.open("rb") as raw, target.open("wb") as image:
        chunks, raw_crc, packed_crc = _write_chunks(raw, image)
        fork_bytes = image.tell()
        listing = _listing(chunks, size_bytes // SECTOR_BYTES, raw_crc)
        image.write(listing)
        image.write(
            _trailer(fork_bytes, len(listing), size_bytes // SECTOR_BYTES, raw_crc, packed_crc)
        )


def read(image: Path) -> bytes:
    """Return the raw volume in a disk image that `write` made, every checksum compared.

    Raises BuildFault when it isn't one, or not as it was written.
    """
    data = image.read_bytes()
    fork_bytes, listing_at, listing_bytes, sectors, packed_crc, master_crc = _read_trailer(data)
    if zlib.crc32(data[:fork_bytes]) != packed_crc:
        raise BuildFault(f"{image.name} is not as it was written.")
    table = _table(data[listing_at : listing_at + listing_bytes])
    volume = b"".join(_unpacked(data, chunk) for chunk in _chunks(table))
    told = int.from_bytes(table[72:76], "big")
    if len(volume) != sectors * SECTOR_BYTES or zlib.crc32(volume) != told:
        raise BuildFault(f"The volume in {image.name} is not what was packed.")
    if zlib.crc32(told.to_bytes(4, "big")) != master_crc:
        raise BuildFault(f"{image.name} has a wrong checksum of its checksums.")
    return volume


def _write_chunks(raw: BinaryIO, image: BinaryIO) -> tuple[list[Chunk], int, int]:
    """Write the packed sectors; return where they are and both checksums, raw and packed."""
    chunks: list[Chunk] = []
    raw_crc = packed_crc = sector = 0
    while content := raw.read(CHUNK_SECTORS * SECTOR_BYTES):
        kind, packed = _pack(content)
        sectors = len(content) // SECTOR_BYTES
        chunks.append(Chunk(kind, sector, sectors, image.tell(), len(packed)))
        image.write(packed)
        raw_crc = zlib.crc32(content, raw_crc)
        packed_crc = zlib.crc32(packed, packed_crc)
        sector += sectors
    chunks.append(Chunk(_END, sector, 0, image.tell(), 0))
    return chunks, raw_crc, packed_crc


def _pack(content: bytes) -> tuple[int, bytes]:
    if not any(content):
        return _ZEROS, b""
    packed = zlib.compress(content, 9)
    return (_ZLIB, packed) if len(packed) < len(content) else (_RAW, content)


def _listing(chunks: list[Chunk], sectors: int, raw_crc: int) -> bytes:
    """Return the property list that names the volume and its table of chunks."""
    table = struct.pack(">4sI3QII24x", b"mish", 1, 0, sectors, 0, CHUNK_SECTORS + 8, _WHOLE_DEVICE)
    table += _checksum(raw_crc) + struct.pack(">I", len(chunks))
    for one in chunks:
        place = (one.first_sector, one.sectors, one.offset_bytes, one.size_bytes)
        table += _CHUNK.pack(one.kind, 0, *place)
    entry = {"Attributes": "0x0050", "CFName": _NAME, "Data": table, "ID": "0", "Name": _NAME}
    return plistlib.dumps({"resource-fork": {"blkx": [entry]}})


def _trailer(
    fork_bytes: int, listing_bytes: int, sectors: int, raw_crc: int, packed_crc: int
) -> bytes:
    """Return the 512 bytes at the image's end by which everything else is found."""
    return (
        struct.pack(">4sIII5Q", b"koly", 4, _TRAILER_BYTES, 1, 0, 0, fork_bytes, 0, 0)
        + struct.pack(">II16x", 1, 1)  # the only segment, which needs no id
        + _checksum(packed_crc)
        + struct.pack(">QQ120x", fork_bytes, listing_bytes)
        + _checksum(zlib.crc32(raw_crc.to_bytes(4, "big")))
        + struct.pack(">IQ12x", 1, sectors)
    )


def _checksum(crc: int) -> bytes:
    return struct.pack(">III124x", *_CRC32, crc)


def _read_trailer(data: bytes) -> tuple[int, int, int, int, int, int]:
    trailer = data[-_TRAILER_BYTES:]
    if len(trailer) != _TRAILER_BYTES or trailer[:4] != b"koly":
        raise BuildFault("This is no disk image: it has no koly trailer.")
    (fork_bytes,) = struct.unpack_from(">Q", trailer, 32)
    (packed_crc,) = struct.unpack_from(">I", trailer, 88)
    listing_at, listing_bytes = struct.unpack_from(">QQ", trailer, 216)
    (master_crc,) = struct.unpack_from(">I", trailer, 360)
    (sectors,) = struct.unpack_from(">Q", trailer, 492)
    return fork_bytes, listing_at, listing_bytes, sectors, packed_crc, master_crc


def _table(listing: bytes) -> bytes:
    (entry,) = plistlib.loads(listing)["resource-fork"]["blkx"]
    table: bytes = entry["Data"]
    if table[:4] != b"mish":
        raise BuildFault("The disk image's table of chunks can't be read.")
    return table


def _chunks(table: bytes) -> Iterator[Chunk]:
    for kind, _, first, sectors, offset, size in _CHUNK.iter_unpack(table[204:]):
        if kind != _END:
            yield Chunk(kind, first, sectors, offset, size)


def _unpacked(data: bytes, chunk: Chunk) -> bytes:
    packed = data[chunk.offset_bytes : chunk.offset_bytes + chunk.size_bytes]
    if chunk.kind == _ZEROS:
        return bytes(chunk.sectors * SECTOR_BYTES)
    if chunk.kind == _ZLIB:
        return zlib.decompress(packed)
    if chunk.kind == _RAW:
        return packed
    raise BuildFault(f"The disk image holds a chunk of kind {chunk.kind:#x}, which is unknown.")
