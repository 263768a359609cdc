"""The signing side of notes: the interface a key store fulfils, and keys held in memory.

It makes no randomness and stores nothing: whoever calls it brings the seed and keeps it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from contract.receipts.encoding import encode_base64
from contract.receipts.errors import FaultCode, NoteError
from contract.receipts.keys import KeyType, VerifierKey, check_key_name, key_malformed, split_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

SEED_BYTES = 32
_PREFIX = "PRIVATE+KEY+"


class Signer(Protocol):
    """Whoever can sign with one key: a key in memory, an HSM or a key service."""

    @property
    def verifier_key(self) -> VerifierKey:
        """Return the public side of the key."""

    def sign(self, message: bytes) -> bytes:
        """Return the bare signature over `message`, without key id or time."""


class Ed25519Signer:
    """An Ed25519 key in memory, for notes (type 01) or for cosignatures (type 04)."""

    def __init__(self, name: str, seed: bytes, key_type: KeyType = KeyType.ED25519) -> None:
        """Hold the key that 32 random bytes stand for; raises NoteError."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        if key_type is KeyType.ML_DSA_44:
            raise NoteError(FaultCode.KEY_UNSUITABLE, "this type is not signed with Ed25519")
        _check_seed(seed)
        self._key: Ed25519PrivateKey = Ed25519PrivateKey.from_private_bytes(seed)
        public_key = self._key.public_key().public_bytes_raw()
        self._verifier_key = VerifierKey(name, key_type, public_key)

    @property
    def verifier_key(self) -> VerifierKey:
        """Return the public side of the key."""
        return self._verifier_key

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the signature."""
        return self._key.sign(message)


class MlDsa44Signer:
    """An ML-DSA-44 key in memory, for cosignatures of checkpoints (type 06)."""

    def __init__(self, name: str, seed: bytes) -> None:
        """Hold the key that 32 random bytes stand for; raises NoteError."""
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

        _check_seed(seed)
        self._key: MLDSA44PrivateKey = MLDSA44PrivateKey.from_seed_bytes(seed)
        public_key = self._key.public_key().public_bytes_raw()
        self._verifier_key = VerifierKey(name, KeyType.ML_DSA_44, public_key)

    @property
    def verifier_key(self) -> VerifierKey:
        """Return the public side of the key."""
        return self._verifier_key

    def sign(self, message: bytes) -> bytes:
        """Return the 2 420 bytes of the signature."""
        return self._key.sign(message)


def signer_of(name: str, key_type: KeyType, seed: bytes) -> Signer:
    """Return a signer of any type from 32 random bytes; raises NoteError."""
    if key_type is KeyType.ML_DSA_44:
        return MlDsa44Signer(name, seed)
    return Ed25519Signer(name, seed, key_type)


def format_private_key(name: str, key_type: KeyType, seed: bytes) -> str:
    """Return `PRIVATE+KEY+name+hexid+base64(type ‖ seed)`; it is a secret, keep it so.

    The form is that of golang.org/x/mod/sumdb/note; types 04 and 06 are written alike.
    """
    key_id = signer_of(name, key_type, seed).verifier_key.key_id
    return f"{_PREFIX}{name}+{key_id.hex()}+{encode_base64(bytes((key_type,)) + seed)}"


def parse_private_key(text: str) -> Signer:
    """Return the signer of a private key's text; raises NoteError, which never quotes it."""
    if not text.startswith(_PREFIX):
        raise key_malformed("a private key begins with PRIVATE+KEY+")
    name, key_id, material = split_key(text.removeprefix(_PREFIX))
    check_key_name(name)
    try:
        key_type = KeyType(material[0])
    except ValueError as error:
        raise NoteError(
            FaultCode.KEY_UNSUITABLE, "the private key is of a type Parley does not know"
        ) from error
    signer = signer_of(name, key_type, material[1:])
    if signer.verifier_key.key_id.hex() != key_id:
        raise key_malformed("its id does not belong to its name and key")
    return signer


def _check_seed(seed: bytes) -> None:
    if len(seed) != SEED_BYTES:
        raise key_malformed("a private key is made of 32 bytes")
