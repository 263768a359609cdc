"""Owns the signature of a bundle: which bytes it covers, who signed, and whether it may be loaded.

It never reads a file and it knows no rules; without a signature by a known key it opens nothing.

The signed text (C2SP signed-note) names the version and two hashes: that of the whole bundle's
manifest, and that of the cut which clients get. So one signature serves both sides, and a client
can check what it was given without ever seeing a rule of scope server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from contract.policy.bundle import CompiledBundle, Side, compile_bundle
from contract.policy.bundle_source import read_source
from contract.policy.manifest import NOTE_FILE, build_manifest, version_key
from contract.policy.problems import BundleError, BundleProblem
from contract.policy.publishing import client_files
from contract.receipts.errors import ReceiptError
from contract.receipts.keys import VerifierKey
from contract.receipts.notes import add_lines, open_note, sign_line, sign_note, split_note
from contract.receipts.signers import Signer

_MAGIC = "parley.policy.bundle.v1"


class SignedBundle(NamedTuple):
    """What a bundle's note states; `signers` are the known keys that signed it."""

    version: str
    whole_hash: str
    client_hash: str
    signers: tuple[VerifierKey, ...]


def statement(files: Mapping[str, bytes]) -> bytes:
    """Return the text that signers of a whole bundle sign; raises BundleError for a bad one."""
    version = read_source(files).header.version
    whole, cut = build_manifest(version, files), build_manifest(version, client_files(files))
    return "".join(f"{line}\n" for line in (_MAGIC, version, _digest(whole), _digest(cut))).encode()


def sign_bundle(files: Mapping[str, bytes], signer: Signer) -> dict[str, bytes]:
    """Return a whole bundle with this signer's line added to its note.

    A note of the same bundle keeps its other signatures; one of other content is refused.
    Raises BundleError, also when the bundle has a fault.
    """
    compile_bundle(files, Side.SERVER)
    text, note = statement(files), files.get(NOTE_FILE)
    try:
        if note is None:
            signed = sign_note(text, [signer])
        elif split_note(note).text != text:
            raise _fault("the signatures belong to other content: take the note out to sign anew")
        else:
            signed = add_lines(note, [sign_line(text, signer)])
    except ReceiptError as error:
        raise _fault(str(error)) from error
    return {**files, NOTE_FILE: signed}


def read_signature(
    files: Mapping[str, bytes], known: Sequence[VerifierKey], side: Side
) -> SignedBundle:
    """Return what the note of a bundle states once a known key's signature over it holds.

    `files` is the whole bundle on the server's side, the published cut on the client's; it must
    be what the note names. Raises BundleError.
    """
    note = files.get(NOTE_FILE)
    if note is None:
        raise _fault("the bundle is not signed")
    try:
        opened = open_note(note, known)
    except ReceiptError as error:
        raise _fault(str(error)) from error
    parts = opened.text.decode("utf-8").split("\n")
    if len(parts) != 5 or parts[0] != _MAGIC or parts[4]:
        raise _fault("the signed text is not that of a policy bundle")
    signers = tuple(dict.fromkeys(signature.key for signature in opened.signatures))
    stated = SignedBundle(parts[1], parts[2], parts[3], signers)
    _compare(stated, files, side)
    return stated


def open_signed_bundle(
    files: Mapping[str, bytes],
    known: Sequence[VerifierKey],
    *,
    side: Side,
    newest_version: str = "",
) -> CompiledBundle:
    """Compile a bundle that a known key signed and that is newer than `newest_version`.

    Raises BundleError with the fault: bad or missing signature, a file that is missing or not
    what was signed, a version that does not grow, or any fault of the bundle's own.
    """
    stated = read_signature(files, known, side)
    if newest_version and version_key(stated.version) <= version_key(newest_version):
        reason = f"version {stated.version} is not newer than {newest_version}, which is in force"
        raise BundleError([BundleProblem("bundle", 0, reason)])
    return compile_bundle(files, side)


def _compare(stated: SignedBundle, files: Mapping[str, bytes], side: Side) -> None:
    version = read_source(files).header.version
    wanted = stated.whole_hash if side is Side.SERVER else stated.client_hash
    if version != stated.version or _digest(build_manifest(version, files)) != wanted:
        raise _fault("the bundle is not what was signed: a file was changed, added or removed")
    if side is Side.SERVER:
        cut = _digest(build_manifest(version, client_files(files)))
        if cut != stated.client_hash:
            raise _fault("the clients' part of the bundle is not what was signed")


def _digest(manifest: bytes) -> str:
    return hashlib.sha256(manifest).hexdigest()


def _fault(reason: str) -> BundleError:
    return BundleError([BundleProblem(NOTE_FILE, 0, reason)])
