"""Owns the building of receipts and consistency proofs from the stored log.

It never hands out a checkpoint that the quorum of witnesses has not cosigned.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from backend.archive.log import SignedCheckpoint, read_head
from backend.archive.nodes import NodeCache
from backend.storage.tables import archive_checkpoints, archive_cosignatures
from contract.receipts.errors import FaultCode, ProofError
from contract.receipts.merkle import build_consistency, build_inclusion
from contract.receipts.notes import add_lines
from contract.receipts.tlog_proof import Receipt, assemble_receipt


class CosignedCheckpoint(NamedTuple):
    """A checkpoint with the cosignatures stored for it; `note` holds all of them."""

    size: int
    root: bytes
    note: bytes
    witnesses: int


def covering_checkpoint(
    connection: Connection, leaf_index: int, quorum: int
) -> CosignedCheckpoint | None:
    """Return the first quorum-cosigned checkpoint over a leaf: the same at every call."""
    columns = archive_cosignatures.c
    size = connection.execute(
        select(columns.size)
        .where(columns.size > leaf_index)
        .group_by(columns.size)
        .having(func.count() >= quorum)
        .order_by(columns.size)
        .limit(1)
    ).scalar_one_or_none()
    return None if size is None else cosigned_checkpoint(connection, size)


def newest_sealed(connection: Connection) -> CosignedCheckpoint | None:
    """Return the newest quorum-cosigned checkpoint; None while nothing is sealed."""
    size = read_head(connection).sealed_size
    return cosigned_checkpoint(connection, size) if size else None


def cosigned_checkpoint(connection: Connection, size: int) -> CosignedCheckpoint:
    """Return the checkpoint of this size with the cosignatures there are.

    Raises sqlalchemy.exc.NoResultFound when there is none of this size.
    """
    columns = archive_checkpoints.c
    row = connection.execute(select(columns.root, columns.note).where(columns.size == size)).one()
    lines = connection.execute(
        select(archive_cosignatures.c.line)
        .where(archive_cosignatures.c.size == size)
        .order_by(archive_cosignatures.c.at_utc_ms, archive_cosignatures.c.key_id)
    ).scalars()
    encoded = [line.encode() for line in lines]
    return CosignedCheckpoint(size, row.root, add_lines(row.note, encoded), len(encoded))


def build_receipt(
    connection: Connection, cache: NodeCache, leaf_index: int, checkpoint: CosignedCheckpoint
) -> bytes:
    """Return the tlog-proof@v1 of a leaf under a checkpoint over it; may raise NodeMissing."""
    proof = build_inclusion(leaf_index, checkpoint.size, cache.reader(connection))
    return assemble_receipt(Receipt(leaf_index, tuple(proof), checkpoint.note))


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
