"""Checkpoints under signatures: opened with the log's key, cosigned, counted by witness.

It keeps no state: a witness must check growth from the last checkpoint it signed before it
cosigns the next (contract.receipts.checkpoints.verify_growth).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from contract.receipts.checkpoints import Checkpoint, parse_checkpoint
from contract.receipts.errors import FaultCode, NoteError, WitnessesMissing
from contract.receipts.keys import VerifierKey
from contract.receipts.notes import NoteSignature, OpenedNote, open_note, sign_line
from contract.receipts.signers import Signer


class Cosignature(NamedTuple):
    """One witness's statement, with its Unix time in seconds."""

    key: VerifierKey
    at_utc_s: int


class OpenedCheckpoint(NamedTuple):
    """A checkpoint that the log has signed, with the cosignatures of known witnesses."""

    checkpoint: Checkpoint
    text: bytes
    cosignatures: tuple[Cosignature, ...]


def open_checkpoint(
    note: bytes, log_key: VerifierKey, witnesses: Sequence[VerifierKey] = ()
) -> OpenedCheckpoint:
    """Return the checkpoint of the log with this key, and its known cosignatures.

    The origin must be the log key's name. Raises NoteError: NOTE_UNSIGNED without the log's own
    signature, SIGNATURE_BAD for a bad one by the log or a known witness, ORIGIN_WRONG,
    CHECKPOINT_MALFORMED, or KEY_UNSUITABLE for witness keys that can't cosign this log.
    """
    _check_witnesses(log_key, witnesses)
    opened = open_note(note, (log_key, *witnesses))
    if not any(signature.key == log_key for signature in opened.signatures):
        raise NoteError(FaultCode.NOTE_UNSIGNED, "the log has not signed this checkpoint")
    checkpoint = parse_checkpoint(opened.text)
    if checkpoint.origin != log_key.name:
        raise NoteError(FaultCode.ORIGIN_WRONG, "the checkpoint is of another log")
    return OpenedCheckpoint(checkpoint, opened.text, _cosignatures(opened, log_key))


def open_cosignatures(
    text: bytes, lines: Sequence[bytes], witnesses: Sequence[VerifierKey]
) -> tuple[Cosignature, ...]:
    """Return the cosignatures by known witnesses in lines received for a checkpoint's text.

    Raises NoteError when a line is malformed or bad, or none is by a known witness.
    """
    parse_checkpoint(text)
    opened = open_note(text + b"\n" + b"".join(lines), witnesses)
    return _cosignatures(opened, None)


def cosign(note: bytes, log_key: VerifierKey, signer: Signer, at_utc_s: int) -> bytes:
    """Return the signature line of a witness for a checkpoint that the log has signed.

    `at_utc_s` is Unix time in seconds. Raises NoteError when the note does not open with the
    log's key, or the signer's key is not one for cosignatures.
    """
    opened = open_checkpoint(note, log_key, (signer.verifier_key,))
    return sign_line(opened.text, signer, at_utc_s)


def require_quorum(cosignatures: Sequence[Cosignature], quorum: int) -> None:
    """Raise WitnessesMissing unless `quorum` witnesses of different names have cosigned."""
    have = len({signature.key.name for signature in cosignatures})
    if have < quorum:
        raise WitnessesMissing(have, quorum)


def check_policy(log_key: VerifierKey, witnesses: Sequence[VerifierKey], quorum: int) -> None:
    """Raise NoteError with KEY_UNSUITABLE for a witness policy that can't be met.

    0 ≤ quorum ≤ the number of witnesses. A witness may have keys of two types under one name;
    one public key under two names, or the log's own, is refused.
    """
    _check_witnesses(log_key, witnesses)
    if not 0 <= quorum <= len({key.name for key in witnesses}):
        raise NoteError(FaultCode.KEY_UNSUITABLE, "the quorum does not fit the known witnesses")


def _check_witnesses(log_key: VerifierKey, witnesses: Sequence[VerifierKey]) -> None:
    owners: dict[bytes, str] = {}
    for key in witnesses:
        if owners.setdefault(key.public_key, key.name) != key.name:
            raise NoteError(FaultCode.KEY_UNSUITABLE, "two witnesses share one public key")
        if not key.key_type.timestamped:
            raise NoteError(FaultCode.KEY_UNSUITABLE, "a witness key is not for cosignatures")
        if key.public_key == log_key.public_key:
            raise NoteError(FaultCode.KEY_UNSUITABLE, "a log can't be its own witness")


def _cosignatures(opened: OpenedNote, log_key: VerifierKey | None) -> tuple[Cosignature, ...]:
    return tuple(
        Cosignature(signature.key, signature.at_utc_s)
        for signature in opened.signatures
        if _is_cosignature(signature, log_key) and signature.at_utc_s is not None
    )


def _is_cosignature(signature: NoteSignature, log_key: VerifierKey | None) -> bool:
    return signature.key.key_type.timestamped and signature.key != log_key
