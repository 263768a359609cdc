"""Owns the time by which the witnesses had seen an entry: signed, unlike the entry's own row.

It never believes a time that no known witness has signed.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from backend.archive.proofs import covering_checkpoint
from backend.archive.signing import read_policy
from backend.storage.tables import archive_entries, archive_leaves
from contract.receipts.errors import ReceiptError
from contract.receipts.notes import open_note

# How long a witness may be away, or a clock wrong, before a row's own time counts for nothing.
ALLOWANCE_MS = 24 * 3_600_000


class WitnessTimes:
    """The signed times of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._policy = read_policy(connection)

    def archived_at(self, entry_id: str, said_utc_ms: int) -> int | None:
        """Return the time from which a period runs, in UTC milliseconds; None before the seal.

        `said_utc_ms` is what the entry's row says: not earlier than the witnesses make credible,
        so that nobody shortens a period by changing a row.
        """
        signed_utc_ms = self._signed(entry_id)
        return None if signed_utc_ms is None else max(said_utc_ms, signed_utc_ms - ALLOWANCE_MS)

    def _signed(self, entry_id: str) -> int | None:
        index = self._connection.execute(
            select(archive_leaves.c.leaf_index)
            .join(archive_entries, archive_entries.c.sequence == archive_leaves.c.sequence)
            .where(archive_entries.c.entry_id == entry_id)
        ).scalar_one_or_none()
        policy = self._policy
        if index is None or policy is None:
            return None
        checkpoint = covering_checkpoint(self._connection, index, policy.quorum)
        if checkpoint is None:
            return None
        try:
            signatures = open_note(checkpoint.note, policy.keys).signatures
        except ReceiptError:
            return None
        return max(one.at_utc_s or 0 for one in signatures) * 1000
