"""Signed notes open for the keys they are signed with, and only unchanged.

The first examples are those of the C2SP specification, not of our own making.
"""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.receipts import (
    Ed25519Signer,
    FaultCode,
    KeyType,
    MlDsa44Signer,
    NoteError,
    VerifierKey,
    open_note,
    parse_private_key,
    sign_note,
)
from contract.receipts.keys import check_key_name, log_name, witness_name
from contract.receipts.notes import MAX_SIGNATURES, add_lines, sign_line, split_note
from contract.receipts.signers import format_private_key
from tests.support.sealed_log import AT_UTC_S, signer

# C2SP signed-note, section Verifier keys, Example.
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi"
    "2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
TEXT = b"archive.example/log\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
ALICE, BOB = signer("alice.example"), signer("bob.example")
NOTE = sign_note(TEXT, [ALICE])


def _code(note: bytes, *keys: VerifierKey) -> FaultCode | None:
    try:
        open_note(note, keys)
    except NoteError as error:
        return error.code
    return None


def test_the_example_of_the_specification_opens() -> None:
    key = VerifierKey.parse(SPEC_KEY)
    opened = open_note(SPEC_NOTE, [key])
    assert opened.text == b"This is an example message.\n"
    assert [signature.key for signature in opened.signatures] == [key]
    assert str(key) == SPEC_KEY


@pytest.mark.parametrize("key_type", list(KeyType))
def test_keys_of_every_type_sign_and_survive_their_text_form(key_type: KeyType) -> None:
    seed = hashlib.sha256(b"seed").digest()
    text = format_private_key("key.example", key_type, seed)
    made = parse_private_key(text)
    key = made.verifier_key
    material = b"key.example\n" + bytes((key_type,)) + key.public_key
    assert key.key_id == hashlib.sha256(material).digest()[:4]
    assert VerifierKey.parse(str(key)) == key
    opened = open_note(sign_note(TEXT, [made], at_utc_s=AT_UTC_S), [key])
    expected = None if key_type is KeyType.ED25519 else AT_UTC_S
    assert [signature.at_utc_s for signature in opened.signatures] == [expected]
    assert base64.b64encode(seed).decode() not in repr(made) + str(key)


def test_cosigners_sign_what_the_specification_says() -> None:
    time = AT_UTC_S.to_bytes(8, "big")
    ed25519 = signer("witness.example", KeyType.COSIGNATURE_V1)
    line = split_note(sign_note(TEXT, [ed25519], at_utc_s=AT_UTC_S)).lines[0]
    message = b"cosignature/v1\ntime 1790000000\n" + TEXT
    assert line.signature == time + ed25519.sign(message)
    post_quantum = signer("witness.example", KeyType.ML_DSA_44)
    assert isinstance(post_quantum, MlDsa44Signer)
    message = (
        b"subtree/v1\n\0" + b"\x0fwitness.example" + time + b"\x13archive.example/log"
        + bytes(8) + (7).to_bytes(8, "big") + hashlib.sha256(b"").digest()
    )  # fmt: skip
    line = split_note(sign_note(TEXT, [post_quantum], at_utc_s=AT_UTC_S)).lines[0]
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

    assert line.signature[:8] == time
    key = MLDSA44PublicKey.from_public_bytes(post_quantum.verifier_key.public_key)
    key.verify(line.signature[8:], message)


def test_unknown_signatures_are_ignored_and_one_known_one_is_needed() -> None:
    both = sign_note(TEXT, [ALICE, BOB])
    opened = open_note(both, [BOB.verifier_key])
    assert (len(opened.signatures), opened.ignored) == (1, 1)
    assert len(open_note(both, [BOB.verifier_key, ALICE.verifier_key]).signatures) == 2
    assert _code(NOTE, BOB.verifier_key) is FaultCode.NOTE_UNSIGNED
    assert _code(NOTE) is FaultCode.NOTE_UNSIGNED
    namesake = Ed25519Signer("alice.example", bytes(32))
    assert _code(NOTE, namesake.verifier_key) is FaultCode.NOTE_UNSIGNED


def test_one_bad_signature_of_a_known_key_rejects_the_note() -> None:
    foreign = sign_line(b"another text\n", BOB)
    assert _code(NOTE + foreign, ALICE.verifier_key) is None
    keys = ALICE.verifier_key, BOB.verifier_key
    assert _code(NOTE + foreign, *keys) is FaultCode.SIGNATURE_BAD
    assert _code(foreign + NOTE, *keys) is not None
    good_and_bad = sign_note(TEXT, [ALICE, BOB]) + foreign
    assert _code(good_and_bad, *keys) is FaultCode.SIGNATURE_BAD


def test_many_signatures_are_accepted_up_to_the_limit() -> None:
    others = [signer(f"other{number}.example") for number in range(MAX_SIGNATURES)]
    note = sign_note(TEXT, [*others[:-1], ALICE])
    assert open_note(note, [ALICE.verifier_key]).ignored == MAX_SIGNATURES - 1
    assert _code(note + sign_line(TEXT, others[-1]), ALICE.verifier_key) is FaultCode.NOTE_MALFORMED
    post_quantum = [signer(f"pq{number}.example", KeyType.ML_DSA_44) for number in range(16)]
    sixteen = sign_note(TEXT, post_quantum, at_utc_s=AT_UTC_S)
    opened = open_note(sixteen, [one.verifier_key for one in post_quantum])
    assert len(opened.signatures) == 16


def test_a_repeated_signature_counts_once() -> None:
    doubled = NOTE + sign_line(TEXT, ALICE)
    assert len(open_note(doubled, [ALICE.verifier_key]).signatures) == 1
    assert add_lines(NOTE, [sign_line(TEXT, ALICE)]) == NOTE
    assert add_lines(NOTE, [sign_line(TEXT, BOB)]) == sign_note(TEXT, [ALICE, BOB])


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"text\n",
        b"text\n\n",
        NOTE[:-1],
        NOTE + b"\n",
        NOTE + b"no signature\n",
        NOTE.replace(b"\n\n", b"\n"),
        NOTE.replace(b"archive", b"arch\rve"),
        NOTE.replace(b"archive", b"arch\0ve"),
        NOTE.replace(b"archive", b"arch\xffve"),
        NOTE.replace("— ".encode(), "—".encode()),
        NOTE.replace("— ".encode(), b"- "),
        NOTE.replace(b"alice.example ", b"alice.example  "),
        NOTE.replace(b"alice.example ", b" "),
        NOTE.replace(b"alice", b"ali+ce"),
        NOTE.replace(b"alice", "ali\u00a0ce".encode()),
        NOTE.rstrip(b"\n") + b"=\n",
        NOTE.rstrip(b"\n") + b" \n",
        NOTE + "— alice.example AAAA\n".encode(),
        NOTE + "— alice.example \n".encode(),
        b"x" * 1_000_001 + NOTE,
    ],
)
def test_a_malformed_note_is_refused(note: bytes) -> None:
    assert _code(note, ALICE.verifier_key) is FaultCode.NOTE_MALFORMED


@given(st.integers(0, len(NOTE) * 8 - 1))
def test_no_single_bit_of_a_note_can_change(bit: int) -> None:
    changed = bytearray(NOTE)
    changed[bit // 8] ^= 1 << bit % 8
    assert _code(bytes(changed), ALICE.verifier_key) is not None


@given(st.text().filter(lambda text: "\0" not in text), st.binary(max_size=40))
def test_any_text_survives_or_is_refused(text: str, junk: bytes) -> None:
    body = text.encode("utf-8", "replace") + b"\n"
    try:
        note = sign_note(body, [ALICE])
    except NoteError:
        assert any(char < " " and char != "\n" for char in text)
        return
    assert open_note(note, [ALICE.verifier_key]).text == body
    with pytest.raises(NoteError):
        open_note(junk, [ALICE.verifier_key])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/foo",
        SPEC_KEY.replace("530d903a", "530D903A"),
        SPEC_KEY.replace("530d903a", "530d903b"),
        SPEC_KEY.replace("530d903a", "30d903a"),
        SPEC_KEY.replace("foo", "f oo"),
        SPEC_KEY.replace("example.com/foo", ""),
        SPEC_KEY.replace("Aeky", "Beky"),
        SPEC_KEY[:-1],
        SPEC_KEY + "=",
        SPEC_KEY + "\n",
        "example.com/foo+530d903a+",
        "example.com/foo+530d903a+AQ==",
    ],
)
def test_a_malformed_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError) as caught:
        VerifierKey.parse(text)
    assert caught.value.code in {FaultCode.KEY_MALFORMED, FaultCode.KEY_UNSUITABLE}


def test_a_malformed_private_key_is_refused_and_not_quoted() -> None:
    text = format_private_key("key.example", KeyType.ED25519, hashlib.sha256(b"s").digest())
    secret = text.rpartition("+")[2]
    for wrong in (
        text.removeprefix("PRIVATE+"),
        text[:-4] + "AAA=",
        text.replace("key.example", "kee.example"),
        text[:-8],
    ):
        with pytest.raises(NoteError) as caught:
            parse_private_key(wrong)
        assert secret[:20] not in str(caught.value)


def test_what_can_not_be_signed_is_refused() -> None:
    with pytest.raises(NoteError):
        sign_note(b"no newline", [ALICE])
    with pytest.raises(ValueError, match="signer"):
        sign_note(TEXT, [])
    cosigner = signer("witness.example", KeyType.COSIGNATURE_V1)
    with pytest.raises(ValueError, match="time"):
        sign_note(TEXT, [cosigner])
    with pytest.raises(NoteError):
        sign_note(b"not a checkpoint\n", [cosigner], at_utc_s=AT_UTC_S)
    with pytest.raises(NoteError):
        sign_note(TEXT, [cosigner], at_utc_s=2**63)
    with pytest.raises(NoteError):
        add_lines(NOTE, [b"no line"])


def test_two_known_keys_may_not_share_name_and_id() -> None:
    key = ALICE.verifier_key
    twin = VerifierKey(key.name, key.key_type, BOB.verifier_key.public_key)
    object.__setattr__(twin, "key_id", key.key_id)
    assert _code(NOTE, key, twin) is FaultCode.KEY_UNSUITABLE
    assert _code(NOTE, key, key) is None


def test_names_of_installations_are_short_and_their_own() -> None:
    log, witness = log_name("0123456789abcdef" * 2), witness_name(b"abc")
    assert 2 * len(log) + 3 * len(witness) <= 80  # a receipt of a million leaves has 1 500 bytes
    assert log != log_name("another") != witness
    assert witness != witness_name(b"abd")
    for name in (log, witness):
        check_key_name(name)
