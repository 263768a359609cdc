"""The errors of proofs, signed notes and receipts, each with a stable code.

They never carry a name, a message's text or a key: only what is wrong and where.
"""

from __future__ import annotations

from enum import StrEnum


class FaultCode(StrEnum):
    """What is wrong, for alarms and diagnostics; a code never changes its meaning."""

    # ProofError
    PROOF_MALFORMED = "proof_malformed"
    PROOF_OUT_OF_RANGE = "proof_out_of_range"
    PROOF_LENGTH = "proof_length"
    PROOF_MISMATCH = "proof_mismatch"
    LOG_ROLLED_BACK = "log_rolled_back"
    LOG_FORKED = "log_forked"
    # NoteError
    NOTE_MALFORMED = "note_malformed"
    NOTE_UNSIGNED = "note_unsigned"
    SIGNATURE_BAD = "signature_bad"
    KEY_MALFORMED = "key_malformed"
    KEY_UNSUITABLE = "key_unsuitable"
    CHECKPOINT_MALFORMED = "checkpoint_malformed"
    ORIGIN_WRONG = "origin_wrong"
    WITNESSES_MISSING = "witnesses_missing"
    # TileError
    TILE_MALFORMED = "tile_malformed"


class ReceiptError(Exception):
    """Something about a receipt, its log or its witnesses does not hold; `code` says what."""

    def __init__(self, code: FaultCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class ProofError(ReceiptError):
    """A Merkle proof does not hold, or can't be one."""


class NoteError(ReceiptError):
    """A signed note, a key or a checkpoint is malformed or not signed as it must be."""


class WitnessesMissing(NoteError):
    """All is sound, but too few witnesses have cosigned yet: a reason to wait, no alarm."""

    def __init__(self, have: int, need: int) -> None:
        super().__init__(
            FaultCode.WITNESSES_MISSING, f"cosigned by {have} of the {need} witnesses needed"
        )
        self.have = have
        self.need = need


class TileError(ReceiptError):
    """A tile, an entry bundle or the address of one is malformed."""
