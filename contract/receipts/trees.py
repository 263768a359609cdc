"""The growth of a Merkle tree: which nodes new leaves complete, and a whole tree in memory.

It does no I/O: a log that stores its nodes asks `grown_levels` what to write.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from contract.receipts.encoding import encode_line
from contract.receipts.errors import FaultCode, ProofError
from contract.receipts.merkle import (
    HASH_BYTES,
    NodeAt,
    build_consistency,
    build_inclusion,
    node_hashes,
    range_root,
)


class NodeRun(NamedTuple):
    """Neighbouring nodes of one level; `first` is the index of the first of them."""

    level: int
    first: int
    hashes: list[bytes]


def grown_levels(size: int, leaf_hashes: Sequence[bytes], node: NodeAt) -> Iterator[NodeRun]:
    """Yield, level by level, the nodes that `leaf_hashes` complete in a tree of `size` leaves.

    Level 0 holds the leaves themselves. `node` is asked for at most one old node a level, the
    left sibling of the first new one. Nodes over an incomplete range are never yielded.
    """
    level, first, hashes = 0, size, list(leaf_hashes)
    while hashes:
        yield NodeRun(level, first, hashes)
        if first & 1:
            hashes = [node(level, first - 1), *hashes]
            first -= 1
        hashes = node_hashes(hashes)
        level, first = level + 1, first >> 1


class ProofLines:
    """The inclusion proofs of many leaves in one tree, as lines of base64; each part made once.

    Neighbours share all but the lowest hashes of their proofs.
    """

    def __init__(self, size: int, node: NodeAt) -> None:
        """`node` is asked for complete nodes of a tree of `size` leaves."""
        self._size = size
        self._node = node
        self._kept: dict[tuple[int, int], str] = {}

    def of(self, index: int) -> str:
        """Return the proof of a leaf from the leaf up, each hash with its newline.

        Raises ProofError unless 0 ≤ index < size.
        """
        if not 0 <= index < self._size:
            raise ProofError(FaultCode.PROOF_OUT_OF_RANGE, "the tree has no such leaf")
        above = self._kept.get((1, index >> 1))
        if above is None:
            above = self._above(1, index >> 1)
        sibling = index ^ 1
        return encode_line(self._node(0, sibling)) + above if sibling < self._size else above

    def _above(self, level: int, position: int) -> str:
        """Return the lines from the sibling of a node up."""
        if not position and 1 << level >= self._size:
            return ""
        lines = self._kept.get((level, position))
        if lines is None:
            lines = self._beside(level, position) + self._above(level + 1, position >> 1)
            self._kept[level, position] = lines
        return lines

    def _beside(self, level: int, position: int) -> str:
        """Return the line of a node's sibling; none at the right edge of the tree."""
        position ^= 1
        start, end = position << level, (position + 1) << level
        if start >= self._size:
            return ""
        if end <= self._size:
            return encode_line(self._node(level, position))
        return encode_line(range_root(start, self._size, self._node))


class MemoryTree:
    """A Merkle tree that keeps every complete node in memory, 64 bytes a leaf."""

    def __init__(self, leaf_hashes: Sequence[bytes] = ()) -> None:
        """Hold the tree over these leaf hashes."""
        self._levels: list[list[bytes]] = [[]]
        self.extend(leaf_hashes)

    @property
    def size(self) -> int:
        """Return the number of leaves."""
        return len(self._levels[0])

    def extend(self, leaf_hashes: Sequence[bytes]) -> None:
        """Add leaves; raises ValueError for a hash of another length, adding nothing."""
        if any(len(one) != HASH_BYTES for one in leaf_hashes):
            raise ValueError(f"a leaf hash holds {HASH_BYTES} bytes")
        for run in grown_levels(self.size, leaf_hashes, self.node):
            if run.level == len(self._levels):
                self._levels.append([])
            self._levels[run.level].extend(run.hashes)

    def node(self, level: int, index: int) -> bytes:
        """Return a complete node; raises IndexError for one that is not complete."""
        return self._levels[level][index]

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the whole tree, or of its first `size` leaves."""
        return range_root(0, self.size if size is None else size, self.node)

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Return the inclusion proof of leaf `index` in the first `size` leaves, or in all."""
        return build_inclusion(index, self.size if size is None else size, self.node)

    def consistency(self, size1: int, size2: int | None = None) -> list[bytes]:
        """Return the proof from `size1` leaves to `size2`, or to all."""
        return build_consistency(size1, self.size if size2 is None else size2, self.node)
