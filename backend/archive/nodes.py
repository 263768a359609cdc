"""Owns the reading of the tree's complete nodes from the database, with a cache of bounded size.

It never computes a node and never keeps one that was not committed.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, select

from backend.storage.bulk import Prepared
from backend.storage.tables import archive_leaves, archive_nodes
from contract.receipts.merkle import NodeAt
from contract.receipts.trees import NodeRun

_leaves, _nodes = archive_leaves.c, archive_nodes.c
_LEAF = Prepared(select(_leaves.leaf_hash).where(_leaves.leaf_index == bindparam("at")), "at")
_NODE = Prepared(
    select(_nodes.hash).where(
        _nodes.level == bindparam("of_level"), _nodes.position == bindparam("at")
    ),
    "of_level",
    "at",
)
CACHED_NODES = 1 << 17  # about 20 MB, whatever the size of the log


class NodeMissing(Exception):
    """The tree lacks a node it must hold: the archive was tampered with or lost rows."""


class NodeCache:
    """Committed nodes read or written lately; any thread may use it, nodes never change."""

    def __init__(self, most: int = CACHED_NODES) -> None:
        self._most = most
        self._nodes: dict[tuple[int, int], bytes] = {}

    def __len__(self) -> int:
        return len(self._nodes)

    def add(self, runs: Iterable[NodeRun]) -> None:
        """Keep nodes that were committed."""
        for level, first, hashes in runs:
            self._make_room(len(hashes))
            self._nodes.update(((level, first + at), one) for at, one in enumerate(hashes))

    def node(self, level: int, position: int) -> bytes:
        """Return a kept node; raises NodeMissing for one that is not kept."""
        found = self._nodes.get((level, position))
        if found is None:
            raise NodeMissing(f"node {position} of level {level} is not at hand")
        return found

    def reader(self, connection: Connection) -> NodeAt:
        """Return node(level, position) for this connection; it raises NodeMissing."""

        def node(level: int, position: int) -> bytes:
            found = self._nodes.get((level, position))
            if found is None:
                found = read_node(connection, level, position)
                self._make_room(1)
                self._nodes[level, position] = found
            return found

        return node

    def _make_room(self, wanted: int) -> None:
        if len(self._nodes) + wanted > self._most:
            self._nodes = {}


def read_node(connection: Connection, level: int, position: int) -> bytes:
    """Return one complete node; raises NodeMissing."""
    row = _NODE.first(connection, level, position) if level else _LEAF.first(connection, position)
    if row is None:
        raise NodeMissing(f"node {position} of level {level} is missing")
    found: bytes = row[0]
    return found
