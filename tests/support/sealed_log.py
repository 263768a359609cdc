"""Owns a small log with real keys, for tests of receipts: entries in, signed checkpoints out.

It never writes anywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from contract.receipts import (
    Checkpoint,
    KeyType,
    Receipt,
    Signer,
    VerifierKey,
    cosign,
    format_checkpoint,
    format_receipt,
    sign_note,
)
from contract.receipts.leaf import leaf_hash
from contract.receipts.notes import add_lines
from contract.receipts.signers import signer_of
from contract.receipts.trees import MemoryTree

AT_UTC_S = 1_790_000_000


def signer(name: str, key_type: KeyType = KeyType.ED25519) -> Signer:
    """Return a signer whose key follows from its name and type; for tests only."""
    return signer_of(name, key_type, hashlib.sha256(f"{name} {key_type:d}".encode()).digest())


class SealedLog:
    """A log of entries with one signing key and any witnesses."""

    def __init__(
        self,
        entries: Sequence[bytes],
        witnesses: Sequence[Signer] = (),
        name: str = "archive.example/log",
        key_type: KeyType = KeyType.ED25519,
    ) -> None:
        """Hold these entries; `witnesses` cosign each checkpoint."""
        self.signer = signer(name, key_type)
        self.witnesses = tuple(witnesses)
        self.entries = list(entries)
        self.tree = MemoryTree([leaf_hash(entry) for entry in entries])

    @property
    def key(self) -> VerifierKey:
        """Return the log's verifier key."""
        return self.signer.verifier_key

    @property
    def witness_keys(self) -> list[VerifierKey]:
        """Return the witnesses' verifier keys."""
        return [witness.verifier_key for witness in self.witnesses]

    def checkpoint(self, size: int | None = None) -> Checkpoint:
        """Return the checkpoint of the first `size` entries, or of all."""
        size = self.tree.size if size is None else size
        return Checkpoint(self.key.name, size, self.tree.root(size))

    def note(self, size: int | None = None) -> bytes:
        """Return that checkpoint, signed by the log and cosigned by every witness."""
        text = format_checkpoint(self.checkpoint(size))
        note = sign_note(text, [self.signer], at_utc_s=AT_UTC_S)
        return add_lines(
            note, [cosign(note, self.key, witness, AT_UTC_S) for witness in self.witnesses]
        )

    def receipt(self, index: int, size: int | None = None) -> bytes:
        """Return the receipt of one entry."""
        proof = tuple(self.tree.inclusion(index, size))
        return format_receipt(Receipt(index, proof, self.note(size)))


def three_witnesses() -> list[Signer]:
    """Return three witnesses with Ed25519 cosignature keys."""
    return [signer(f"witness{number}.example", KeyType.COSIGNATURE_V1) for number in (1, 2, 3)]
