"""Owns the identity of a bundle: its version's order, its manifest of SHA-256s, its packed form.

It does not know rules, and it never trusts a manifest without comparing every file.

The bundle's hash is the SHA-256 of the manifest's bytes; a signature covers the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from contract.policy.problems import BundleError, BundleProblem

MANIFEST_FILE = "manifest.json"
NOTE_FILE = "manifest.note"
"""The signatures (C2SP signed-note); see contract.policy.signing."""

_UNLISTED = frozenset({MANIFEST_FILE, NOTE_FILE})
PACK_FORMAT = "parley.policy.bundle.v1"
MAX_FILES = 1_000


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bundle consists of: file name to lower-case hex SHA-256."""

    version: str
    files: dict[str, str]


class _Packed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: str
    files: dict[str, bytes]


def version_key(version: str) -> tuple[int, ...]:
    """Return a bundle version such as "2026.11.3" as numbers that compare rightly."""
    return tuple(int(part) for part in version.split("."))


def build_manifest(version: str, files: Mapping[str, bytes]) -> bytes:
    """Return the manifest's canonical bytes over all files but itself and the signatures."""
    hashes = {
        name: hashlib.sha256(content).hexdigest()
        for name, content in files.items()
        if name not in _UNLISTED
    }
    manifest = Manifest(version=version, files=hashes)
    return msgspec.json.encode(manifest, order="deterministic")


def check_manifest(version: str, files: Mapping[str, bytes]) -> bytes:
    """Return the manifest's bytes, comparing a given one with the files; raises BundleError."""
    actual = build_manifest(version, files)
    given = files.get(MANIFEST_FILE)
    if given is None or given == actual:
        return actual
    try:
        stated = msgspec.json.decode(given, type=Manifest)
    except msgspec.DecodeError as error:
        raise BundleError([BundleProblem(MANIFEST_FILE, 0, str(error))]) from error
    raise BundleError(_differences(stated, msgspec.json.decode(actual, type=Manifest)))


def pack_bundle(files: Mapping[str, bytes]) -> bytes:
    """Return all files as one document, equal for equal files: what the backend serves."""
    packed = _Packed(format=PACK_FORMAT, files=dict(files))
    return msgspec.json.encode(packed, order="deterministic")


def unpack_bundle(content: bytes) -> dict[str, bytes]:
    """Return the files of a packed bundle; raises BundleError when it is not one."""
    try:
        packed = msgspec.json.decode(content, type=_Packed)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BundleError([BundleProblem("bundle", 0, f"not a packed bundle: {error}")]) from error
    if packed.format != PACK_FORMAT:
        raise BundleError([BundleProblem("bundle", 0, f"unknown format '{packed.format}'")])
    if len(packed.files) > MAX_FILES:
        raise BundleError([BundleProblem("bundle", 0, f"more than {MAX_FILES} files")])
    return packed.files


def _differences(stated: Manifest, actual: Manifest) -> list[BundleProblem]:
    problems: list[BundleProblem] = []
    if stated.version != actual.version:
        problems.append(
            BundleProblem(MANIFEST_FILE, 0, f"says version {stated.version}, not {actual.version}")
        )
    for name in sorted(stated.files.keys() | actual.files.keys()):
        if name not in actual.files:
            problems.append(BundleProblem(name, 0, "the file is missing"))
        elif name not in stated.files:
            problems.append(BundleProblem(name, 0, "the file is not in the manifest"))
        elif stated.files[name] != actual.files[name]:
            problems.append(BundleProblem(name, 0, "the file is not what the manifest says"))
    return problems or [BundleProblem(MANIFEST_FILE, 0, "is not in canonical form")]
