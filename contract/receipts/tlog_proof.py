"""The receipt of one archive entry (C2SP tlog-proof@v1), checked without any network.

It never takes the entry from the receipt: whoever checks brings the leaf.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from contract.receipts.checkpoints import Checkpoint
from contract.receipts.cosignatures import (
    Cosignature,
    check_policy,
    open_checkpoint,
    require_quorum,
)
from contract.receipts.encoding import (
    decode_base64,
    decode_decimal,
    decode_lines,
    encode_base64,
)
from contract.receipts.errors import FaultCode, ProofError
from contract.receipts.keys import VerifierKey
from contract.receipts.leaf import leaf_hash
from contract.receipts.merkle import HASH_BYTES, verify_inclusion
from contract.receipts.notes import MAX_NOTE_BYTES, split_note

MAX_PROOF_HASHES = 63
MAX_EXTRA_BYTES = 65_535
FILE_EXTENSION = ".tlog-proof"
_MAGIC = "c2sp.org/tlog-proof@v1"
_EXTRA = "extra "
_INDEX = "index "


class Receipt(NamedTuple):
    """The parts of a receipt, not verified; nobody has signed `extra`."""

    leaf_index: int
    proof: tuple[bytes, ...]
    checkpoint_note: bytes
    extra: bytes = b""


class VerifiedReceipt(NamedTuple):
    """What a receipt has proved: the entry's index in the checkpoint's tree, and who saw it."""

    leaf_index: int
    checkpoint: Checkpoint
    cosignatures: tuple[Cosignature, ...]


def format_receipt(receipt: Receipt) -> bytes:
    """Return the receipt's file; raises ProofError or NoteError for parts that fit none."""
    data = assemble_receipt(receipt)
    parse_receipt(data)
    return data


def assemble_receipt(receipt: Receipt) -> bytes:
    """Return the receipt's file without checking its parts: for a log that has just made them."""
    lines = [_MAGIC]
    if receipt.extra:
        lines.append(_EXTRA + encode_base64(receipt.extra))
    lines.append(f"{_INDEX}{receipt.leaf_index}")
    lines.extend(encode_base64(one) for one in receipt.proof)
    return "\n".join(lines).encode("ascii") + b"\n\n" + receipt.checkpoint_note


def receipt_text(leaf_index: int, proof_lines: str, checkpoint_note: str) -> str:
    """Return the receipt's text of parts that are lines already: see ProofLines."""
    return f"{_MAGIC}\n{_INDEX}{leaf_index}\n{proof_lines}\n{checkpoint_note}"


def parse_receipt(data: bytes) -> Receipt:
    """Take a receipt apart without verifying anything.

    Raises ProofError with PROOF_MALFORMED, or NoteError when its checkpoint is no note.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise _malformed("it is too long")
    head, gap, note = data.partition(b"\n\n")
    if not gap:
        raise _malformed("it has no checkpoint")
    split_note(note)
    try:
        index, proof, extra = _parse_head(decode_lines(head).split("\n"))
    except ValueError as error:
        raise _malformed(str(error)) from error
    return Receipt(index, proof, note, extra)


def verify_receipt(
    receipt: bytes,
    leaf: bytes,
    log_key: VerifierKey,
    witnesses: Sequence[VerifierKey],
    quorum: int,
) -> Checkpoint:
    """Check that the log holds `leaf` and that `quorum` known witnesses saw it; see check_receipt.

    Returns the checkpoint that proves it.
    """
    return check_receipt(receipt, leaf, log_key, witnesses, quorum).checkpoint


def check_receipt(
    receipt: bytes,
    leaf: bytes,
    log_key: VerifierKey,
    witnesses: Sequence[VerifierKey],
    quorum: int,
) -> VerifiedReceipt:
    """Check a receipt offline against the pinned log key and witness policy.

    `leaf` holds the entry's canonical bytes, built from what was sent. Raises ProofError when
    the receipt is malformed or does not prove this leaf; NoteError when the checkpoint is not
    the log's or a signature is bad; WitnessesMissing, only when all else holds, while fewer
    than `quorum` different witnesses have cosigned.
    """
    check_policy(log_key, witnesses, quorum)
    parts = parse_receipt(receipt)
    opened = open_checkpoint(parts.checkpoint_note, log_key, witnesses)
    checkpoint = opened.checkpoint
    verify_inclusion(
        parts.leaf_index, checkpoint.size, leaf_hash(leaf), list(parts.proof), checkpoint.root
    )
    require_quorum(opened.cosignatures, quorum)
    return VerifiedReceipt(parts.leaf_index, checkpoint, opened.cosignatures)


def _parse_head(lines: list[str]) -> tuple[int, tuple[bytes, ...], bytes]:
    """Return index, proof and extra data; raises ValueError."""
    if lines.pop(0) != _MAGIC:
        raise ValueError("its first line is not that of a tlog-proof of version 1")
    extra = b""
    if lines and lines[0].startswith(_EXTRA):
        extra = decode_base64(lines.pop(0).removeprefix(_EXTRA))
        if not 0 < len(extra) <= MAX_EXTRA_BYTES:
            raise ValueError("its extra data is empty or too long")
    if not lines or not lines[0].startswith(_INDEX):
        raise ValueError("it names no index")
    index = decode_decimal(lines.pop(0).removeprefix(_INDEX))
    if len(lines) > MAX_PROOF_HASHES:
        raise ValueError("it has more hashes than any tree is high")
    proof = tuple(decode_base64(line) for line in lines)
    if any(len(one) != HASH_BYTES for one in proof):
        raise ValueError("a hash does not hold 32 bytes")
    return index, proof, extra


def _malformed(why: str) -> ProofError:
    return ProofError(FaultCode.PROOF_MALFORMED, f"this is not a receipt: {why}")
