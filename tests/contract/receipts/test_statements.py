"""Shows that statements and saved receipts are read strictly, and believed only when signed.

They never use the network.
"""

from __future__ import annotations

import pytest

from contract.receipts.errors import FaultCode, NoteError, ReceiptError
from contract.receipts.keys import KeyType
from contract.receipts.saved import format_saved, verify_saved
from contract.receipts.statements import (
    Move,
    Restore,
    Rotation,
    Statement,
    format_statement,
    open_statement,
    parse_statement,
    sign_statement,
)
from tests.support.sealed_log import SealedLog, signer, three_witnesses

LOG = SealedLog([b"one", b"two"], three_witnesses())
RECOVERY = signer("recovery.example")
NEW = signer("archive.example/new")
STATEMENTS: list[Statement] = [
    Rotation(LOG.key.name, 1, LOG.key, signer(LOG.key.name, KeyType.ED25519).verifier_key, 2),
    Restore(LOG.key.name, 1, 1, b"r" * 32, ((1, 2), (5, 9))),
    Restore(LOG.key.name, 1, 1, b"r" * 32, ()),
    Move(LOG.key.name, 1, NEW.verifier_key, tuple(LOG.witness_keys), 2, 7, b"r" * 32),
]


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda one: type(one).__name__)
def test_a_statement_is_read_as_it_was_written(statement: Statement) -> None:
    assert parse_statement(format_statement(statement)) == statement
    note = sign_statement(statement, (RECOVERY, LOG.signer))
    assert open_statement(note, [RECOVERY.verifier_key], LOG.key) == statement


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda one: type(one).__name__)
def test_the_log_alone_can_state_nothing(statement: Statement) -> None:
    note = sign_statement(statement, (LOG.signer,))
    with pytest.raises(NoteError) as raised:
        open_statement(note, [RECOVERY.verifier_key], LOG.key)
    assert raised.value.code is FaultCode.NOTE_UNSIGNED


def test_no_single_changed_bit_of_a_statement_passes() -> None:
    note = sign_statement(STATEMENTS[1], (RECOVERY,))
    for place in range(8 * len(note)):
        flipped = bytearray(note)
        flipped[place // 8] ^= 1 << (place % 8)
        with pytest.raises(NoteError):
            open_statement(bytes(flipped), [RECOVERY.verifier_key], LOG.key)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"parley.statement/v2\nkind restore\n",
        b"parley.statement/v1\nkind gift\norigin a\nat 1\n",
        format_statement(STATEMENTS[2]) + b"more 1\n",
        format_statement(STATEMENTS[2]).replace(b"at 1", b"at 01"),
        format_statement(STATEMENTS[1]).replace(b"lost 5 9", b"lost 9 5"),
        format_statement(STATEMENTS[2]).replace(b"size 1\n", b""),
    ],
)
def test_anything_else_is_no_statement(text: bytes) -> None:
    with pytest.raises(NoteError):
        parse_statement(text)


def test_a_saved_receipt_proves_its_entry_and_no_other() -> None:
    saved = format_saved(LOG.receipt(1), b"two", LOG.key, tuple(LOG.witness_keys), 3)
    proven, leaf = verify_saved(saved)
    assert (proven.leaf_index, leaf) == (1, b"two")
    for wrong in (
        format_saved(LOG.receipt(1), b"one", LOG.key, tuple(LOG.witness_keys), 3),
        format_saved(LOG.receipt(1), b"two", NEW.verifier_key, (), 0),
        saved.replace(b'"parley_receipt": 1', b'"parley_receipt": 2'),
        saved.replace(b'"quorum"', b'"quorums"'),
        b"{}",
    ):
        with pytest.raises(ReceiptError):
            verify_saved(wrong)
