"""No single bit of a body, receipt, checkpoint or tile can change unseen.

It flips every bit or a fixed sample of them, over 100 000 in all; none of it is left to chance.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from contract.receipts import (
    ProofError,
    ReceiptError,
    check_receipt,
    open_checkpoint,
    verify_inclusion,
)
from contract.receipts.leaf import body_commitment, leaf_hash
from contract.receipts.merkle import HASH_BYTES, build_inclusion
from contract.receipts.tiles import Tile, format_tile, nodes_from
from contract.receipts.trees import MemoryTree
from tests.support.sealed_log import SealedLog, three_witnesses

pytestmark = pytest.mark.slow

BODY = b'{"attachments":[],"quote":"","text":"' + b"Please call me about the fund. " * 60 + b'"}'
SALT = bytes(range(32))
ENTRIES = [f'{{"entry":{index}}}'.encode() for index in range(3000)]
INDEX = 1234
ENTRIES[INDEX] = f'{{"body_commitment":"{body_commitment(SALT, BODY)}"}}'.encode()
LOG = SealedLog(ENTRIES, three_witnesses())
FLIPS_OF_A_BODY = 80_000
FLIPS_OF_TILES = 10_000


def _flips(data: bytes, count: int | None = None) -> Iterator[bytes]:
    """Yield `data` with one bit flipped: each bit in turn, or `count` bits chosen by a seed."""
    chosen = random.Random(20)
    bits = range(len(data) * 8)
    for bit in bits if count is None else (chosen.choice(bits) for _ in range(count)):
        yield _flipped(data, bit)


def _flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_no_bit_of_a_body_or_its_salt_can_change() -> None:
    proof, root = LOG.tree.inclusion(INDEX), LOG.tree.root()
    for changed in _flips(SALT + BODY, FLIPS_OF_A_BODY):
        commitment = body_commitment(changed[:32], changed[32:])
        leaf = leaf_hash(f'{{"body_commitment":"{commitment}"}}'.encode())
        with pytest.raises(ProofError):
            verify_inclusion(INDEX, LOG.tree.size, leaf, proof, root)


@pytest.mark.parametrize("quorum", [2, 3])
def test_a_changed_receipt_is_refused_or_says_the_same(quorum: int) -> None:
    receipt, leaf, keys = LOG.receipt(INDEX), ENTRIES[INDEX], LOG.witness_keys
    true = check_receipt(receipt, leaf, LOG.key, keys, quorum)
    unchanged = 0
    for changed in _flips(receipt):
        try:
            found = check_receipt(changed, leaf, LOG.key, keys, quorum)
        except ReceiptError:
            continue
        unchanged += 1
        assert (found.leaf_index, found.checkpoint) == (true.leaf_index, true.checkpoint)
        assert set(found.cosignatures) < set(true.cosignatures)
    assert (unchanged == 0) == (quorum == 3)


def test_a_changed_checkpoint_is_refused() -> None:
    for size in (1, 1000, 3000):
        for changed in _flips(SealedLog(ENTRIES[:size]).note()):
            with pytest.raises(ReceiptError):
                open_checkpoint(changed, LOG.key)


def test_a_changed_tile_breaks_the_proofs_made_from_it() -> None:
    tree = MemoryTree([leaf_hash(entry) for entry in ENTRIES[:256]])
    tile = format_tile([tree.node(0, index) for index in range(256)])
    root = tree.root()
    chosen = random.Random(21)
    for _ in range(FLIPS_OF_TILES):
        bit = chosen.randrange(len(tile) * 8)
        first = bit // (8 * HASH_BYTES)
        width = 1 << chosen.randrange(1, 4)
        start = first - first % width
        index = start + chosen.choice([at for at in range(width) if start + at != first])

        def read(asked: Tile, data: bytes = _flipped(tile, bit)) -> bytes:
            assert asked == Tile(0, 0, 256)
            return data

        proof = build_inclusion(index, 256, nodes_from(read, 256))
        with pytest.raises(ProofError):
            verify_inclusion(index, 256, tree.node(0, index), proof, root)


def test_the_flips_are_as_many_as_promised() -> None:
    of_receipts = 2 * 8 * len(LOG.receipt(INDEX))
    of_checkpoints = 3 * 8 * len(SealedLog(ENTRIES[:1]).note())
    assert FLIPS_OF_A_BODY + FLIPS_OF_TILES + of_receipts + of_checkpoints >= 100_000
