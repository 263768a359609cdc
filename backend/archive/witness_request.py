"""Owns the body of an add-checkpoint request (C2SP tlog-witness), written and read.

It verifies nothing: a witness does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from contract.receipts.encoding import decode_base64, decode_decimal, decode_lines, encode_base64
from contract.receipts.merkle import HASH_BYTES
from contract.receipts.tlog_proof import MAX_PROOF_HASHES

ADD_CHECKPOINT = "/add-checkpoint"
SIZE_MEDIA_TYPE = "text/x.tlog.size"
_OLD = "old "


class AddCheckpoint(NamedTuple):
    """A checkpoint to cosign, with the proof that it grew from `old_size`."""

    old_size: int
    proof: tuple[bytes, ...]
    note: bytes


def format_request(old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
    """Return the body of a request."""
    lines = [f"{_OLD}{old_size}", *(encode_base64(one) for one in proof)]
    return "\n".join(lines).encode() + b"\n\n" + note


def parse_request(body: bytes) -> AddCheckpoint:
    """Return the parts of a request's body; raises ValueError when it is malformed."""
    head, gap, note = body.partition(b"\n\n")
    first, *hashes = decode_lines(head).split("\n")
    if not gap or not first.startswith(_OLD) or len(hashes) > MAX_PROOF_HASHES:
        raise ValueError("this is not an add-checkpoint request")
    proof = tuple(decode_base64(one) for one in hashes)
    if any(len(one) != HASH_BYTES for one in proof):
        raise ValueError("a hash does not hold 32 bytes")
    return AddCheckpoint(decode_decimal(first.removeprefix(_OLD)), proof, note)
