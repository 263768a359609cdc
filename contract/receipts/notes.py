"""Signed notes (C2SP signed-note): a text with the signatures of several keys below it.

It does not interpret the text, and believes none that no known key has signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from contract.receipts.encoding import decode_base64, decode_lines, encode_base64
from contract.receipts.errors import FaultCode, NoteError
from contract.receipts.keys import (
    KEY_ID_BYTES,
    TIMESTAMP_BYTES,
    VerifierKey,
    check_key_name,
    is_signed,
    message_to_sign,
)
from contract.receipts.signers import Signer

MAX_SIGNATURES = 100
MAX_NOTE_BYTES = 1_000_000
_MARK = "— "
_GAP = b"\n\n"


class SignatureLine(NamedTuple):
    """One line below a note's text, not verified yet; `signature` may begin with a time."""

    name: str
    key_id: bytes
    signature: bytes


class UnopenedNote(NamedTuple):
    """A note taken apart but not verified; `text` ends in a newline and is not to be believed."""

    text: bytes
    lines: tuple[SignatureLine, ...]


class NoteSignature(NamedTuple):
    """A signature that holds; `at_utc_s` is the cosigner's Unix time, None for type 01."""

    key: VerifierKey
    at_utc_s: int | None


class OpenedNote(NamedTuple):
    """A note whose text the keys of `signatures` have signed; `ignored` lines were of others."""

    text: bytes
    signatures: tuple[NoteSignature, ...]
    ignored: int


def open_note(note: bytes, known: Sequence[VerifierKey]) -> OpenedNote:
    """Return the text of a note with every signature made by a known key.

    Raises NoteError: NOTE_MALFORMED; SIGNATURE_BAD when one line in the name of a known key does
    not hold, whatever the others say; NOTE_UNSIGNED when no known key has signed.
    """
    parts = split_note(note)
    keys = _by_name(known)
    signatures: dict[SignatureLine, NoteSignature] = {}
    ignored = 0
    for line in parts.lines:
        key = keys.get((line.name, line.key_id))
        if key is None:
            ignored += 1
        elif line not in signatures:
            signatures[line] = _verified(key, parts.text, line.signature)
    if not signatures:
        raise NoteError(FaultCode.NOTE_UNSIGNED, "no known key has signed this note")
    return OpenedNote(parts.text, tuple(signatures.values()), ignored)


def split_note(note: bytes) -> UnopenedNote:
    """Take a note apart without verifying anything; raises NoteError when it is malformed."""
    if len(note) > MAX_NOTE_BYTES:
        raise _malformed("it is too long")
    try:
        decode_lines(note)
    except ValueError as error:
        raise _malformed(str(error)) from error
    body, gap, below = note.rpartition(_GAP)
    if not gap or not below.endswith(b"\n"):
        raise _malformed("it needs a text, an empty line and signatures")
    lines = below.decode("utf-8").split("\n")[:-1]
    if len(lines) > MAX_SIGNATURES:
        raise _malformed(f"it has more than {MAX_SIGNATURES} signatures")
    return UnopenedNote(body + b"\n", tuple(map(_parse_line, lines)))


def sign_note(text: bytes, signers: Sequence[Signer], *, at_utc_s: int | None = None) -> bytes:
    """Return `text`, which ends in a newline, as a note signed by each signer in their order.

    `at_utc_s` is Unix time in seconds, needed by keys of types 04 and 06. Raises NoteError for a
    text that can't be a note's, ValueError when there is no signer or the time is missing.
    """
    if not signers:
        raise ValueError("a note needs a signer")
    return text + b"\n" + b"".join(sign_line(text, signer, at_utc_s) for signer in signers)


def sign_line(text: bytes, signer: Signer, at_utc_s: int | None = None) -> bytes:
    """Return one signature line, with its newline, for a note with this text; see sign_note."""
    _check_text(text)
    key = signer.verifier_key
    time = b""
    if key.key_type.timestamped:
        if at_utc_s is None:
            raise ValueError("a cosignature needs the time")
        message = message_to_sign(key, text, at_utc_s)
        time = at_utc_s.to_bytes(TIMESTAMP_BYTES, "big")
    else:
        message = message_to_sign(key, text, 0)
    return format_line(SignatureLine(key.name, key.key_id, time + signer.sign(message)))


def format_line(line: SignatureLine) -> bytes:
    """Return a signature line as it stands in a note, with its newline."""
    return f"{_MARK}{line.name} {encode_base64(line.key_id + line.signature)}\n".encode()


def add_lines(note: bytes, lines: Iterable[bytes]) -> bytes:
    """Return `note` with signature lines added below, none of them twice.

    Verifies nothing; raises NoteError when the note or a line is malformed.
    """
    present = list(split_note(note).lines)
    for line in lines:
        added = _parse_line(_decoded_line(line))
        if added not in present:
            present.append(added)
            note += line
    split_note(note)
    return note


def _decoded_line(line: bytes) -> str:
    try:
        text = decode_lines(line)
    except ValueError as error:
        raise _malformed(str(error)) from error
    if not text.endswith("\n") or "\n" in text[:-1]:
        raise _malformed("a signature is one line")
    return text[:-1]


def _parse_line(line: str) -> SignatureLine:
    name, space, encoded = line.removeprefix(_MARK).partition(" ")
    if not line.startswith(_MARK) or not space:
        raise _malformed("a signature line is written — name base64")
    try:
        check_key_name(name)
        data = decode_base64(encoded)
    except (NoteError, ValueError) as error:
        raise _malformed(str(error)) from error
    if len(data) <= KEY_ID_BYTES:
        raise _malformed("a signature is too short")
    return SignatureLine(name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


def _by_name(known: Sequence[VerifierKey]) -> dict[tuple[str, bytes], VerifierKey]:
    keys: dict[tuple[str, bytes], VerifierKey] = {}
    for key in known:
        if keys.setdefault((key.name, key.key_id), key) != key:
            raise NoteError(FaultCode.KEY_UNSUITABLE, "two known keys share a name and an id")
    return keys


def _verified(key: VerifierKey, text: bytes, signature: bytes) -> NoteSignature:
    at_utc_s = None
    if key.key_type.timestamped:
        at_utc_s = int.from_bytes(signature[:TIMESTAMP_BYTES], "big")
        signature = signature[TIMESTAMP_BYTES:]
    if not is_signed(key, message_to_sign(key, text, at_utc_s or 0), signature):
        raise NoteError(FaultCode.SIGNATURE_BAD, "a signature of a known key does not hold")
    return NoteSignature(key, at_utc_s)


def _check_text(text: bytes) -> None:
    try:
        decode_lines(text)
    except ValueError as error:
        raise _malformed(str(error)) from error
    if not text.endswith(b"\n"):
        raise _malformed("its text does not end in a newline")


def _malformed(why: str) -> NoteError:
    return NoteError(FaultCode.NOTE_MALFORMED, f"this is not a signed note: {why}")
