"""Owns the audit of the log over the entries: leaves, nodes, checkpoints, cosignatures, witness.

It never repairs anything and believes no stored hash: the tree is computed anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from backend.archive.log import read_head
from backend.archive.signing import log_keys, read_policy
from backend.archive.witness_state import Seen
from backend.storage.tables import (
    archive_checkpoints,
    archive_cosignatures,
    archive_leaves,
    archive_nodes,
)
from contract.receipts.checkpoints import Checkpoint, format_checkpoint
from contract.receipts.cosignatures import open_checkpoint, open_cosignatures
from contract.receipts.errors import ReceiptError
from contract.receipts.keys import VerifierKey
from contract.receipts.merkle import range_root
from contract.receipts.trees import NodeRun, grown_levels


class Fault(Exception):
    """The first thing found wrong, in plain words, with the entry's index where there is one."""

    def __init__(self, text: str, index: int | None = None) -> None:
        super().__init__(text)
        self.index = index


class TreeReplay:
    """The tree grown again from the entries, compared with all that is stored about it."""

    def __init__(self, connection: Connection, seen: Seen | None = None) -> None:
        """Begin at the empty tree; `seen` is what the witness signed last."""
        self._connection = connection
        self._keys = log_keys(connection)
        self._policy = read_policy(connection)
        self._seen = seen
        self._known: dict[tuple[int, int], bytes] = {}
        self._checkpoints_seen = 0
        self._cosignatures_seen = 0
        self.size = 0
        self.sealed_size = 0

    def add(self, hashes: Sequence[bytes]) -> None:
        """Add the next leaves; raises Fault for a node or checkpoint that does not fit."""
        old_size, self.size = self.size, self.size + len(hashes)
        for run in grown_levels(old_size, hashes, self._node):
            self._check_run(run)
            self._known.update(
                ((run.level, run.first + at), one) for at, one in enumerate(run.hashes)
            )
        for row in self._checkpoints(old_size):
            self._check_checkpoint(row)
        if self._seen is not None and old_size < self._seen.size <= self.size:
            if self._root(self._seen.size).hex() != self._seen.root:
                raise Fault(f"the witness saw another archive at size {self._seen.size}")
        self._known = {
            key: one for key, one in self._known.items() if (key[1] + 2) << key[0] > self.size
        }

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

    def _node(self, level: int, index: int) -> bytes:
        return self._known[level, index]

    def _root(self, size: int) -> bytes:
        return range_root(0, size, self._node)

    def _check_run(self, run: NodeRun) -> None:
        last = run.first + len(run.hashes)
        if run.level == 0:
            leaves = archive_leaves.c
            query = select(leaves.leaf_index, leaves.leaf_hash).where(
                leaves.leaf_index >= run.first, leaves.leaf_index < last
            )
        else:
            nodes = archive_nodes.c
            query = select(nodes.position, nodes.hash).where(
                nodes.level == run.level, nodes.position >= run.first, nodes.position < last
            )
        stored = {row[0]: row[1] for row in self._connection.execute(query)}
        for position, made in enumerate(run.hashes, start=run.first):
            if stored.get(position) != made:
                what = "was changed" if position in stored else "is missing"
                raise Fault(f"the tree's node {position} of level {run.level} {what}")

    def _checkpoints(self, old_size: int) -> Sequence[Any]:
        columns = archive_checkpoints.c
        return self._connection.execute(
            select(columns.size, columns.root, columns.note)
            .where(columns.size > old_size, columns.size <= self.size)
            .order_by(columns.size)
        ).all()

    def _check_checkpoint(self, row: Any) -> None:
        size, root, note = row.size, row.root, row.note
        self._checkpoints_seen += 1
        key, made = self._key_for(size), self._root(size)
        try:
            opened = open_checkpoint(note, key)
        except ReceiptError as error:
            raise Fault(f"checkpoint {size}: {error}") from error
        if opened.text != format_checkpoint(Checkpoint(key.name, size, made)) or root != made:
            raise Fault(f"checkpoint {size} is of another tree than the entries")
        columns = archive_cosignatures.c
        lines = self._connection.execute(select(columns.line).where(columns.size == size)).scalars()
        encoded = [line.encode() for line in lines]
        self._cosignatures_seen += len(encoded)
        self._check_cosignatures(size, opened.text, encoded)

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
