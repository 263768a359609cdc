"""Wraps the master key with a passphrase, for sessions without a keyring.

It never keeps the passphrase and never tells how it was wrong.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import os
from pathlib import Path

import msgspec

from app.domain.errors import DiskFull, EnvironmentFault, KeyLost, PassphraseWrong, UnknownVersion

# RFC 7914; about 0.1–0.3 s and 64 MiB, so that guessing passphrases is dear.
_COST, _BLOCK_SIZE, _PARALLEL = 1 << 16, 8, 1
_MEMORY_LIMIT_BYTES = 128 << 20
_MAX_COST = 1 << 20
_SALT_BYTES = 16
_NONCE_BYTES = 12
_VERSION = 1
_PURPOSE = b"parley wrapped master key 1"


class _WrappedKey(msgspec.Struct, frozen=True):
    """The file's JSON; byte values are base64."""

    version: int
    cost: int
    salt: str
    nonce: str
    sealed: str


def wrap(path: Path, secret: bytes, passphrase: str) -> None:
    """Write a new file with the wrapped secret, flushed to the disk before it gets its name.

    Raises DiskFull, EnvironmentFault.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    sealed = AESGCM(_stretch(passphrase, salt, _COST)).encrypt(nonce, secret, _PURPOSE)
    wrapped = _WrappedKey(_VERSION, _COST, _text(salt), _text(nonce), _text(sealed))
    draft = path.with_name(f"{path.name}.new")
    try:
        with draft.open("wb") as file:
            file.write(msgspec.json.encode(wrapped))
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(0o600)
        draft.replace(path)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull(path.name) from error
        raise EnvironmentFault(f"{path.name}: {error.strerror}") from error


def unwrap(path: Path, passphrase: str) -> bytes:
    """Return the secret; raises PassphraseWrong, KeyLost (damaged file), UnknownVersion."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        wrapped = msgspec.json.decode(path.read_bytes(), type=_WrappedKey)
        salt, nonce, sealed = map(base64.b64decode, (wrapped.salt, wrapped.nonce, wrapped.sealed))
    except (msgspec.DecodeError, ValueError) as error:
        raise KeyLost(f"{path.name} can't be read") from error
    except OSError as error:
        raise EnvironmentFault(f"{path.name}: {error.strerror}") from error
    if wrapped.version > _VERSION:
        raise UnknownVersion(f"{path.name} has version {wrapped.version}")
    if not 2 <= wrapped.cost <= _MAX_COST or len(nonce) != _NONCE_BYTES:
        raise KeyLost(f"{path.name} can't be read")
    try:
        return AESGCM(_stretch(passphrase, salt, wrapped.cost)).decrypt(nonce, sealed, _PURPOSE)
    except InvalidTag as error:
        raise PassphraseWrong("the passphrase does not open the key") from error


def _stretch(passphrase: str, salt: bytes, cost: int) -> bytes:
    typed = passphrase.encode("utf-8", "replace")
    return hashlib.scrypt(
        typed,
        salt=salt,
        n=cost,
        r=_BLOCK_SIZE,
        p=_PARALLEL,
        maxmem=max(_MEMORY_LIMIT_BYTES, 256 * cost * _BLOCK_SIZE),
        dklen=32,
    )


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
