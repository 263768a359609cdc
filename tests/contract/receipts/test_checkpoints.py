"""Checkpoints have one spelling, and a log may only grow.

It takes its examples from the C2SP specification, not from our own output.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.receipts import (
    Checkpoint,
    FaultCode,
    KeyType,
    NoteError,
    ProofError,
    ReceiptError,
    WitnessesMissing,
    cosign,
    format_checkpoint,
    open_checkpoint,
    open_cosignatures,
    parse_checkpoint,
    sign_note,
    verify_growth,
)
from contract.receipts.cosignatures import Cosignature, check_policy, require_quorum
from contract.receipts.notes import add_lines
from tests.support.sealed_log import AT_UTC_S, SealedLog, signer, three_witnesses

# C2SP tlog-checkpoint, the example at its head.
SPEC_TEXT = b"example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
ENTRIES = [f"entry {index}".encode() for index in range(40)]
LOG = SealedLog(ENTRIES, three_witnesses())


def test_the_example_of_the_specification_is_read_and_written_alike() -> None:
    checkpoint = parse_checkpoint(SPEC_TEXT)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert format_checkpoint(checkpoint) == SPEC_TEXT
    extended = parse_checkpoint(SPEC_TEXT + b"one\ntwo words\n")
    assert extended.extensions == ("one", "two words")
    assert format_checkpoint(extended) == SPEC_TEXT + b"one\ntwo words\n"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        SPEC_TEXT[:-1],
        SPEC_TEXT + b"\n",
        SPEC_TEXT + b"\nextension\n",
        b"\n" + SPEC_TEXT,
        SPEC_TEXT.replace(b"20852163", b"020852163"),
        SPEC_TEXT.replace(b"20852163", b"+20852163"),
        SPEC_TEXT.replace(b"20852163", b"2_0852163"),
        SPEC_TEXT.replace(b"20852163", b" 20852163"),
        SPEC_TEXT.replace(b"20852163", b"-1"),
        SPEC_TEXT.replace(b"20852163", b""),
        SPEC_TEXT.replace(b"20852163", str(2**63).encode()),
        SPEC_TEXT.replace(b"20852163", "２".encode()),
        SPEC_TEXT.replace(b"jxq2I=", b"jxq2J="),
        SPEC_TEXT.replace(b"jxq2I=", b"jxq2I"),
        SPEC_TEXT.replace(b"jxq2I=", b"jxq2"),
        SPEC_TEXT.replace(b"CsUYapGG", b""),
        SPEC_TEXT.replace(b"example", b"exa\tmple"),
        SPEC_TEXT.replace(b"example", b"exa\xffmple"),
        b"example.com\n5\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: bytes) -> None:
    with pytest.raises(NoteError) as caught:
        parse_checkpoint(text)
    assert caught.value.code is FaultCode.CHECKPOINT_MALFORMED


@given(st.text(), st.integers(-2, 2**64), st.binary(max_size=40), st.lists(st.text(), max_size=3))
def test_what_is_written_is_read_back(
    origin: str, size: int, root: bytes, extensions: list[str]
) -> None:
    checkpoint = Checkpoint(origin, size, root, tuple(extensions))
    try:
        text = format_checkpoint(checkpoint)
    except NoteError:
        return
    assert parse_checkpoint(text) == checkpoint


def test_a_checkpoint_opens_with_its_log_key_and_its_witnesses() -> None:
    opened = open_checkpoint(LOG.note(), LOG.key, LOG.witness_keys)
    assert opened.checkpoint == LOG.checkpoint()
    assert [one.key for one in opened.cosignatures] == LOG.witness_keys
    assert {one.at_utc_s for one in opened.cosignatures} == {AT_UTC_S}


def test_a_log_with_a_post_quantum_key_is_no_witness_of_itself() -> None:
    log = SealedLog(ENTRIES, three_witnesses()[:1], key_type=KeyType.ML_DSA_44)
    opened = open_checkpoint(log.note(), log.key, log.witness_keys)
    assert [one.key for one in opened.cosignatures] == log.witness_keys


@pytest.mark.parametrize(
    ("note", "code"),
    [
        (SealedLog(ENTRIES, name="other.example/log").note(), FaultCode.NOTE_UNSIGNED),
        (
            sign_note(format_checkpoint(Checkpoint("other", 1, bytes(32))), [LOG.signer]),
            FaultCode.ORIGIN_WRONG,
        ),
        (sign_note(b"a text\n", [LOG.signer]), FaultCode.CHECKPOINT_MALFORMED),
        (
            sign_note(format_checkpoint(LOG.checkpoint()), LOG.witnesses, at_utc_s=1),
            FaultCode.NOTE_UNSIGNED,
        ),
    ],
)
def test_a_checkpoint_that_is_not_the_logs_is_refused(note: bytes, code: FaultCode) -> None:
    with pytest.raises(NoteError) as caught:
        open_checkpoint(note, LOG.key, LOG.witness_keys)
    assert caught.value.code is code


def test_cosignatures_received_alone_are_checked_against_the_text() -> None:
    note = SealedLog(ENTRIES).note()
    text = format_checkpoint(LOG.checkpoint())
    lines = [cosign(note, LOG.key, witness, 5) for witness in LOG.witnesses]
    found = open_cosignatures(text, lines, LOG.witness_keys)
    assert [one.at_utc_s for one in found] == [5, 5, 5]
    assert add_lines(note, lines) == note + b"".join(lines)
    other = format_checkpoint(LOG.checkpoint(3))
    with pytest.raises(NoteError):
        open_cosignatures(other, lines, LOG.witness_keys)


def test_a_cosigner_needs_a_key_of_its_own_and_a_signed_checkpoint() -> None:
    note = LOG.note()
    for wrong in (signer("witness1.example"), LOG.signer):
        with pytest.raises(NoteError) as caught:
            cosign(note, LOG.key, wrong, 5)
        assert caught.value.code is FaultCode.KEY_UNSUITABLE
    forged = note.replace(b"\n40\n", b"\n41\n")
    with pytest.raises(NoteError) as caught:
        cosign(forged, LOG.key, LOG.witnesses[0], 5)
    assert caught.value.code is FaultCode.SIGNATURE_BAD


def test_a_witness_counts_once_whatever_it_signs() -> None:
    one = signer("witness1.example", KeyType.COSIGNATURE_V1).verifier_key
    quantum = signer("witness1.example", KeyType.ML_DSA_44).verifier_key
    two = signer("witness2.example", KeyType.COSIGNATURE_V1).verifier_key
    seen = [Cosignature(one, 5), Cosignature(one, 6), Cosignature(quantum, 7)]
    require_quorum(seen, 1)
    with pytest.raises(WitnessesMissing) as caught:
        require_quorum(seen, 2)
    assert (caught.value.have, caught.value.need) == (1, 2)
    require_quorum([*seen, Cosignature(two, 5)], 2)
    check_policy(LOG.key, [one, quantum, two], 2)
    renamed = type(one)("witness9.example", one.key_type, one.public_key)
    for witnesses, quorum in [([one, two], 3), ([one, two], -1), ([one, renamed], 1)]:
        with pytest.raises(NoteError):
            check_policy(LOG.key, witnesses, quorum)


def test_growth_is_accepted_and_roll_back_and_fork_are_told_apart() -> None:
    for old in range(41):
        for new in range(old, 41):
            proof = LOG.tree.consistency(old, new) if old else []
            verify_growth(LOG.checkpoint(old), LOG.checkpoint(new), proof)
    fork = SealedLog([*ENTRIES[:20], b"forged", *ENTRIES[21:]])
    cases: list[tuple[Checkpoint, Checkpoint, list[bytes], FaultCode]] = [
        (LOG.checkpoint(9), LOG.checkpoint(8), [], FaultCode.LOG_ROLLED_BACK),
        (LOG.checkpoint(1), LOG.checkpoint(0), [], FaultCode.LOG_ROLLED_BACK),
        (LOG.checkpoint(40), fork.checkpoint(40), [], FaultCode.LOG_FORKED),
        (
            LOG.checkpoint(30),
            fork.checkpoint(40),
            fork.tree.consistency(30),
            FaultCode.PROOF_MISMATCH,
        ),
        (LOG.checkpoint(30), LOG.checkpoint(40), [], FaultCode.PROOF_LENGTH),
        (LOG.checkpoint(0), LOG.checkpoint(9), [bytes(32)], FaultCode.PROOF_MALFORMED),
        (
            LOG.checkpoint(0)._replace(root=bytes(32)),
            LOG.checkpoint(9),
            [],
            FaultCode.PROOF_MALFORMED,
        ),
        (
            LOG.checkpoint(3),
            LOG.checkpoint(3)._replace(origin="other"),
            [],
            FaultCode.ORIGIN_WRONG,
        ),
    ]
    for before, after, proof, code in cases:
        with pytest.raises(ReceiptError) as caught:
            verify_growth(before, after, proof)
        assert caught.value.code is code
    with pytest.raises(ProofError):
        verify_growth(LOG.checkpoint(8), LOG.checkpoint(8), [bytes(32)])
