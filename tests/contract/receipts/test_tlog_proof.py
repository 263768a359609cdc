"""A receipt proves its leaf to whoever pins the keys, and nothing else.

It never opens a socket: the receipt, the leaf and the keys are all there is.
"""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.receipts import (
    FaultCode,
    KeyType,
    NoteError,
    ProofError,
    Receipt,
    ReceiptError,
    VerifierKey,
    WitnessesMissing,
    check_receipt,
    format_receipt,
    parse_receipt,
    verify_receipt,
)
from contract.receipts.notes import split_note
from tests.support.sealed_log import AT_UTC_S, SealedLog, signer, three_witnesses

ENTRIES = [f'{{"entry":{index}}}'.encode() for index in range(77)]
LOG = SealedLog(ENTRIES, three_witnesses())
INDEX = 41
RECEIPT = LOG.receipt(INDEX)
KEYS = LOG.witness_keys


def _code(
    receipt: bytes, leaf: bytes = ENTRIES[INDEX], quorum: int = 3, keys: list[VerifierKey] = KEYS
) -> FaultCode | None:
    try:
        verify_receipt(receipt, leaf, LOG.key, keys, quorum)
    except ReceiptError as error:
        return error.code
    return None


def test_a_receipt_is_laid_out_as_the_specification_says() -> None:
    hashes = [base64.b64encode(one).decode() for one in LOG.tree.inclusion(INDEX)]
    head = "\n".join(["c2sp.org/tlog-proof@v1", f"index {INDEX}", *hashes])
    assert head.encode() + b"\n\n" + LOG.note() == RECEIPT
    extra = parse_receipt(RECEIPT)._replace(extra=b"hint")
    assert format_receipt(extra).split(b"\n")[1] == b"extra aGludA=="
    assert parse_receipt(format_receipt(extra)) == extra


def test_the_receipt_of_every_entry_of_every_size_verifies() -> None:
    for size in (1, 2, 3, 64, 77):
        for index in range(0, size, 5):
            receipt = LOG.receipt(index, size)
            found = check_receipt(receipt, ENTRIES[index], LOG.key, KEYS, 3)
            assert found.leaf_index == index
            assert found.checkpoint == LOG.checkpoint(size)
            assert [one.at_utc_s for one in found.cosignatures] == [AT_UTC_S] * 3


def test_a_receipt_proves_no_other_leaf_and_no_other_index() -> None:
    assert _code(RECEIPT, ENTRIES[INDEX + 1]) is FaultCode.PROOF_MISMATCH
    assert _code(RECEIPT, b"") is FaultCode.PROOF_MISMATCH
    moved = parse_receipt(RECEIPT)._replace(leaf_index=INDEX + 1)
    assert _code(format_receipt(moved)) is FaultCode.PROOF_MISMATCH
    beyond = parse_receipt(RECEIPT)._replace(leaf_index=77)
    assert _code(format_receipt(beyond)) is FaultCode.PROOF_OUT_OF_RANGE
    shorter = parse_receipt(RECEIPT)
    shorter = shorter._replace(proof=shorter.proof[:-1])
    assert _code(format_receipt(shorter)) is FaultCode.PROOF_LENGTH


def test_missing_witnesses_are_told_from_every_other_fault() -> None:
    early = SealedLog(ENTRIES, LOG.witnesses[:1]).receipt(INDEX)
    assert _code(early, quorum=1) is None
    with pytest.raises(WitnessesMissing) as caught:
        verify_receipt(early, ENTRIES[INDEX], LOG.key, KEYS, 2)
    assert (caught.value.have, caught.value.need) == (1, 2)
    assert isinstance(caught.value, NoteError)
    assert _code(early, b"another", quorum=2) is FaultCode.PROOF_MISMATCH


def test_an_unknown_witness_does_not_count_and_a_wrong_one_rejects() -> None:
    stranger = signer("witness9.example", KeyType.COSIGNATURE_V1).verifier_key
    assert _code(RECEIPT, keys=[stranger], quorum=1) is FaultCode.WITNESSES_MISSING
    assert _code(RECEIPT, keys=[*KEYS, stranger]) is None
    other = SealedLog([*ENTRIES, b"more"], three_witnesses())
    lines = other.note().split(b"\n\n")[1].split(b"\n")
    forged = RECEIPT.rstrip(b"\n").rpartition(b"\n")[0] + b"\n" + lines[3] + b"\n"
    assert _code(forged, quorum=2) is FaultCode.SIGNATURE_BAD


def test_another_logs_receipt_is_refused() -> None:
    other = SealedLog(ENTRIES, three_witnesses(), name="other.example/log")
    with pytest.raises(NoteError) as caught:
        verify_receipt(RECEIPT, ENTRIES[INDEX], other.key, KEYS, 3)
    assert caught.value.code is FaultCode.NOTE_UNSIGNED


@pytest.mark.parametrize("quorum", [-1, 4])
def test_a_policy_that_can_not_be_met_is_refused(quorum: int) -> None:
    assert _code(RECEIPT, quorum=quorum) is FaultCode.KEY_UNSUITABLE


def test_a_post_quantum_log_and_witness_are_verified_alike() -> None:
    witness = signer("witness1.example", KeyType.ML_DSA_44)
    log = SealedLog(ENTRIES, [witness], key_type=KeyType.ML_DSA_44)
    checkpoint = verify_receipt(
        log.receipt(INDEX), ENTRIES[INDEX], log.key, log.witness_keys, quorum=1
    )
    assert checkpoint == log.checkpoint()


HEAD, NOTE = RECEIPT.split(b"\n\n")[0], RECEIPT[RECEIPT.index(b"\n\n") + 2 :]
HASH = HEAD.split(b"\n")[2]


@pytest.mark.parametrize(
    "receipt",
    [
        b"",
        HEAD,
        HEAD + b"\n" + NOTE,
        b"\n" + RECEIPT,
        RECEIPT.replace(b"@v1", b"@v2"),
        RECEIPT.replace(b"index 41\n", b""),
        RECEIPT.replace(b"index 41", b"index 041"),
        RECEIPT.replace(b"index 41", b"index  41"),
        RECEIPT.replace(b"index 41", b"index -1"),
        RECEIPT.replace(b"index 41", b"extra \nindex 41"),
        RECEIPT.replace(b"index 41", b"extra ????\nindex 41"),
        RECEIPT.replace(b"index 41", b"index 41\nextra aGludA=="),
        RECEIPT.replace(b"index 41", b"extra aGludA==\nextra aGludA==\nindex 41"),
        RECEIPT.replace(HASH, HASH[:-1]),
        RECEIPT.replace(HASH, HASH + b" "),
        RECEIPT.replace(HASH, b"AAAA"),
        RECEIPT.replace(HASH, b"\n".join([HASH] * 64)),
        RECEIPT.replace(b"\n", b"\r\n"),
        b"x" * 1_000_001,
    ],
)
def test_a_malformed_receipt_is_refused(receipt: bytes) -> None:
    with pytest.raises(ReceiptError) as caught:
        verify_receipt(receipt, ENTRIES[INDEX], LOG.key, KEYS, 3)
    assert caught.value.code in {FaultCode.PROOF_MALFORMED, FaultCode.NOTE_MALFORMED}


@given(st.binary(max_size=300))
def test_junk_is_refused(junk: bytes) -> None:
    for receipt in (junk, HEAD + b"\n\n" + junk, junk + b"\n\n" + NOTE):
        with pytest.raises(ReceiptError):
            verify_receipt(receipt, ENTRIES[INDEX], LOG.key, KEYS, 3)


def test_parts_that_fit_no_receipt_are_refused() -> None:
    for wrong in (
        Receipt(-1, (), LOG.note()),
        Receipt(0, (b"short",), LOG.note()),
        Receipt(0, (), LOG.note(), bytes(65_536)),
    ):
        with pytest.raises(ProofError):
            format_receipt(wrong)
    with pytest.raises(NoteError):
        format_receipt(Receipt(0, (), b"no note"))


def test_a_flipped_witness_name_leaves_the_statement_unchanged() -> None:
    """With a quorum of two, a third witness's line may turn into that of a stranger."""
    renamed = RECEIPT.replace(b"witness3.example", b"witness2-example")
    found = check_receipt(renamed, ENTRIES[INDEX], LOG.key, KEYS, 2)
    assert (found.leaf_index, found.checkpoint) == (INDEX, LOG.checkpoint())
    assert len(split_note(parse_receipt(renamed).checkpoint_note).lines) == 4
    assert _code(renamed, quorum=3) is FaultCode.WITNESSES_MISSING
