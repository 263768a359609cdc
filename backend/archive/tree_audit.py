"""Owns the audit of the log over the entries: leaves, nodes, checkpoints, cosignatures, witness.

It never repairs anything and believes no stored hash: the tree is computed anew.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, select

from backend.archive.log import read_head
from backend.archive.signing import log_keys, read_policy
from backend.archive.witness_state import Seen
from backend.storage.bulk import Prepared
from backend.storage.tables import (
    archive_checkpoints,
    archive_cosignatures,
    archive_entries,
    archive_leaves,
    archive_nodes,
)
from contract.receipts.checkpoints import Checkpoint, format_checkpoint
from contract.receipts.cosignatures import open_checkpoint, open_cosignatures
from contract.receipts.errors import ReceiptError
from contract.receipts.keys import VerifierKey
from contract.receipts.leaf import leaf_hashes
from contract.receipts.merkle import range_root
from contract.receipts.trees import NodeRun, grown_levels


class Fault(Exception):
    """The first thing found wrong, in plain words, with the entry's index where there is one."""

    def __init__(self, text: str, index: int | None = None) -> None:
        super().__init__(text)
        self.index = index


_leaves, _nodes = archive_leaves.c, archive_nodes.c
_checkpoints, _cosignatures = archive_checkpoints.c, archive_cosignatures.c
_STORED_LEAVES = Prepared(
    select(_leaves.leaf_index, _leaves.leaf_hash)
    .where(_leaves.leaf_index >= bindparam("first"), _leaves.leaf_index < bindparam("end"))
    .order_by(_leaves.leaf_index),
    "first",
    "end",
)
_STORED_NODES = Prepared(
    select(_nodes.position, _nodes.hash)
    .where(
        _nodes.level == bindparam("of_level"),
        _nodes.position >= bindparam("first"),
        _nodes.position < bindparam("end"),
    )
    .order_by(_nodes.position),
    "of_level",
    "first",
    "end",
)
_CHECKPOINTS_BETWEEN = Prepared(
    select(_checkpoints.size, _checkpoints.root, _checkpoints.note)
    .where(_checkpoints.size > bindparam("after"), _checkpoints.size <= bindparam("upto"))
    .order_by(_checkpoints.size),
    "after",
    "upto",
)
_LINES_BETWEEN = Prepared(
    select(_cosignatures.size, _cosignatures.line)
    .where(_cosignatures.size > bindparam("after"), _cosignatures.size <= bindparam("upto"))
    .order_by(_cosignatures.size),
    "after",
    "upto",
)
_STORED_ENTRIES = Prepared(
    select(archive_entries.c.leaf)
    .where(archive_entries.c.sequence >= bindparam("first"))
    .order_by(archive_entries.c.sequence)
    .limit(bindparam("most")),
    "first",
    "most",
)
_BATCH = 4_096


def audit_log(connection: Connection, seen: Seen | None = None) -> int:
    """Check the log alone over the leaves of its entries; returns how many there are.

    Neither bodies nor columns are looked at. Raises Fault for the first thing found wrong.
    """
    replay = TreeReplay(connection, seen)
    while rows := _STORED_ENTRIES.rows(connection, replay.size, _BATCH):
        replay.add(leaf_hashes([leaf for (leaf,) in rows]))
    replay.finish()
    return replay.size


class TreeReplay:
    """The tree grown again from the entries, compared with all that is stored about it."""

    def __init__(self, connection: Connection, seen: Seen | None = None) -> None:
        """Begin at the empty tree; `seen` is what the witness signed last."""
        self._connection = connection
        self._keys = log_keys(connection)
        self._policy = read_policy(connection)
        self._seen = seen
        self._edge: dict[tuple[int, int], bytes] = {}
        self._grown: list[NodeRun] = []
        self._checkpoints_seen = 0
        self._cosignatures_seen = 0
        self.size = 0
        self.sealed_size = 0

    def add(self, hashes: Sequence[bytes]) -> None:
        """Add the next leaves; raises Fault for a node or checkpoint that does not fit."""
        old_size, self.size = self.size, self.size + len(hashes)
        self._grown = list(grown_levels(old_size, hashes, self._old_node))
        for run in self._grown:
            self._check_run(run)
        self._check_checkpoints(old_size)
        if self._seen is not None and old_size < self._seen.size <= self.size:
            if self._root(self._seen.size).hex() != self._seen.root:
                raise Fault(f"the witness saw another archive at size {self._seen.size}")
        self._keep_edge()

    def _keep_edge(self) -> None:
        """Keep the nodes that later leaves stand beside, two of a level at most."""
        kept = dict(self._edge)
        for level, first, hashes in self._grown:
            last = first + len(hashes)
            kept.update(
                ((level, at), hashes[at - first]) for at in range(max(first, last - 2), last)
            )
        self._edge = {
            (level, at): one for (level, at), one in kept.items() if (at + 2) << level > self.size
        }
        self._grown = []

    def finish(self) -> None:
        """Check what must be so at the end; raises Fault."""
        head = read_head(self._connection)
        newest = self._connection.execute(select(func.max(archive_checkpoints.c.size))).scalar()
        if (newest or 0) != self.size or head.size != self.size:
            raise Fault(
                f"the newest checkpoint speaks of {newest or 0} entries, the log holds {self.size}"
            )
        if head.root != self._root(self.size):
            raise Fault("the log's head has another root than the entries")
        self._check_nothing_else()
        if head.sealed_size > self.sealed_size:
            raise Fault(f"size {head.sealed_size} counts as sealed without its witnesses")
        if self._seen is not None:
            self._check_memory(self._seen)

    def _check_nothing_else(self) -> None:
        """Raise Fault for a row that no entry or checkpoint accounts for."""
        for table, explained, what in (
            (archive_leaves, self.size, "leaves that no entry explains"),
            (archive_nodes, self.size - self.size.bit_count(), "nodes that no entry explains"),
            (archive_checkpoints, self._checkpoints_seen, "checkpoints of no size it had"),
            (archive_cosignatures, self._cosignatures_seen, "cosignatures of no checkpoint"),
        ):
            count = select(func.count()).select_from(table)
            if self._connection.execute(count).scalar_one() != explained:
                raise Fault(f"the tree holds {what}")

    def _check_memory(self, seen: Seen) -> None:
        """Raise Fault unless the witness remembers all it is said to have signed."""
        if seen.size > self.size:
            raise Fault(
                f"the witness saw {seen.size} entries, the log holds {self.size}: some are lost"
            )
        if seen.size and seen.log_key not in {str(key.verifier_key) for key in self._keys}:
            raise Fault("the witness knows the log by another key")
        policy = self._policy
        if policy is None or policy.quorum < len({key.name for key in policy.keys}):
            return  # others may have sealed without this witness
        if self.sealed_size > seen.size:
            raise Fault(
                f"size {self.sealed_size} counts as sealed, but the witness signed no more than "
                f"{seen.size}"
            )

    def _old_node(self, level: int, index: int) -> bytes:
        return self._edge[level, index]

    def _node(self, level: int, index: int) -> bytes:
        """Return a node of the leaves being added, or of the edge before them."""
        if level < len(self._grown):
            _, first, hashes = self._grown[level]
            if index >= first:
                return hashes[index - first]
        return self._edge[level, index]

    def _root(self, size: int) -> bytes:
        return range_root(0, size, self._node)

    def _check_run(self, run: NodeRun) -> None:
        end = run.first + len(run.hashes)
        rows = (
            _STORED_NODES.rows(self._connection, run.level, run.first, end)
            if run.level
            else _STORED_LEAVES.rows(self._connection, run.first, end)
        )
        if [one for _, one in rows] == run.hashes:
            return  # as many as there are places, so each stands at its own
        stored = dict(rows)
        for position, made in enumerate(run.hashes, start=run.first):
            if stored.get(position) != made:
                what = "was changed" if position in stored else "is missing"
                raise Fault(f"the tree's node {position} of level {run.level} {what}")

    def _check_checkpoints(self, old_size: int) -> None:
        lines: dict[int, list[bytes]] = {}
        for size, line in _LINES_BETWEEN.rows(self._connection, old_size, self.size):
            lines.setdefault(size, []).append(line.encode())
        for size, root, note in _CHECKPOINTS_BETWEEN.rows(self._connection, old_size, self.size):
            self._check_checkpoint(size, root, note, lines.get(size, []))

    def _check_checkpoint(self, size: int, root: bytes, note: bytes, lines: list[bytes]) -> None:
        self._checkpoints_seen += 1
        key, made = self._key_for(size), self._root(size)
        try:
            opened = open_checkpoint(note, key)
        except ReceiptError as error:
            raise Fault(f"checkpoint {size}: {error}") from error
        if opened.text != format_checkpoint(Checkpoint(key.name, size, made)) or root != made:
            raise Fault(f"checkpoint {size} is of another tree than the entries")
        self._cosignatures_seen += len(lines)
        self._check_cosignatures(size, opened.text, lines)

    def _check_cosignatures(self, size: int, text: bytes, lines: Sequence[bytes]) -> None:
        if not lines:
            return
        if self._policy is None:
            raise Fault(f"checkpoint {size} is cosigned, but no witness is known")
        try:
            cosigned = open_cosignatures(text, lines, self._policy.keys)
        except ReceiptError as error:
            raise Fault(f"checkpoint {size}: a cosignature does not hold: {error}") from error
        if len({one.key.name for one in cosigned}) >= self._policy.quorum:
            self.sealed_size = size

    def _key_for(self, size: int) -> VerifierKey:
        keys = [key.verifier_key for key in self._keys if key.from_size < size]
        if not keys:
            raise Fault(f"checkpoint {size}: no key of the log is known")
        return keys[-1]
