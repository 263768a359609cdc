"""Owns what follows a quorum of cosignatures: the sealed size moves, and everyone is told.

It never seals by itself: the witnesses' lines must have been verified before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, insert, select, update

from backend.archive.log import Head, read_head
from backend.archive.nodes import NodeCache
from backend.archive.proofs import CosignedCheckpoint, build_receipt, covering_checkpoint
from backend.inbox.events import append_event, members_of, note_message
from backend.storage.tables import (
    archive_cosignatures,
    archive_entries,
    archive_head,
    archive_leaves,
    messages,
)
from contract.events import Sealed
from contract.ids import ConversationId, MessageId
from contract.wire import ArchiveRef

ANNOUNCE_AT_ONCE = 512
KIND_PROBE = "diagnostics"


class Cosigned(NamedTuple):
    """One witness's verified line for the checkpoint of a size; `key_id` in hex."""

    size: int
    key_id: str
    line: bytes


class SealedEntry(NamedTuple):
    """A submission that was sealed, with all its sender needs to check it."""

    entry_id: str
    conversation_id: str
    message_id: str
    archive: ArchiveRef
    receipt: str
    decision_hash: str


def record_cosignatures(
    connection: Connection, cosigned: Sequence[Cosigned], quorum: int, now_utc_ms: int
) -> Head:
    """Keep verified cosignatures and move the sealed size where the quorum is reached."""
    columns = archive_cosignatures.c
    for size, key_id, line in cosigned:
        known = connection.execute(
            select(columns.size).where(columns.size == size, columns.key_id == key_id)
        ).first()
        if known is None:
            connection.execute(
                insert(archive_cosignatures).values(
                    size=size, key_id=key_id, line=line.decode(), at_utc_ms=now_utc_ms
                )
            )
        have = connection.execute(select(func.count()).where(columns.size == size)).scalar_one()
        if have >= quorum:
            connection.execute(
                update(archive_head)
                .where(archive_head.c.sealed_size < size)
                .values(sealed_size=size)
            )
    return read_head(connection)


def announce(
    connection: Connection, cache: NodeCache, quorum: int, now_utc_ms: int
) -> list[SealedEntry]:
    """Tell everyone of the next entries that were sealed; empty once all were announced.

    Messages get a new version, which shows their place in the log; submissions get a `sealed`
    event with the receipt. Returns the submissions and probes, whose senders wait.
    """
    head = read_head(connection)
    rows = _unannounced(connection, head)
    if not rows:
        return []
    _show_messages(connection, rows, now_utc_ms)
    sealed: list[SealedEntry] = []
    checkpoint: CosignedCheckpoint | None = None
    for row in rows:
        if not (row.decision_hash or row.kind == KIND_PROBE):
            continue
        if checkpoint is None or row.leaf_index >= checkpoint.size:
            checkpoint = covering_checkpoint(connection, row.leaf_index, quorum)
        assert checkpoint is not None, "a sealed leaf has a cosigned checkpoint"
        sealed.append(_sealed(connection, cache, row, checkpoint))
    for entry in sealed:
        if entry.decision_hash:
            _append_sealed(connection, entry, now_utc_ms)
    connection.execute(update(archive_head).values(announced_size=rows[-1].leaf_index + 1))
    return sealed


def sealed_submission(
    connection: Connection, cache: NodeCache, entry_id: str, quorum: int
) -> SealedEntry | None:
    """Return a sealed submission with its receipt; None while it is not sealed."""
    query = _leaf_query().where(archive_entries.c.entry_id == entry_id)
    row = connection.execute(query).one_or_none()
    if row is None or row.leaf_index >= read_head(connection).sealed_size:
        return None
    checkpoint = covering_checkpoint(connection, row.leaf_index, quorum)
    return None if checkpoint is None else _sealed(connection, cache, row, checkpoint)


def _leaf_query() -> Any:
    entries = archive_entries.c
    return select(
        archive_leaves.c.leaf_index,
        entries.entry_id,
        entries.kind,
        entries.message_id,
        entries.conversation_id,
        entries.decision_hash,
        entries.leaf_hash,
        entries.archived_at_utc_ms,
    ).join(archive_entries, entries.sequence == archive_leaves.c.sequence)


def _unannounced(connection: Connection, head: Head) -> Sequence[Row[Any]]:
    if head.announced_size >= head.sealed_size:
        return ()
    index = archive_leaves.c.leaf_index
    rows: Sequence[Row[Any]] = connection.execute(
        _leaf_query()
        .where(index >= head.announced_size, index < head.sealed_size)
        .order_by(index)
        .limit(ANNOUNCE_AT_ONCE)
    ).all()
    return rows


def _show_messages(connection: Connection, rows: Sequence[Row[Any]], now_utc_ms: int) -> None:
    """Raise the version of each message whose newest version is among the sealed entries."""
    index = archive_leaves.c.leaf_index
    sealed = (
        select(archive_entries.c.message_id, archive_entries.c.entry_id)
        .join(archive_leaves, archive_leaves.c.sequence == archive_entries.c.sequence)
        .where(index >= rows[0].leaf_index, index <= rows[-1].leaf_index)
        .subquery()
    )
    shown = connection.execute(
        update(messages)
        .where(
            messages.c.message_id == sealed.c.message_id, messages.c.entry_id == sealed.c.entry_id
        )
        .values(version=messages.c.version + 1)
        .returning(messages.c.message_id)
    ).scalars()
    for message_id in shown.all():
        note_message(connection, message_id, now_utc_ms)


def _sealed(
    connection: Connection, cache: NodeCache, row: Row[Any], checkpoint: CosignedCheckpoint
) -> SealedEntry:
    return SealedEntry(
        entry_id=row.entry_id,
        conversation_id=row.conversation_id,
        message_id=row.message_id,
        archive=ArchiveRef(
            index=row.leaf_index,
            entry_id=row.entry_id,
            entry_hash=row.leaf_hash.hex(),
            archived_at_utc_ms=row.archived_at_utc_ms,
        ),
        receipt=build_receipt(connection, cache, row.leaf_index, checkpoint).decode(),
        decision_hash=row.decision_hash,
    )


def _append_sealed(connection: Connection, entry: SealedEntry, now_utc_ms: int) -> None:
    body = Sealed(
        message_id=MessageId(entry.message_id),
        conversation_id=ConversationId(entry.conversation_id),
        archive=entry.archive,
        receipt=entry.receipt,
        decision_hash=entry.decision_hash,
    )
    for employee_id in members_of(connection, entry.conversation_id):
        append_event(connection, employee_id, body, now_utc_ms)
