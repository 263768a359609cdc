"""The hashes and proofs of the Merkle tree of RFC 6962 and RFC 9162.

It stores no tree and reads none: builders ask a function for nodes, verifiers take bytes.

A subtree [start, end) is one whose start is a multiple of the smallest power of two that is
not less than its width (draft-ietf-plants-merkle-tree-certs, section Subtrees).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from contract.receipts.errors import FaultCode, ProofError

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
_NODE_PREFIX = b"\x01"

NodeAt = Callable[[int, int], bytes]
"""node(level, index): the hash over the leaves [index << level, (index + 1) << level)."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 ‖ left ‖ right), the hash of an inner node."""
    return hashlib.sha256(_NODE_PREFIX + left + right).digest()


def node_hashes(below: Sequence[bytes]) -> list[bytes]:
    """Return the hashes over each two neighbours; the last of an odd number has none."""
    sha256, prefix = hashlib.sha256, _NODE_PREFIX
    lefts, rights = below[::2], below[1::2]
    return [
        sha256(prefix + left + right).digest()
        for left, right in zip(lefts, rights, strict=False)  # without the odd one
    ]


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """Return the root over all leaf hashes; that of no leaves is SHA-256("")."""
    if not leaf_hashes:
        return EMPTY_ROOT
    level = list(leaf_hashes)
    while len(level) > 1:
        paired = node_hashes(level)
        if len(level) % 2:
            paired.append(level[-1])
        level = paired
    return level[0]


def range_root(start: int, end: int, node: NodeAt) -> bytes:
    """Return the root of a subtree from at most log2(end - start) stored nodes."""
    if start == end:
        return EMPTY_ROOT
    parts = []
    while start < end:
        level = (end - start).bit_length() - 1
        parts.append(node(level, start >> level))
        start += 1 << level
    root = parts.pop()
    while parts:
        root = node_hash(parts.pop(), root)
    return root


# ---- building


def build_inclusion(index: int, size: int, node: NodeAt) -> list[bytes]:
    """Return the proof that leaf `index` is in the tree of `size` leaves, from the leaf up.

    Raises ProofError unless 0 ≤ index < size.
    """
    return build_subtree_inclusion(index, 0, size, node)


def build_subtree_inclusion(index: int, start: int, end: int, node: NodeAt) -> list[bytes]:
    """Return the proof that leaf `index` is in the subtree [start, end), from the leaf up.

    Raises ProofError for an index outside it or a range that is no subtree.
    """
    _check_subtree(start, end)
    _check_index(start <= index < end)
    proof = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(range_root(middle, end, node))
            end = middle
        else:
            proof.append(range_root(start, middle, node))
            start = middle
    proof.reverse()
    return proof


def build_consistency(size1: int, size2: int, node: NodeAt) -> list[bytes]:
    """Return the proof that the tree of `size2` leaves begins with that of `size1`.

    Raises ProofError unless 0 < size1 ≤ size2: nothing can be proved of an empty tree.
    """
    _check_index(0 < size1 <= size2)
    return build_subtree_consistency(0, size1, size2, node)


def build_subtree_consistency(start: int, end: int, size: int, node: NodeAt) -> list[bytes]:
    """Return the proof that the subtree [start, end) is part of the tree of `size` leaves.

    The proof of an empty subtree is empty. Raises ProofError for other ranges.
    """
    _check_subtree(start, end)
    _check_index(end <= size)
    if start == end:
        return []
    low, high, known = 0, size, True
    proof = []
    while (low, high) != (start, end):
        middle = low + _split(high - low)
        if end <= middle:
            proof.append(range_root(middle, high, node))
            high = middle
        else:
            proof.append(range_root(low, middle, node))
            if start < middle:
                start, known = middle, False
            low = middle
    if not known:
        proof.append(range_root(start, end, node))
    proof.reverse()
    return proof


# ---- verifying


def verify_inclusion(
    index: int, size: int, leaf_hash: bytes, proof: list[bytes], root: bytes
) -> None:
    """Check that the tree of `size` leaves with this root holds `leaf_hash` at `index`.

    `proof` runs from the leaf's sibling up to the root's child. Raises ProofError for
    anything else, hashes of another length included (RFC 9162, section 2.1.3.2).
    """
    _check_index(0 <= index < size)
    _check_hashes((leaf_hash, root, *proof))
    at, last = index, size - 1
    made = leaf_hash
    for sibling in proof:
        if not last:
            raise _wrong_length()
        if at & 1 or at == last:
            made = node_hash(sibling, made)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            made = node_hash(made, sibling)
        at >>= 1
        last >>= 1
    if last:
        raise _wrong_length()
    _check_same(made, root, "the entry is not in the tree at this index")


def verify_subtree_inclusion(
    index: int, start: int, end: int, leaf_hash: bytes, proof: list[bytes], root: bytes
) -> None:
    """Check that the subtree [start, end) with this root holds `leaf_hash` at `index`.

    Raises ProofError otherwise, also for a range that is no subtree.
    """
    _check_subtree(start, end)
    _check_index(start <= index < end)
    verify_inclusion(index - start, end - start, leaf_hash, proof, root)


def verify_consistency(
    size1: int, size2: int, proof: list[bytes], root1: bytes, root2: bytes
) -> None:
    """Check that the tree of `size2` leaves with root2 begins with that of `size1` and root1.

    Raises ProofError otherwise; an empty first tree is refused too, since it proves nothing
    (RFC 9162, section 2.1.4.2). Roots of equal sizes are compared as they stand.
    """
    _check_index(0 < size1 <= size2)
    verify_subtree_consistency(0, size1, size2, proof, root1, root2)


def verify_subtree_consistency(
    start: int, end: int, size: int, proof: list[bytes], subtree_root: bytes, root: bytes
) -> None:
    """Check that the subtree [start, end) with its root is part of the tree of `size` leaves.

    An empty subtree has the empty root and says nothing of `root`. Raises ProofError for
    anything else, over-long and short proofs and hashes of another length included.
    """
    _check_subtree(start, end)
    _check_index(end <= size)
    if start == end or end - start == size:
        if proof:
            raise _wrong_length()
        wanted = EMPTY_ROOT if start == end else root
        return _check_same(subtree_root, wanted, "the roots differ")
    _check_hashes((subtree_root, root, *proof))
    made_subtree, made = _roots_shown_by(start, end, size, proof, subtree_root)
    _check_same(made_subtree, subtree_root, "the proof does not lead to the older root")
    return _check_same(made, root, "the proof does not lead to the newer root")


def _roots_shown_by(
    start: int, end: int, size: int, proof: list[bytes], subtree_root: bytes
) -> tuple[bytes, bytes]:
    """Return the subtree's and the tree's root as the proof makes them."""
    first, last, tree_last = start, end - 1, size - 1
    # Climb to the largest perfect node at the subtree's right end: the proof begins there.
    while first != last and (last & 1 or last == tree_last):
        first, last, tree_last = first >> 1, last >> 1, tree_last >> 1
    rest = iter(proof)
    seed = subtree_root if first == last else next(rest, None)
    if seed is None:
        raise _wrong_length()
    made_subtree = made = seed
    for sibling in rest:
        if not tree_last:
            raise _wrong_length()
        if last & 1 or last == tree_last:
            if first < last:
                made_subtree = node_hash(sibling, made_subtree)
            made = node_hash(sibling, made)
            while not last & 1:
                first, last, tree_last = first >> 1, last >> 1, tree_last >> 1
        else:
            made = node_hash(made, sibling)
        first, last, tree_last = first >> 1, last >> 1, tree_last >> 1
    if tree_last:
        raise _wrong_length()
    return made_subtree, made


# ---- checks


def _split(width: int) -> int:
    """Return the largest power of two below `width`, which is at least 2."""
    return 1 << ((width - 1).bit_length() - 1)


def _check_subtree(start: int, end: int) -> None:
    width = end - start
    aligned = width < 1 or start % (1 << (width - 1).bit_length()) == 0
    if start < 0 or width < 0 or not aligned:
        raise ProofError(FaultCode.PROOF_OUT_OF_RANGE, "these leaves do not form a subtree")


def _check_index(holds: bool) -> None:
    if not holds:
        raise ProofError(FaultCode.PROOF_OUT_OF_RANGE, "index and sizes do not fit together")


def _check_hashes(hashes: Sequence[bytes]) -> None:
    for one in hashes:
        if len(one) != HASH_BYTES:
            raise ProofError(FaultCode.PROOF_MALFORMED, "a hash does not hold 32 bytes")


def _wrong_length() -> ProofError:
    return ProofError(FaultCode.PROOF_LENGTH, "the proof is too long or too short")


def _check_same(made: bytes, wanted: bytes, message: str) -> None:
    if made != wanted:
        raise ProofError(FaultCode.PROOF_MISMATCH, message)
