"""The public keys of logs and witnesses, as C2SP verifier keys, and what each kind signs.

It holds no private key.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from contract.receipts.checkpoints import (
    MAX_TIMESTAMP_S,
    cosignature_v1_message,
    parse_checkpoint,
    subtree_v1_message,
)
from contract.receipts.encoding import decode_base64, encode_base64
from contract.receipts.errors import FaultCode, NoteError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

KEY_ID_BYTES = 4
TIMESTAMP_BYTES = 8


class KeyType(IntEnum):
    """The signature types of C2SP signed-note that Parley knows."""

    ED25519 = 0x01
    COSIGNATURE_V1 = 0x04
    ML_DSA_44 = 0x06

    @property
    def timestamped(self) -> bool:
        """Tell whether its signatures are cosignatures of a checkpoint, with a time."""
        return self is not KeyType.ED25519

    @property
    def public_key_bytes(self) -> int:
        """Return how long its public keys are."""
        return 1312 if self is KeyType.ML_DSA_44 else 32

    @property
    def signature_bytes(self) -> int:
        """Return how long its signatures are, without the time."""
        return 2420 if self is KeyType.ML_DSA_44 else 64


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The name and public key of one signer; `key_id` follows from them.

    Raises NoteError with KEY_MALFORMED for a name with spaces, plus signs or control
    characters, and for a public key of another length than its type has.
    """

    name: str
    key_type: KeyType
    public_key: bytes
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Check the parts and compute the key id."""
        check_key_name(self.name)
        if len(self.public_key) != self.key_type.public_key_bytes:
            raise key_malformed("the public key has another length than its type")
        material = b"%b\n%c%b" % (self.name.encode("utf-8"), self.key_type, self.public_key)
        object.__setattr__(self, "key_id", hashlib.sha256(material).digest()[:KEY_ID_BYTES])

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Return the key that `name+hexid+base64` stands for; raises NoteError."""
        name, key_id, material = split_key(text)
        try:
            key_type = KeyType(material[0])
        except ValueError as error:
            raise NoteError(
                FaultCode.KEY_UNSUITABLE, "the verifier key is of a type Parley does not know"
            ) from error
        key = cls(name, key_type, material[1:])
        if key.key_id.hex() != key_id:
            raise key_malformed("its id does not belong to its name and public key")
        return key

    def __str__(self) -> str:
        """Return the key as `name+hexid+base64`."""
        material = bytes((self.key_type,)) + self.public_key
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(material)}"


def log_name(instance_id: str) -> str:
    """Return the name of a new installation's log key, its own among all: 20 characters.

    Names stand in every receipt, the log's twice, so they are short; 64 bits of a hash of the
    installation's id tell logs apart. A key keeps the name it was made with.
    """
    digest = hashlib.sha256(instance_id.encode("utf-8")).digest()
    return "parley/" + _opaque(digest[:8])


def witness_name(random: bytes) -> str:
    """Return the name of a new witness from 3 random bytes: 13 characters.

    It tells the witnesses of one log apart; the key id tells all keys apart.
    """
    return "witness/" + _opaque(random[:3])


def _opaque(data: bytes) -> str:
    return base64.b32encode(data).decode("ascii").rstrip("=").lower()


def check_key_name(name: str) -> None:
    """Raise NoteError unless `name` may name a key (C2SP signed-note)."""
    if not _is_key_name(name):
        raise key_malformed("a key's name must hold no spaces, plus signs or control characters")


def split_key(text: str) -> tuple[str, str, bytes]:
    """Return name, hex key id and material of `name+hexid+base64`; raises NoteError."""
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise key_malformed("a key is written name+id+base64")
    try:
        material = decode_base64(parts[2])
    except ValueError as error:
        raise key_malformed(str(error)) from error
    if not material:
        raise key_malformed("its last part is empty")
    return parts[0], parts[1], material


def key_malformed(why: str) -> NoteError:
    """Return the error of a key that can't be one."""
    return NoteError(FaultCode.KEY_MALFORMED, f"this is not a key: {why}")


def message_to_sign(key: VerifierKey, text: bytes, at_utc_s: int) -> bytes:
    """Return the bytes that the owner of `key` signs for a note with this text.

    `at_utc_s` is Unix time in seconds; Ed25519 keys of type 01 have none, theirs is the text
    itself. Raises NoteError when the key signs checkpoints only and the text is none.
    """
    if key.key_type is KeyType.ED25519:
        return text
    if not 0 <= at_utc_s <= MAX_TIMESTAMP_S:
        raise NoteError(FaultCode.NOTE_MALFORMED, "the time of a cosignature is out of range")
    checkpoint = parse_checkpoint(text)
    if key.key_type is KeyType.COSIGNATURE_V1:
        return cosignature_v1_message(text, at_utc_s)
    return subtree_v1_message(key.name, checkpoint, at_utc_s)


def is_signed(key: VerifierKey, message: bytes, signature: bytes) -> bool:
    """Tell whether `signature`, without its time, is that of `key` over `message`."""
    from cryptography.exceptions import InvalidSignature

    if len(signature) != key.key_type.signature_bytes:
        return False
    try:
        if key.key_type is KeyType.ML_DSA_44:
            _ml_dsa_44_key(key.public_key).verify(signature, message)
        else:
            _ed25519_key(key.public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=64)
def _ed25519_key(public_key: bytes) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(public_key)


@lru_cache(maxsize=64)
def _ml_dsa_44_key(public_key: bytes) -> MLDSA44PublicKey:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

    return MLDSA44PublicKey.from_public_bytes(public_key)


@lru_cache(maxsize=256)
def _is_key_name(name: str) -> bool:
    bad = any(char.isspace() or char < " " or char == "+" for char in name)
    return bool(name) and not bad and _encodes(name)


def _encodes(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
