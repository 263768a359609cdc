"""The checkpoint of a log (C2SP tlog-checkpoint): its text, and what cosigners sign of it.

It checks no signature: a checkpoint means nothing until its note has been opened.
"""

from __future__ import annotations

from typing import NamedTuple

from contract.receipts.encoding import (
    MAX_NUMBER,
    decode_base64,
    decode_decimal,
    decode_lines,
    encode_base64,
)
from contract.receipts.errors import FaultCode, NoteError, ProofError
from contract.receipts.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency

MAX_TIMESTAMP_S = MAX_NUMBER
_SUBTREE_LABEL = b"subtree/v1\n\x00"
_LONGEST_NAME_BYTES = 255


class Checkpoint(NamedTuple):
    """The tree of one log at one size: `root` holds 32 bytes, `origin` names the log."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


def format_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Return the text of a checkpoint, ready to be signed as a note.

    Raises NoteError for a value that has no such text.
    """
    lines = (
        checkpoint.origin,
        str(checkpoint.size),
        encode_base64(checkpoint.root),
        *checkpoint.extensions,
    )
    text = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass")
    if parse_checkpoint(text) != checkpoint:
        raise _malformed("a line of it holds a line break")
    return text


def parse_checkpoint(text: bytes) -> Checkpoint:
    """Return the checkpoint in a note's text, its final newline included.

    Raises NoteError when it is not exactly as the specification says.
    """
    try:
        lines = decode_lines(text).split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
            raise _malformed("it needs three lines or more, none of them empty")
        origin, size, root, *extensions = lines[:-1]
        checkpoint = Checkpoint(
            origin, decode_decimal(size), decode_base64(root), tuple(extensions)
        )
    except ValueError as error:
        raise _malformed(str(error)) from error
    if len(checkpoint.root) != HASH_BYTES:
        raise _malformed("its root does not hold 32 bytes")
    return checkpoint


def verify_growth(old: Checkpoint, new: Checkpoint, proof: list[bytes]) -> None:
    """Check that `new` is the same log as `old`, at the same size or grown from it.

    The proof from an empty tree, and between equal sizes, is empty. Raises ProofError:
    LOG_ROLLED_BACK for a smaller tree, LOG_FORKED for another root at the same size, otherwise
    what the consistency proof lacks; NoteError with ORIGIN_WRONG for another log.
    """
    if new.origin != old.origin:
        raise NoteError(FaultCode.ORIGIN_WRONG, "the checkpoint is of another log")
    if new.size < old.size:
        raise ProofError(FaultCode.LOG_ROLLED_BACK, "the log holds fewer entries than before")
    if new.size == old.size and new.root != old.root:
        raise ProofError(FaultCode.LOG_FORKED, "the log shows two trees of one size")
    if old.size == 0:
        if proof or old.root != EMPTY_ROOT:
            raise ProofError(FaultCode.PROOF_MALFORMED, "an empty log has one root and no proof")
        return
    verify_consistency(old.size, new.size, proof, old.root, new.root)


def cosignature_v1_message(text: bytes, at_utc_s: int) -> bytes:
    """Return what an Ed25519 cosigner signs: a head line, the time and the checkpoint's text."""
    return b"cosignature/v1\ntime %d\n%b" % (at_utc_s, text)


def subtree_v1_message(cosigner: str, checkpoint: Checkpoint, at_utc_s: int) -> bytes:
    """Return what an ML-DSA-44 cosigner signs of a checkpoint (C2SP tlog-cosignature).

    Extension lines are not part of it. Raises NoteError for names over 255 bytes of UTF-8.
    """
    return b"".join(
        (
            _SUBTREE_LABEL,
            _prefixed(cosigner),
            at_utc_s.to_bytes(8, "big"),
            _prefixed(checkpoint.origin),
            bytes(8),
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        )
    )


def _prefixed(name: str) -> bytes:
    data = name.encode("utf-8")
    if not 0 < len(data) <= _LONGEST_NAME_BYTES:
        raise _malformed("a name in it is empty or too long to be cosigned")
    return bytes((len(data),)) + data


def _malformed(why: str) -> NoteError:
    return NoteError(FaultCode.CHECKPOINT_MALFORMED, f"this is not a checkpoint: {why}")
