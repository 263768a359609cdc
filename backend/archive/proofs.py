"""Owns the building of receipts and consistency proofs from the stored log.

It never hands out a checkpoint that the quorum of witnesses has not cosigned.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import NoResultFound

from backend.archive.log import SignedCheckpoint, read_head
from backend.archive.nodes import NodeCache
from backend.storage.bulk import Prepared
from backend.storage.tables import archive_checkpoints, archive_cosignatures
from contract.receipts.errors import FaultCode, ProofError
from contract.receipts.merkle import build_consistency
from contract.receipts.notes import add_lines
from contract.receipts.tlog_proof import receipt_text
from contract.receipts.trees import ProofLines

_cosignatures, _checkpoints = archive_cosignatures.c, archive_checkpoints.c
_LINES_AFTER = Prepared(
    select(_cosignatures.size, _cosignatures.line)
    .where(_cosignatures.size > bindparam("index"))
    .order_by(_cosignatures.size, _cosignatures.at_utc_ms, _cosignatures.key_id),
    "index",
)
_LINES_OF = Prepared(
    select(_cosignatures.line)
    .where(_cosignatures.size == bindparam("of_size"))
    .order_by(_cosignatures.at_utc_ms, _cosignatures.key_id),
    "of_size",
)
_CHECKPOINT = Prepared(
    select(_checkpoints.root, _checkpoints.note).where(_checkpoints.size == bindparam("of_size")),
    "of_size",
)


class CosignedCheckpoint(NamedTuple):
    """A checkpoint with the cosignatures stored for it; `note` holds all of them.

    `witnesses` counts names: a witness may sign with keys of two types.
    """

    size: int
    root: bytes
    note: bytes
    witnesses: int


def covering_checkpoint(
    connection: Connection, leaf_index: int, quorum: int
) -> CosignedCheckpoint | None:
    """Return the first quorum-cosigned checkpoint over a leaf: the same at every call."""
    with closing(_LINES_AFTER.each(connection, leaf_index)) as rows:
        for size, group in groupby(rows, key=itemgetter(0)):
            lines = [line for _, line in group]
            if count_witnesses(lines) >= quorum:
                return _with_lines(connection, size, lines)
    return None


def count_witnesses(lines: Iterable[str]) -> int:
    """Return how many names stand on verified signature lines, as clients count a quorum."""
    return len({line.split(" ", 2)[1] for line in lines})


def newest_sealed(connection: Connection) -> CosignedCheckpoint | None:
    """Return the newest quorum-cosigned checkpoint; None while nothing is sealed."""
    size = read_head(connection).sealed_size
    return cosigned_checkpoint(connection, size) if size else None


def cosigned_checkpoint(connection: Connection, size: int) -> CosignedCheckpoint:
    """Return the checkpoint of this size with the cosignatures there are.

    Raises sqlalchemy.exc.NoResultFound when there is none of this size.
    """
    lines = [line for (line,) in _LINES_OF.rows(connection, size)]
    return _with_lines(connection, size, lines)


def _with_lines(connection: Connection, size: int, lines: list[str]) -> CosignedCheckpoint:
    row = _CHECKPOINT.first(connection, size)
    if row is None:
        raise NoResultFound(f"the log has no checkpoint of size {size}")
    note = add_lines(row[1], [line.encode() for line in lines])
    return CosignedCheckpoint(size, row[0], note, count_witnesses(lines))


def build_receipt(
    connection: Connection, cache: NodeCache, leaf_index: int, checkpoint: CosignedCheckpoint
) -> bytes:
    """Return the tlog-proof@v1 of a leaf under a checkpoint over it; may raise NodeMissing."""
    return ReceiptWriter(connection, cache, checkpoint).receipt(leaf_index).encode()


class ReceiptWriter:
    """Writes the receipts of one transaction under one checkpoint; what they share, once."""

    def __init__(
        self, connection: Connection, cache: NodeCache, checkpoint: CosignedCheckpoint
    ) -> None:
        self.size = checkpoint.size
        self._lines = ProofLines(checkpoint.size, cache.reader(connection))
        self._note = checkpoint.note.decode()

    def receipt(self, leaf_index: int) -> str:
        """Return a leaf's receipt; raises ProofError or NodeMissing."""
        return receipt_text(leaf_index, self._lines.of(leaf_index), self._note)


def consistency_between(
    connection: Connection, cache: NodeCache, from_size: int, to_size: int
) -> list[bytes]:
    """Return the proof between two sizes of the sealed log; raises ProofError for others."""
    if to_size > read_head(connection).sealed_size:
        raise ProofError(FaultCode.PROOF_OUT_OF_RANGE, "the sealed log is smaller")
    return build_consistency(from_size, to_size, cache.reader(connection))


def consistency(
    connection: Connection, cache: NodeCache, from_size: int, checkpoint: SignedCheckpoint
) -> list[bytes]:
    """Return the proof from a size to a checkpoint, empty from 0; raises ProofError."""
    if from_size in (0, checkpoint.size):
        return []
    return build_consistency(from_size, checkpoint.size, cache.reader(connection))
