"""Built Merkle proofs hold, and nothing near them does.

It takes the recursive definitions of RFC 6962 as its reference, not our own builders.
"""

from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.receipts import merkle
from contract.receipts.encoding import encode_base64
from contract.receipts.errors import FaultCode, ProofError
from contract.receipts.leaf import leaf_hash
from contract.receipts.merkle import (
    EMPTY_ROOT,
    build_inclusion,
    build_subtree_consistency,
    build_subtree_inclusion,
    range_root,
    root_of,
    verify_consistency,
    verify_inclusion,
    verify_subtree_consistency,
    verify_subtree_inclusion,
)
from contract.receipts.trees import MemoryTree, ProofLines, grown_levels

LEAVES = [leaf_hash(str(index).encode()) for index in range(300)]
TREE = MemoryTree(LEAVES)
SIZES = st.integers(1, 300)


def _defined_root(leaves: list[bytes]) -> bytes:
    """MTH(D[n]) word for word (RFC 6962, section 2.1)."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    pair = _defined_root(leaves[:half]) + _defined_root(leaves[half:])
    return hashlib.sha256(b"\x01" + pair).digest()


ROOTS = [_defined_root(LEAVES[:size]) for size in range(301)]


def _flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_roots_are_those_of_the_definition() -> None:
    for size in range(301):
        assert root_of(LEAVES[:size]) == ROOTS[size]
        assert TREE.root(size) == ROOTS[size]


def test_every_inclusion_proof_of_every_size_holds() -> None:
    for size in range(1, 301):
        for index in range(size):
            proof = TREE.inclusion(index, size)
            verify_inclusion(index, size, LEAVES[index], proof, ROOTS[size])


def test_lines_written_for_many_leaves_are_those_of_each_proof() -> None:
    for size in range(1, 80):
        lines = ProofLines(size, TREE.node)
        for index in range(size):
            wanted = "".join(f"{encode_base64(one)}\n" for one in TREE.inclusion(index, size))
            assert lines.of(index) == wanted
        for index in (-1, size):
            with pytest.raises(ProofError):
                lines.of(index)


def test_every_consistency_proof_of_every_pair_of_sizes_holds() -> None:
    for size2 in range(1, 301):
        for size1 in range(1, size2 + 1):
            proof = TREE.consistency(size1, size2)
            verify_consistency(size1, size2, proof, ROOTS[size1], ROOTS[size2])


def test_every_subtree_of_a_small_tree_is_proved() -> None:
    size = 45
    for start in range(size):
        for end in range(start + 1, size + 1):
            ceiling = 1 << (end - start - 1).bit_length()
            if start % ceiling:
                with pytest.raises(ProofError):
                    build_subtree_consistency(start, end, size, TREE.node)
                continue
            root = _defined_root(LEAVES[start:end])
            proof = build_subtree_consistency(start, end, size, TREE.node)
            verify_subtree_consistency(start, end, size, proof, root, ROOTS[size])
            for index in range(start, end):
                path = build_subtree_inclusion(index, start, end, TREE.node)
                verify_subtree_inclusion(index, start, end, LEAVES[index], path, root)


@given(SIZES, st.data())
def test_a_flipped_bit_of_an_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    parts = [LEAVES[index], ROOTS[size], *TREE.inclusion(index, size)]
    chosen = data.draw(st.integers(0, len(parts) - 1))
    parts[chosen] = _flipped(parts[chosen], data.draw(st.integers(0, 255)))
    with pytest.raises(ProofError) as caught:
        verify_inclusion(index, size, parts[0], parts[2:], parts[1])
    assert caught.value.code is FaultCode.PROOF_MISMATCH


@given(SIZES, SIZES, st.data())
def test_a_flipped_bit_of_a_consistency_proof_is_refused(
    one: int, other: int, data: st.DataObject
) -> None:
    size1, size2 = sorted((one, other))
    parts = [ROOTS[size1], ROOTS[size2], *TREE.consistency(size1, size2)]
    chosen = data.draw(st.integers(0, len(parts) - 1))
    parts[chosen] = _flipped(parts[chosen], data.draw(st.integers(0, 255)))
    with pytest.raises(ProofError):
        verify_consistency(size1, size2, parts[2:], parts[0], parts[1])


@given(SIZES, SIZES, st.data())
def test_a_proof_holds_for_no_other_index_or_length(
    size: int, other: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = TREE.inclusion(index, size)
    for wrong in (proof[:-1], [*proof, ROOTS[other]], [ROOTS[other], *proof]):
        if wrong != proof:
            with pytest.raises(ProofError):
                verify_inclusion(index, size, LEAVES[index], wrong, ROOTS[size])
    if other - 1 != index:
        with pytest.raises(ProofError):
            verify_inclusion(other - 1, size, LEAVES[index], proof, ROOTS[size])


@given(SIZES, SIZES, st.data())
def test_consistency_holds_for_no_other_root_or_length(
    one: int, other: int, data: st.DataObject
) -> None:
    size1, size2 = sorted((one, other))
    proof = TREE.consistency(size1, size2)
    elsewhere = ROOTS[data.draw(SIZES)]
    for wrong in (proof[:-1], [*proof, elsewhere], [elsewhere, *proof]):
        if wrong != proof:
            with pytest.raises(ProofError):
                verify_consistency(size1, size2, wrong, ROOTS[size1], ROOTS[size2])
    if elsewhere != ROOTS[size2]:
        with pytest.raises(ProofError):
            verify_consistency(size1, size2, proof, ROOTS[size1], elsewhere)
    if elsewhere != ROOTS[size1]:
        with pytest.raises(ProofError):
            verify_consistency(size1, size2, proof, elsewhere, ROOTS[size2])


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0), (5, 4), (0, -1), (2**64, 4)])
def test_an_index_outside_the_tree_is_refused(index: int, size: int) -> None:
    with pytest.raises(ProofError) as caught:
        verify_inclusion(index, size, LEAVES[0], [], ROOTS[1])
    assert caught.value.code is FaultCode.PROOF_OUT_OF_RANGE
    with pytest.raises(ProofError):
        build_inclusion(index, size, TREE.node)


@pytest.mark.parametrize(("size1", "size2"), [(0, 0), (0, 5), (-1, 5), (6, 5), (-2, -1)])
def test_sizes_that_can_not_be_consistent_are_refused(size1: int, size2: int) -> None:
    with pytest.raises(ProofError) as caught:
        verify_consistency(size1, size2, [], EMPTY_ROOT, EMPTY_ROOT)
    assert caught.value.code is FaultCode.PROOF_OUT_OF_RANGE
    with pytest.raises(ProofError):
        merkle.build_consistency(size1, size2, TREE.node)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_hashes_of_another_length_are_refused(length: int) -> None:
    wrong = bytes(length)
    proof = TREE.inclusion(1, 5)
    for leaf, path, root in [
        (wrong, proof, ROOTS[5]),
        (LEAVES[1], [wrong, *proof[1:]], ROOTS[5]),
        (LEAVES[1], proof, wrong),
    ]:
        with pytest.raises(ProofError) as caught:
            verify_inclusion(1, 5, leaf, path, root)
        assert caught.value.code is FaultCode.PROOF_MALFORMED
    steps = TREE.consistency(3, 5)
    for path, root1, root2 in [
        ([wrong, *steps[1:]], ROOTS[3], ROOTS[5]),
        (steps, wrong, ROOTS[5]),
        (steps, ROOTS[3], wrong),
    ]:
        with pytest.raises(ProofError):
            verify_consistency(3, 5, path, root1, root2)


@given(st.lists(st.integers(0, 40), max_size=12))
def test_a_tree_grown_in_batches_has_the_nodes_of_one_grown_at_once(batches: list[int]) -> None:
    grown = MemoryTree()
    for batch in batches:
        grown.extend(LEAVES[grown.size : grown.size + batch])
    assert grown.root() == ROOTS[grown.size]
    for level in range(9):
        for index in range(grown.size >> level):
            assert grown.node(level, index) == TREE.node(level, index)


@given(st.integers(0, 299), st.integers(1, 20))
def test_growth_asks_for_one_old_node_a_level_and_names_complete_nodes(
    size: int, added: int
) -> None:
    added = min(added, 300 - size)
    asked: list[tuple[int, int]] = []

    def node(level: int, index: int) -> bytes:
        assert (index + 1) << level <= size
        asked.append((level, index))
        return TREE.node(level, index)

    for run in grown_levels(size, LEAVES[size : size + added], node):
        assert (run.first + len(run.hashes)) << run.level <= size + added
        expected = [TREE.node(run.level, run.first + at) for at in range(len(run.hashes))]
        assert run.hashes == expected
    assert len({level for level, _ in asked}) == len(asked)


def test_a_root_of_a_large_tree_takes_few_nodes() -> None:
    asked: list[tuple[int, int]] = []

    def node(level: int, index: int) -> bytes:
        asked.append((level, index))
        return leaf_hash(f"{level}.{index}".encode())

    size = random.Random(7).getrandbits(40) | 1 << 39
    range_root(0, size, node)
    assert len(asked) == size.bit_count()
    asked.clear()
    build_inclusion(size // 3, size, node)
    merkle.build_consistency(size // 3, size, node)
    assert len(asked) <= 3 * 41


def test_a_memory_tree_takes_no_other_hashes() -> None:
    tree = MemoryTree(LEAVES[:3])
    with pytest.raises(ValueError, match="32 bytes"):
        tree.extend([LEAVES[3], b"short"])
    assert tree.size == 3
