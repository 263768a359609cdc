"""Encrypts a file in chunks and reads it back, so that no chunk can be changed, moved or lacking.

It never keeps a readable byte on the disk and never holds a whole file in memory.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterator
from typing import BinaryIO

CHUNK_BYTES = 64 * 1024
_MAGIC = b"PARLEYF1"
_SALT_BYTES = 32
_TAG_BYTES = 16


class SealBroken(Exception):
    """The file is not one that was sealed whole under this key and name."""


def seal(key: bytes, name: bytes, source: BinaryIO, sink: BinaryIO) -> None:
    """Write everything `source` still holds to `sink`, encrypted for this `name`.

    AES-256-GCM by chunks under a key of this file's own; the nonce is the chunk's number and
    whether it is the last (the STREAM construction of https://eprint.iacr.org/2015/189). Raises
    OSError.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt = os.urandom(_SALT_BYTES)
    cipher = AESGCM(_file_key(key, salt))
    sink.write(_MAGIC + salt)
    number, chunk = 0, source.read(CHUNK_BYTES)
    while True:
        following = source.read(CHUNK_BYTES)
        sink.write(cipher.encrypt(_nonce(number, last=not following), chunk, name))
        if not following:
            return
        number, chunk = number + 1, following


def unseal(key: bytes, name: bytes, source: BinaryIO) -> Iterator[bytes]:
    """Yield the chunks of a sealed file; raises SealBroken, after whole chunks, and OSError."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    header = source.read(len(_MAGIC) + _SALT_BYTES)
    if len(header) != len(_MAGIC) + _SALT_BYTES or not header.startswith(_MAGIC):
        raise SealBroken("no header")
    cipher = AESGCM(_file_key(key, header[len(_MAGIC) :]))
    number, chunk = 0, source.read(CHUNK_BYTES + _TAG_BYTES)
    while True:
        following = source.read(CHUNK_BYTES + _TAG_BYTES)
        try:
            yield cipher.decrypt(_nonce(number, last=not following), chunk, name)
        except InvalidTag as error:
            raise SealBroken(f"chunk {number}") from error
        if not following:
            return
        number, chunk = number + 1, following


def _file_key(key: bytes, salt: bytes) -> bytes:
    return hmac.new(key, b"parley file" + salt, hashlib.sha256).digest()


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")
