"""Makes small Mach-O files for tests, from the numbers of <mach-o/loader.h>.

It makes nothing that runs: the files have headers and load commands, and a page to sign.
"""

from __future__ import annotations

import hashlib
import struct

CPUS = {"x86_64": 0x0100_0007, "arm64": 0x0100_000C}
LIBRARY = 6


def macho(
    architecture: str = "arm64",
    *,
    minimum: tuple[int, int] = (13, 0),
    loads: tuple[str, ...] = (),
    search_paths: tuple[str, ...] = (),
    is_signed: bool = True,
) -> bytes:
    """Return one thin library, signed ad hoc page by page unless told otherwise."""
    commands = [struct.pack("<6I", 0x32, 24, 1, minimum[0] << 16 | minimum[1] << 8, 0, 0)]
    commands += [_named(0x0C, load, struct.pack("<III", 0, 0, 0)) for load in loads]
    commands += [_named(0x8000_001C, search_path, b"") for search_path in search_paths]
    signature_command = 16 if is_signed else 0
    size = 32 + sum(map(len, commands)) + signature_command
    signature_at = -(-size // 16) * 16 + 5000  # the last page is not a whole one
    blob = b""
    if is_signed:
        commands.append(
            struct.pack("<4I", 0x1D, 16, signature_at, len(_signature(b"x" * signature_at)))
        )
    head = struct.pack(
        "<4s7I",
        b"\xcf\xfa\xed\xfe",
        CPUS[architecture],
        0,
        LIBRARY,
        len(commands),
        sum(map(len, commands)),
        0,
        0,
    )
    code = (head + b"".join(commands)).ljust(signature_at, b"\x90")
    blob = _signature(code) if is_signed else b""
    return code + blob


def fat(*thin_files: bytes) -> bytes:
    """Return thin files in one, each at the start of a page."""
    at = 0x4000
    entries, body = b"", b""
    for data in thin_files:
        (cpu,) = struct.unpack_from("<I", data, 4)
        entries += struct.pack(">5I", cpu, 0, at, len(data), 14)
        padded = data.ljust(-(-len(data) // 0x4000) * 0x4000, b"\0")
        body += padded
        at += len(padded)
    head = b"\xca\xfe\xba\xbe" + struct.pack(">I", len(thin_files)) + entries
    return head.ljust(0x4000, b"\0") + body


def _named(command: int, text: str, middle: bytes) -> bytes:
    """Return a load command that ends in a string."""
    offset = 12 + len(middle)
    size = -(-(offset + len(text) + 1) // 8) * 8
    return (struct.pack("<III", command, size, offset) + middle + text.encode()).ljust(size, b"\0")


def _signature(code: bytes) -> bytes:
    """Return an ad-hoc signature over pages of 4096 bytes (<kern/cs_blobs.h>)."""
    name = b"sample\0"
    pages = [code[at : at + 4096] for at in range(0, len(code), 4096)]
    hashes = b"".join(hashlib.sha256(page).digest() for page in pages)
    hashes_at = 44 + len(name)
    directory = (
        struct.pack(
            ">9I4BI",
            0xFADE_0C02,
            hashes_at + len(hashes),
            0x20001,
            0x2,
            hashes_at,
            44,
            0,
            len(pages),
            len(code),
            32,
            2,
            0,
            12,
            0,
        )
        + name
        + hashes
    )
    head = struct.pack(">5I", 0xFADE_0CC0, 20 + len(directory), 1, 0, 20)
    return head + directory
