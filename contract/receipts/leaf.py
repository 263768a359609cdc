"""Commitments, leaves and leaf hashes of archive entries (RFC 6962, section 2.1).

It never sees a tree: proofs and checkpoints are other modules' business.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from contract.receipts.canonical import canonical_json

SALT_BYTES = 32
LEAF_PREFIX = b"\x00"
ENVELOPE_VERSION = 1


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What one archive entry commits to, with opaque ids only.

    Times are UTC milliseconds; commitments and hashes are lower-case hex of 32 bytes.
    `kind` names the event (`message_out`, `message_in`, `edited`, `deleted`, …);
    `previous` is the leaf hash of the version this entry replaces, if any. The fields stand in
    the order of the canonical form.
    """

    actor_id: str
    attachment_commitments: tuple[str, ...] = ()
    body_commitment: str
    conversation_id: str
    decision_hash: str = ""
    entry_id: str
    firm_id: str
    kind: str
    message_id: str
    occurred_at_utc_ms: int
    previous: str = ""
    revision: int


def body_commitment(salt: bytes, body: bytes) -> str:
    """Return hex SHA-256(salt ‖ body); a bare hash of a short text could be guessed.

    `salt` holds 32 random bytes; raises ValueError otherwise.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"salt must hold {SALT_BYTES} bytes")
    return hashlib.sha256(salt + body).hexdigest()


def leaf_bytes(envelope: Envelope) -> bytes:
    """Return the canonical bytes of `envelope` that go into the log as one entry.

    Raises ValueError for a value without canonical form (see canonical_json).
    """
    safe = -_SURELY_SAFE <= envelope.occurred_at_utc_ms <= _SURELY_SAFE
    if safe and -_SURELY_SAFE <= envelope.revision <= _SURELY_SAFE:
        try:
            data = _encoder.encode(envelope)
        except UnicodeEncodeError as error:
            raise ValueError("text with a lone surrogate has no canonical form") from error
        if b"\\" not in data:  # the encoders differ in what they escape only
            return data[:-1] + _LAST_FIELD
    fields = {name: getattr(envelope, name) for name in _FIELDS}
    return canonical_json({"v": ENVELOPE_VERSION, **fields})


def leaf_hash(data: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ data), the RFC 6962 hash of a leaf."""
    return hashlib.sha256(LEAF_PREFIX + data).digest()


def leaf_hashes(leaves: Sequence[bytes]) -> list[bytes]:
    """Return the leaf hash of each; the same as leaf_hash, without a call for each."""
    sha256, prefix = hashlib.sha256, LEAF_PREFIX
    return [sha256(prefix + data).digest() for data in leaves]


_FIELDS = tuple(field.name for field in msgspec.structs.fields(Envelope))
_SURELY_SAFE = 2**53 - 1
_LAST_FIELD = b',"v":%d}' % ENVELOPE_VERSION
_encoder = msgspec.json.Encoder()
