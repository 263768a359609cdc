"""Owns what a signed statement changes: the key after a rotation, the tree after a restore.

It never follows a statement that does not explain just what this computer has seen.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from app.archive.keeper import SeenTree
from app.archive.pins import ANY_SIZE, Trust
from contract.receipts.errors import ReceiptError
from contract.receipts.keys import VerifierKey
from contract.receipts.notes import split_note
from contract.receipts.statements import Move, Restore, Rotation, open_statement

_LOG = logging.getLogger(__name__)

# A statement is made after the last tree it explains; clocks of two machines may differ by this.
CLOCK_SKEW_MS = 5 * 60_000


@dataclass(frozen=True, slots=True)
class Succession:
    """The keys and the tree to go on with."""

    kind: str
    trust: Trust
    tree: SeenTree | None


def succession_of(
    note: bytes, trust: Trust, tree: SeenTree | None, recovery: Sequence[VerifierKey]
) -> Succession | None:
    """Return what follows from a statement; None when it was used, is not ours or not signed."""
    try:
        digest = hashlib.sha256(split_note(note).text).hexdigest()
        if digest in trust.applied:
            return None
        statement = open_statement(note, recovery, VerifierKey.parse(trust.log_key))
    except ReceiptError as fault:
        _LOG.info("a statement about the archive is not followed: %s", fault.code)
        return None
    if isinstance(statement, Rotation):
        if statement.new_key.name != statement.origin:
            return None
        # Not noted as used: it speaks of the key in force, so it can't be followed twice.
        former = trust.succeeded(statement.from_size)
        rotated = msgspec.structs.replace(trust, log_key=str(statement.new_key), former=former)
        return Succession("rotation", rotated, tree)
    if tree is not None and statement.at_utc_ms + CLOCK_SKEW_MS < tree.seen_at_utc_ms:
        return None  # an old statement, shown again to roll the log back
    used = msgspec.structs.replace(trust, applied=(*trust.applied, digest))
    if isinstance(statement, Restore):
        if tree is None or not _explains(statement, tree):
            return None
        return Succession("restore", used, _tree(statement.origin, statement))
    used = msgspec.structs.replace(
        used,
        log_key=str(statement.new_key),
        witness_keys=tuple(map(str, statement.witness_keys)),
        quorum=statement.quorum,
        former=trust.succeeded(tree.size if tree is not None else ANY_SIZE),
    )
    return Succession("move", used, _tree(statement.new_key.name, statement))


def _explains(restore: Restore, tree: SeenTree) -> bool:
    """Tell whether a restore names as lost every entry this computer saw beyond it."""
    if tree.size <= restore.size:
        return False
    reached = restore.size
    for start, end in sorted(restore.lost):
        if start > reached:
            break
        reached = max(reached, end)
    return reached >= tree.size


def _tree(origin: str, stated: Restore | Move) -> SeenTree:
    return SeenTree(origin, stated.size, stated.root.hex(), b"", stated.at_utc_ms)
