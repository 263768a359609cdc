"""Canonical bytes, Merkle proofs, signed notes and receipts that make an entry checkable.

It does no I/O and trusts no reply: the client builds each leaf from what it sent. The names below
are loaded on first use, so that who needs leaves alone does not pay for signatures.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contract.receipts.checkpoints import (
        Checkpoint,
        format_checkpoint,
        parse_checkpoint,
        verify_growth,
    )
    from contract.receipts.cosignatures import (
        Cosignature,
        OpenedCheckpoint,
        cosign,
        open_checkpoint,
        open_cosignatures,
    )
    from contract.receipts.errors import (
        FaultCode,
        NoteError,
        ProofError,
        ReceiptError,
        TileError,
        WitnessesMissing,
    )
    from contract.receipts.keys import KeyType, VerifierKey
    from contract.receipts.merkle import (
        verify_consistency,
        verify_inclusion,
        verify_subtree_consistency,
        verify_subtree_inclusion,
    )
    from contract.receipts.notes import OpenedNote, open_note, sign_note
    from contract.receipts.signers import Ed25519Signer, MlDsa44Signer, Signer, parse_private_key
    from contract.receipts.tlog_proof import (
        Receipt,
        VerifiedReceipt,
        check_receipt,
        format_receipt,
        parse_receipt,
        verify_receipt,
    )

_MODULE_OF = {
    "Checkpoint": "checkpoints",
    "Cosignature": "cosignatures",
    "Ed25519Signer": "signers",
    "FaultCode": "errors",
    "KeyType": "keys",
    "MlDsa44Signer": "signers",
    "NoteError": "errors",
    "OpenedCheckpoint": "cosignatures",
    "OpenedNote": "notes",
    "ProofError": "errors",
    "Receipt": "tlog_proof",
    "ReceiptError": "errors",
    "Signer": "signers",
    "TileError": "errors",
    "VerifiedReceipt": "tlog_proof",
    "VerifierKey": "keys",
    "WitnessesMissing": "errors",
    "check_receipt": "tlog_proof",
    "cosign": "cosignatures",
    "format_checkpoint": "checkpoints",
    "format_receipt": "tlog_proof",
    "open_checkpoint": "cosignatures",
    "open_cosignatures": "cosignatures",
    "open_note": "notes",
    "parse_checkpoint": "checkpoints",
    "parse_private_key": "signers",
    "parse_receipt": "tlog_proof",
    "sign_note": "notes",
    "verify_consistency": "merkle",
    "verify_growth": "checkpoints",
    "verify_inclusion": "merkle",
    "verify_receipt": "tlog_proof",
    "verify_subtree_consistency": "merkle",
    "verify_subtree_inclusion": "merkle",
}

__all__ = [
    "Checkpoint",
    "Cosignature",
    "Ed25519Signer",
    "FaultCode",
    "KeyType",
    "MlDsa44Signer",
    "NoteError",
    "OpenedCheckpoint",
    "OpenedNote",
    "ProofError",
    "Receipt",
    "ReceiptError",
    "Signer",
    "TileError",
    "VerifiedReceipt",
    "VerifierKey",
    "WitnessesMissing",
    "check_receipt",
    "cosign",
    "format_checkpoint",
    "format_receipt",
    "open_checkpoint",
    "open_cosignatures",
    "open_note",
    "parse_checkpoint",
    "parse_private_key",
    "parse_receipt",
    "sign_note",
    "verify_consistency",
    "verify_growth",
    "verify_inclusion",
    "verify_receipt",
    "verify_subtree_consistency",
    "verify_subtree_inclusion",
]

if not TYPE_CHECKING:  # else a misspelt import would pass the type check

    def __getattr__(name: str) -> object:
        """Load a public name from its module; raises AttributeError for any other."""
        module = _MODULE_OF.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{module}"), name)
        globals()[name] = value
        return value
