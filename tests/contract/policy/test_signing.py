"""Signed bundles: what a signature covers on either side, and what is refused.

It does not test what the rules of a bundle find.
"""

from __future__ import annotations

import pytest

from contract.policy.bundle import Side
from contract.policy.manifest import MANIFEST_FILE, NOTE_FILE, pack_bundle, unpack_bundle
from contract.policy.problems import BundleError
from contract.policy.publishing import client_files
from contract.policy.signing import open_signed_bundle, read_signature, sign_bundle
from contract.receipts.keys import KeyType
from contract.receipts.signers import signer_of

AUTHOR = signer_of("policy/author", KeyType.ED25519, bytes(range(32)))
APPROVER = signer_of("policy/approver", KeyType.ED25519, bytes(range(1, 33)))
STRANGER = signer_of("policy/author", KeyType.ED25519, bytes(range(2, 34)))
WATCH_LIST = b"""
  - id: deals.falcon
    kind: regex
    scope: server
    pattern: falcon
    action: log
    message: promissory
    category: MNPI
"""


@pytest.fixture
def signed(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the sample bundle with a server-only rule, signed by its author."""
    whole = dict(files)
    whole["rules.yaml"] += WATCH_LIST
    return sign_bundle(whole, AUTHOR)


def test_one_signature_serves_both_sides_and_shows_clients_no_server_rule(
    signed: dict[str, bytes],
) -> None:
    cut = client_files(signed)
    keys = [AUTHOR.verifier_key]
    whole = open_signed_bundle(signed, keys, side=Side.SERVER)
    part = open_signed_bundle(cut, keys, side=Side.CLIENT)
    assert any(rule.id == "deals.falcon" for rule in whole.rules)
    assert b"falcon" not in pack_bundle(cut)
    assert part.version == whole.version


def test_a_second_signature_joins_the_first(signed: dict[str, bytes]) -> None:
    both = sign_bundle(signed, APPROVER)
    keys = [AUTHOR.verifier_key, APPROVER.verifier_key]
    assert set(read_signature(both, keys, Side.SERVER).signers) == set(keys)
    again = sign_bundle(both, APPROVER)
    assert again == both


def test_a_packed_bundle_keeps_its_signature(signed: dict[str, bytes]) -> None:
    cut = client_files(signed)
    assert unpack_bundle(pack_bundle(cut)) == cut
    assert client_files(cut) == cut


@pytest.mark.parametrize("side", [Side.SERVER, Side.CLIENT])
def test_every_changed_added_or_missing_file_is_refused(
    signed: dict[str, bytes], side: Side
) -> None:
    files = client_files(signed) if side is Side.CLIENT else signed
    keys = [AUTHOR.verifier_key]
    for name in files.keys() - {NOTE_FILE, MANIFEST_FILE}:
        changed = {**files, name: files[name] + b"\n# changed\n"}
        changed.pop(MANIFEST_FILE, None)
        with pytest.raises(BundleError):
            open_signed_bundle(changed, keys, side=side)
        without = {other: content for other, content in files.items() if other != name}
        without.pop(MANIFEST_FILE, None)
        with pytest.raises(BundleError):
            open_signed_bundle(without, keys, side=side)
    with pytest.raises(BundleError, match="not what was signed"):
        read_signature({**files, "lexicons/extra.csv": b"term,language\nx,en\n"}, keys, side)


def test_a_bundle_without_a_known_signature_is_refused(signed: dict[str, bytes]) -> None:
    cases = {
        "not signed": {name: data for name, data in signed.items() if name != NOTE_FILE},
        "not a signed note": {**signed, NOTE_FILE: b"nonsense"},
    }
    for reason, files in cases.items():
        with pytest.raises(BundleError, match=reason):
            open_signed_bundle(files, [AUTHOR.verifier_key], side=Side.SERVER)
    with pytest.raises(BundleError, match="no known key"):
        open_signed_bundle(signed, [STRANGER.verifier_key], side=Side.SERVER)


def test_a_signature_of_other_content_is_neither_believed_nor_added_to(
    signed: dict[str, bytes], files: dict[str, bytes]
) -> None:
    moved = {**files, NOTE_FILE: signed[NOTE_FILE]}
    with pytest.raises(BundleError, match="not what was signed"):
        open_signed_bundle(moved, [AUTHOR.verifier_key], side=Side.SERVER)
    with pytest.raises(BundleError, match="other content"):
        sign_bundle(moved, APPROVER)


@pytest.mark.parametrize("newest", ["2999.1.1"])
def test_a_version_that_does_not_grow_is_refused(signed: dict[str, bytes], newest: str) -> None:
    keys = [AUTHOR.verifier_key]
    version = open_signed_bundle(signed, keys, side=Side.SERVER).version
    for known in (version, newest):
        with pytest.raises(BundleError, match="not newer"):
            open_signed_bundle(signed, keys, side=Side.SERVER, newest_version=known)
    open_signed_bundle(signed, keys, side=Side.SERVER, newest_version="1.0.0")


def test_a_bundle_with_a_fault_is_not_signed(files: dict[str, bytes]) -> None:
    broken = {**files, "rules.yaml": files["rules.yaml"].replace(b"action: block", b"action: blok")}
    with pytest.raises(BundleError):
        sign_bundle(broken, AUTHOR)
