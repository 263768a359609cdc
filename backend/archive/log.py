"""Owns commit B: entries become leaves, the tree grows, and a checkpoint is signed and kept.

It never commits by itself, and it refuses to go on once another sequencer took the lead.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, select, update

from backend.archive.nodes import NodeCache
from backend.storage.bulk import Prepared, insert_rows
from backend.storage.tables import (
    archive_checkpoints,
    archive_entries,
    archive_head,
    archive_leaves,
    archive_nodes,
)
from contract.receipts.checkpoints import Checkpoint, format_checkpoint
from contract.receipts.merkle import EMPTY_ROOT, NodeAt, range_root
from contract.receipts.notes import sign_note
from contract.receipts.signers import Signer
from contract.receipts.trees import NodeRun, grown_levels

MAX_BATCH = 512
_HEAD = "log"
_head, _entries = archive_head.c, archive_entries.c
_READ_HEAD = Prepared(
    select(_head.epoch, _head.size, _head.root, _head.sealed_size, _head.announced_size).where(
        _head.name == _HEAD
    )
)
_MOVE_HEAD = Prepared(
    update(archive_head)
    .where(
        _head.name == _HEAD,
        _head.epoch == bindparam("of_epoch"),
        _head.size == bindparam("old_size"),
    )
    .values(size=bindparam("new_size"), root=bindparam("new_root")),
    "of_epoch",
    "old_size",
    "new_size",
    "new_root",
)
_WAITING = Prepared(
    select(_entries.sequence, _entries.leaf_hash)
    .where(
        _entries.sequence
        > func.coalesce(select(func.max(archive_leaves.c.sequence)).scalar_subquery(), -1)
    )
    .order_by(_entries.sequence)
    .limit(bindparam("most")),
    "most",
)
_CHECKPOINT_COLUMNS = ("size", "root", "note", "epoch", "at_utc_ms")


class LeadLost(Exception):
    """Another sequencer took the lead: this one must not write any more."""


class Head(NamedTuple):
    """Where the log stands: `sealed_size` leaves are covered by the quorum of witnesses."""

    epoch: int
    size: int
    root: bytes
    sealed_size: int
    announced_size: int


class SignedCheckpoint(NamedTuple):
    """A checkpoint as the log signed it, without cosignatures."""

    size: int
    root: bytes
    note: bytes


class Batch(NamedTuple):
    """What one commit B adds; only after the commit may any of it leave this process.

    More entries may wait behind a full one.
    """

    checkpoint: SignedCheckpoint
    first_index: int
    nodes: tuple[NodeRun, ...]
    is_full: bool


def read_head(connection: Connection) -> Head:
    """Return where the log stands; an empty log before the first lead was taken."""
    row = _READ_HEAD.first(connection)
    return Head(0, 0, EMPTY_ROOT, 0, 0) if row is None else Head(*row)


def take_lead(connection: Connection) -> int:
    """Begin a new epoch and return it: from the commit on, older sequencers can't write."""
    columns = archive_head.c
    epoch: int | None = connection.execute(
        update(archive_head)
        .where(columns.name == _HEAD)
        .values(epoch=columns.epoch + 1)
        .returning(columns.epoch)
    ).scalar_one_or_none()
    if epoch is None:
        connection.execute(insert(archive_head).values(name=_HEAD, epoch=1, root=EMPTY_ROOT))
        return 1
    return epoch


def commit_batch(
    connection: Connection,
    epoch: int,
    signer: Signer,
    cache: NodeCache,
    now_utc_ms: int,
    limit: int = MAX_BATCH,
) -> Batch | None:
    """Take up to `limit` waiting entries into the log; None when none waits.

    Raises LeadLost when the epoch or the size is no longer what this sequencer knows: nothing of
    the transaction may be kept then.
    """
    head = read_head(connection)
    if head.epoch != epoch:
        raise LeadLost(f"epoch {epoch} is over")
    waiting = _waiting(connection, limit)
    if not waiting:
        return None
    hashes = [leaf_hash for _, leaf_hash in waiting]
    runs = tuple(grown_levels(head.size, hashes, cache.reader(connection)))
    size = head.size + len(hashes)
    root = range_root(0, size, _node_after(runs, cache.reader(connection)))
    _write_tree(connection, head.size, waiting, runs)
    origin = signer.verifier_key.name
    note = sign_note(format_checkpoint(Checkpoint(origin, size, root)), [signer])
    checkpoint = (size, root, note, epoch, now_utc_ms)
    insert_rows(connection, archive_checkpoints, _CHECKPOINT_COLUMNS, [checkpoint])
    if _MOVE_HEAD.change(connection, epoch, head.size, size, root) != 1:
        raise LeadLost(f"the log grew beyond {head.size} in another epoch")
    return Batch(SignedCheckpoint(size, root, note), head.size, runs, len(hashes) == limit)


def newest_checkpoint(connection: Connection) -> SignedCheckpoint | None:
    """Return the newest checkpoint the log signed, cosigned or not."""
    columns = archive_checkpoints.c
    row = connection.execute(
        select(columns.size, columns.root, columns.note).order_by(columns.size.desc()).limit(1)
    ).one_or_none()
    return None if row is None else SignedCheckpoint(*row)


def _waiting(connection: Connection, limit: int) -> list[tuple[int, bytes]]:
    """Return sequence and leaf hash of the entries behind the newest leaf's.

    Sequences are given under the writer's lock, so that none before it can appear later.
    """
    return _WAITING.rows(connection, limit)


def _node_after(runs: tuple[NodeRun, ...], old: NodeAt) -> NodeAt:
    """Return node(level, index) of the tree as it is with the new nodes."""

    def node(level: int, index: int) -> bytes:
        if level < len(runs) and index >= runs[level].first:
            return runs[level].hashes[index - runs[level].first]
        return old(level, index)

    return node


def _write_tree(
    connection: Connection,
    old_size: int,
    waiting: list[tuple[int, bytes]],
    runs: tuple[NodeRun, ...],
) -> None:
    leaves = [
        (index, sequence, leaf_hash)
        for index, (sequence, leaf_hash) in enumerate(waiting, start=old_size)
    ]
    nodes = [
        (run.level, run.first + at, one) for run in runs[1:] for at, one in enumerate(run.hashes)
    ]
    insert_rows(connection, archive_leaves, ("leaf_index", "sequence", "leaf_hash"), leaves)
    insert_rows(connection, archive_nodes, ("level", "position", "hash"), nodes)
