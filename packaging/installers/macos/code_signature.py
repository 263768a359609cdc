"""Checks the signature inside a Mach-O slice: each page against the hash that was signed.

It never signs, and does not judge who signed: Macs with Apple silicon end any program whose
pages differ from its signature, whoever made it.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from installers.faults import BuildFault
from installers.macos.macho import Image

# <kern/cs_blobs.h>
_SUPER_BLOB = 0xFADE_0CC0
_CODE_DIRECTORY = 0xFADE_0C02
_ALTERNATES = (0, *range(0x1000, 0x1006))  # the code directory, then those of other hashes
_DIGESTS = {1: "sha1", 2: "sha256"}
_AD_HOC = 0x2
_HARDENED = 0x1_0000


@dataclass(frozen=True, slots=True)
class Signature:
    """What a sound signature says: the signed name, and how it was signed."""

    identifier: str
    is_ad_hoc: bool
    is_hardened: bool
    pages: int


def check_signature(data: bytes, image: Image) -> Signature:
    """Check one slice's signature; raises BuildFault when it has none or a page differs."""
    if image.signature is None:
        raise BuildFault("A slice has no signature.")
    offset, size = image.signature
    blob = data[offset : offset + size]
    magic, _length, count = struct.unpack_from(">III", blob)
    if magic != _SUPER_BLOB:
        raise BuildFault("A slice's signature can't be read.")
    found: Signature | None = None
    for number in range(count):
        kind, at = struct.unpack_from(">II", blob, 12 + 8 * number)
        if kind in _ALTERNATES:
            found = _check_directory(data, blob[at:], offset)
    if found is None:
        raise BuildFault("A slice's signature covers no code.")
    return found


def _check_directory(data: bytes, directory: bytes, signature_at: int) -> Signature:
    """Compare every page with its hash, all the way to where the signature begins."""
    magic, _length, _version, flags, hashes_at, name_at = struct.unpack_from(">6I", directory)
    _special, count, limit, size, kind, _platform, page = struct.unpack_from(">3I4B", directory, 24)
    if magic != _CODE_DIRECTORY or kind not in _DIGESTS or limit > signature_at:
        raise BuildFault("A slice's signature is of a kind that can't be checked.")
    page_bytes = 1 << page if page else limit
    if count != -(-limit // page_bytes):
        raise BuildFault("A slice's signature leaves code out.")
    for number in range(count):
        end = min((number + 1) * page_bytes, limit)
        told = directory[hashes_at + number * size : hashes_at + (number + 1) * size]
        if hashlib.new(_DIGESTS[kind], data[number * page_bytes : end]).digest()[:size] != told:
            raise BuildFault(f"Page {number} of a slice is not what was signed.")
    name = directory[name_at : directory.index(b"\0", name_at)].decode()
    return Signature(name, bool(flags & _AD_HOC), bool(flags & _HARDENED), count)
