"""A receipt as a file: leaf, proof and the keys it was verified with, checkable offline.

It holds no message's text, and who reads it decides whether its keys are the right ones.
"""

from __future__ import annotations

import msgspec

from contract.receipts.encoding import decode_base64, encode_base64
from contract.receipts.errors import FaultCode, ProofError
from contract.receipts.keys import VerifierKey
from contract.receipts.tlog_proof import VerifiedReceipt, check_receipt

FILE_ENDING = ".parley-receipt"
VERSION = 1


class SavedReceipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file holds: `leaf` in base64, `receipt` a tlog-proof@v1 text, C2SP verifier keys."""

    parley_receipt: int = VERSION
    leaf: str
    receipt: str
    log_key: str
    witness_keys: tuple[str, ...]
    quorum: int


def format_saved(
    receipt: bytes,
    leaf: bytes,
    log_key: VerifierKey,
    witnesses: tuple[VerifierKey, ...],
    quorum: int,
) -> bytes:
    """Return the file's bytes for a receipt and the keys it was verified with."""
    saved = SavedReceipt(
        leaf=encode_base64(leaf),
        receipt=receipt.decode("utf-8"),
        log_key=str(log_key),
        witness_keys=tuple(map(str, witnesses)),
        quorum=quorum,
    )
    return msgspec.json.format(msgspec.json.encode(saved), indent=2) + b"\n"


def parse_saved(data: bytes) -> SavedReceipt:
    """Return what a file holds, nothing verified; raises ProofError with PROOF_MALFORMED."""
    try:
        saved = msgspec.json.decode(data, type=SavedReceipt)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _malformed("it can't be read") from error
    if saved.parley_receipt != VERSION:
        raise _malformed("it is of another version")
    return saved


def verify_saved(data: bytes) -> tuple[VerifiedReceipt, bytes]:
    """Check a file against the keys it names; return what it proves, with the leaf's bytes.

    Raises ReceiptError as check_receipt does. Compare the keys with the firm's own afterwards.
    """
    saved = parse_saved(data)
    try:
        leaf = decode_base64(saved.leaf)
    except ValueError as error:
        raise _malformed(str(error)) from error
    verified = check_receipt(
        saved.receipt.encode("utf-8"),
        leaf,
        VerifierKey.parse(saved.log_key),
        tuple(VerifierKey.parse(key) for key in saved.witness_keys),
        saved.quorum,
    )
    return verified, leaf


def _malformed(why: str) -> ProofError:
    return ProofError(FaultCode.PROOF_MALFORMED, f"this is not a saved receipt: {why}")
