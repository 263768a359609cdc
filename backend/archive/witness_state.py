"""Owns the witness's memory on disk: its key, the log it watches and the last tree it signed.

It never answers before the disk has what it says, and never goes back to a smaller tree.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import IO, Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from contract.receipts.keys import KeyType
from contract.receipts.merkle import EMPTY_ROOT
from contract.receipts.signers import SEED_BYTES, Signer, format_private_key, parse_private_key

KEY_FILE = "witness.key"
STATE_FILE = "witness.state"
_SLOT_BYTES = 512
_NONCE_BYTES = 12
_DIGEST_CHARS = 64
_sync = getattr(os, "fdatasync", os.fsync)  # the times of the file need not be on disk


class WitnessDamaged(Exception):
    """The witness's files can't be read; the text is a plain sentence that says what to do."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """The last tree signed; `root` in hex, `log_key` is the verifier key of the log it is of."""

    log_key: str
    size: int = 0
    root: str = EMPTY_ROOT.hex()


class WitnessState:
    """A state file of two slots written in turn, so that a torn write leaves the one before."""

    def __init__(self, path: Path) -> None:
        """Open the file or make it; raises WitnessDamaged when neither slot can be read."""
        existed = path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = path.open("r+b" if existed else "w+b", buffering=0)
        self._slot = 0
        self.seen: Seen | None = None
        try:
            if existed and path.stat().st_size:
                self._slot, self.seen = _newest_of(self._file)
        except WitnessDamaged:
            self._file.close()
            raise

    def keep(self, seen: Seen) -> None:
        """Write what is about to be signed; returns once the disk has it. Raises OSError."""
        slot = 1 - self._slot
        self._file.seek(slot * _SLOT_BYTES)
        self._file.write(_as_slot(seen))
        _sync(self._file.fileno())
        self._slot, self.seen = slot, seen

    def close(self) -> None:
        """Let the file go."""
        self._file.close()


def read_seen(folder: Path) -> Seen | None:
    """Return what a witness that does not run signed last; None when it never did."""
    path = folder / STATE_FILE
    if not path.exists() or not path.stat().st_size:
        return None
    with path.open("rb") as file:
        return _newest_of(file)[1]


def load_witness_key(folder: Path, name: str, database_key: bytes) -> Signer:
    """Return the witness's own key, made at the first start and kept encrypted in `folder`.

    Raises WitnessDamaged when it can't be decrypted with this key.
    """
    path = folder / KEY_FILE
    cipher = AESGCM(_derived(database_key))
    if path.exists():
        stored = path.read_bytes()
        try:
            secret = cipher.decrypt(stored[:_NONCE_BYTES], stored[_NONCE_BYTES:], b"witness key")
        except (InvalidTag, ValueError) as error:
            raise WitnessDamaged(
                "The witness's key can't be read: the key on stdin is not the one it was kept with."
            ) from error
        return parse_private_key(secret.decode())
    folder.mkdir(parents=True, exist_ok=True)
    secret_text = format_private_key(name, KeyType.COSIGNATURE_V1, os.urandom(SEED_BYTES))
    nonce = os.urandom(_NONCE_BYTES)
    unfinished = path.with_name(path.name + ".tmp")
    with unfinished.open("wb") as file:
        unfinished.chmod(0o600)
        file.write(nonce + cipher.encrypt(nonce, secret_text.encode(), b"witness key"))
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    return parse_private_key(secret_text)


def _derived(database_key: bytes) -> bytes:
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"parley witness v1")
    return hkdf.derive(database_key)


def _as_slot(seen: Seen) -> bytes:
    text = msgspec.json.encode(seen)
    slot = hashlib.sha256(text).hexdigest().encode() + b" " + text
    if len(slot) >= _SLOT_BYTES:
        raise WitnessDamaged("The log's key is too long for a witness to remember.")
    return slot.ljust(_SLOT_BYTES - 1) + b"\n"


def _newest_of(file: IO[bytes]) -> tuple[int, Seen]:
    file.seek(0)
    found: list[tuple[int, int, Seen]] = []
    for slot in (0, 1):
        seen = _from_slot(file.read(_SLOT_BYTES))
        if seen is not None:
            found.append((seen.size, slot, seen))
    if not found:
        raise WitnessDamaged(
            "The witness's memory is damaged. Restore its folder from a copy before it signs again."
        )
    _, slot, seen = max(found, key=lambda one: one[:2])
    return slot, seen


def _from_slot(data: bytes) -> Seen | None:
    digest, _, text = data.rstrip().partition(b" ")
    if len(digest) != _DIGEST_CHARS or hashlib.sha256(text).hexdigest().encode() != digest:
        return None
    try:
        decoded: Any = msgspec.json.decode(text, type=Seen)
    except msgspec.DecodeError:
        return None
    assert isinstance(decoded, Seen)
    return decoded
