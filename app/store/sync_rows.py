"""The one row that tells how far the cache has come: cursor, snapshot, row-id ranges.

It never commits: callers write it in the transaction of what it tells about.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection, text

from app.store.check import SnapshotProgress

_SELECT = text(
    "SELECT cursor, snapshot_seq, snapshot_cursor, applied_messages, total_messages, generation,"
    " next_live_row, next_history_row, next_import_row, history_before_utc_ms"
    " FROM sync_state WHERE id = 1"
)
_UPDATE = text(
    "UPDATE sync_state SET cursor = :cursor, snapshot_seq = :snapshot_seq,"
    " snapshot_cursor = :snapshot_cursor, applied_messages = :applied_messages,"
    " total_messages = :total_messages, generation = :generation,"
    " next_live_row = :next_live_row, next_history_row = :next_history_row,"
    " next_import_row = :next_import_row, history_before_utc_ms = :history_before_utc_ms"
    " WHERE id = 1"
)


@dataclass(frozen=True, slots=True)
class SyncState:
    """`cursor` None: a snapshot is due; `snapshot_seq` None: none is under way.

    The stream is followed from a snapshot's first page on: both may be set at a time.

    `generation` grows with each snapshot; rows it did not meet keep the former number.
    A snapshot's messages placed before `history_before_utc_ms` are older than what is here.
    """

    cursor: int | None
    snapshot_seq: int | None
    snapshot_cursor: str
    applied_messages: int
    total_messages: int
    generation: int
    next_live_row: int
    next_history_row: int
    next_import_row: int
    history_before_utc_ms: int

    def progress(self) -> SnapshotProgress | None:
        """Return where the snapshot under way goes on, or None."""
        if self.snapshot_seq is None:
            return None
        return SnapshotProgress(
            self.snapshot_seq, self.snapshot_cursor, self.applied_messages, self.total_messages
        )

    def begin_snapshot(self, seq: int, history_before_utc_ms: int) -> SyncState:
        """Return the state at a new snapshot's first page: stream from its position."""
        return replace(
            self,
            cursor=seq,
            snapshot_seq=seq,
            snapshot_cursor="",
            applied_messages=0,
            generation=self.generation + 1,
            history_before_utc_ms=history_before_utc_ms,
        )

    def end_snapshot(self) -> SyncState:
        """Return the state after the last page; the stream's position is its own."""
        return replace(
            self,
            snapshot_seq=None,
            snapshot_cursor="",
            applied_messages=0,
        )


def read_state(connection: Connection) -> SyncState:
    """Return the row."""
    return SyncState(*connection.execute(_SELECT).one())


def write_state(connection: Connection, state: SyncState) -> None:
    """Replace the row."""
    connection.execute(
        _UPDATE,
        {name: getattr(state, name) for name in SyncState.__dataclass_fields__},
    )
