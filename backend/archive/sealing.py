"""Owns what follows a quorum of cosignatures: the sealed size moves, and everyone is told.

It never seals by itself: the witnesses' lines must have been verified before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from backend.archive.log import Head, read_head
from backend.archive.nodes import NodeCache
from backend.archive.proofs import ReceiptWriter, count_witnesses, covering_checkpoint
from backend.inbox.events import append_event, members_of, note_message
from backend.storage.bulk import Prepared, insert_rows
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

    @property
    def name(self) -> str:
        """Return the witness's name, by which a quorum is counted."""
        return self.line.decode().split(" ", 2)[1]


class SealedEntry(NamedTuple):
    """A submission that was sealed, with all its sender needs to check it."""

    entry_id: str
    conversation_id: str
    message_id: str
    archive: ArchiveRef
    receipt: str
    decision_hash: str


class Announced(NamedTuple):
    """The submissions and probes told of, whose senders wait, and whether there are `more`."""

    entries: list[SealedEntry]
    more: bool


class _Leaf(NamedTuple):
    leaf_index: int
    entry_id: str
    kind: str
    message_id: str
    conversation_id: str
    decision_hash: str
    leaf_hash: bytes
    archived_at_utc_ms: int


_entries, _index = archive_entries.c, archive_leaves.c.leaf_index
_LEAVES = select(
    _index,
    _entries.entry_id,
    _entries.kind,
    _entries.message_id,
    _entries.conversation_id,
    _entries.decision_hash,
    _entries.leaf_hash,
    _entries.archived_at_utc_ms,
).join(archive_entries, _entries.sequence == archive_leaves.c.sequence)
_LEAVES_BETWEEN = Prepared(
    _LEAVES.where(_index >= bindparam("first"), _index < bindparam("end"))
    .order_by(_index)
    .limit(ANNOUNCE_AT_ONCE),
    "first",
    "end",
)
_LEAF_OF = Prepared(_LEAVES.where(_entries.entry_id == bindparam("entry")), "entry")
_COSIGNATURE_COLUMNS = ("size", "key_id", "line", "at_utc_ms")
_LINES_OF = Prepared(
    select(archive_cosignatures.c.key_id, archive_cosignatures.c.line).where(
        archive_cosignatures.c.size == bindparam("of_size")
    ),
    "of_size",
)
_head = archive_head.c
_SEAL = Prepared(
    update(archive_head)
    .where(_head.sealed_size < bindparam("to_size"))
    .values(sealed_size=bindparam("to_size"))
    .returning(_head.epoch, _head.size, _head.root, _head.sealed_size, _head.announced_size),
    "to_size",
)
_TELL = Prepared(
    update(archive_head).values(announced_size=bindparam("to_size")),
    "to_size",
)
_shown = (
    select(_entries.message_id, _entries.entry_id)
    .join(archive_leaves, archive_leaves.c.sequence == _entries.sequence)
    .where(_index >= bindparam("first"), _index <= bindparam("last"))
    .subquery()
)
_SHOW = Prepared(
    update(messages)
    .where(messages.c.message_id == _shown.c.message_id, messages.c.entry_id == _shown.c.entry_id)
    .values(version=messages.c.version + 1)
    .returning(messages.c.message_id),
    "first",
    "last",
)


def record_cosignatures(
    connection: Connection, cosigned: Sequence[Cosigned], quorum: int, now_utc_ms: int
) -> Head:
    """Keep verified cosignatures and move the sealed size where the quorum is reached."""
    moved: Any = None
    for size, key_id, line in cosigned:
        known = dict(_LINES_OF.rows(connection, size))
        if key_id not in known:
            known[key_id] = line.decode()
            row = (size, key_id, known[key_id], now_utc_ms)
            insert_rows(connection, archive_cosignatures, _COSIGNATURE_COLUMNS, [row])
        if count_witnesses(known.values()) >= quorum:
            moved = _SEAL.first(connection, size) or moved
    return read_head(connection) if moved is None else Head(*moved)


def announce(
    connection: Connection, cache: NodeCache, quorum: int, now_utc_ms: int, head: Head | None = None
) -> Announced:
    """Tell everyone of the next entries that were sealed; none once all were announced.

    Messages get a new version, which shows their place in the log; submissions get a `sealed`
    event with the receipt. `head` saves the reading of it.
    """
    head = head or read_head(connection)
    if head.announced_size >= head.sealed_size:
        return Announced([], False)
    rows = _LEAVES_BETWEEN.rows(connection, head.announced_size, head.sealed_size)
    leaves = [_Leaf(*row) for row in rows]
    _show_messages(connection, leaves, now_utc_ms)
    sealed: list[SealedEntry] = []
    writer: ReceiptWriter | None = None
    for leaf in leaves:
        if not (leaf.decision_hash or leaf.kind == KIND_PROBE):
            continue
        if writer is None or leaf.leaf_index >= writer.size:
            checkpoint = covering_checkpoint(connection, leaf.leaf_index, quorum)
            assert checkpoint is not None, "a sealed leaf has a cosigned checkpoint"
            writer = ReceiptWriter(connection, cache, checkpoint)
        sealed.append(_sealed(leaf, writer))
    for entry in sealed:
        if entry.decision_hash:
            _append_sealed(connection, entry, now_utc_ms)
    announced_size = leaves[-1].leaf_index + 1
    _TELL.change(connection, announced_size)
    return Announced(sealed, announced_size < head.sealed_size)


def sealed_submission(
    connection: Connection, cache: NodeCache, entry_id: str, quorum: int
) -> SealedEntry | None:
    """Return a sealed submission with its receipt; None while it is not sealed."""
    row = _LEAF_OF.first(connection, entry_id)
    if row is None:
        return None
    leaf = _Leaf(*row)
    if leaf.leaf_index >= read_head(connection).sealed_size:
        return None
    checkpoint = covering_checkpoint(connection, leaf.leaf_index, quorum)
    if checkpoint is None:
        return None
    return _sealed(leaf, ReceiptWriter(connection, cache, checkpoint))


def _show_messages(connection: Connection, leaves: Sequence[_Leaf], now_utc_ms: int) -> None:
    """Raise the version of each message whose newest version is among the sealed entries."""
    first, last = leaves[0].leaf_index, leaves[-1].leaf_index
    for (message_id,) in _SHOW.rows(connection, first, last):
        note_message(connection, message_id, now_utc_ms)


def _sealed(leaf: _Leaf, writer: ReceiptWriter) -> SealedEntry:
    return SealedEntry(
        entry_id=leaf.entry_id,
        conversation_id=leaf.conversation_id,
        message_id=leaf.message_id,
        archive=ArchiveRef(
            index=leaf.leaf_index,
            entry_id=leaf.entry_id,
            entry_hash=leaf.leaf_hash.hex(),
            archived_at_utc_ms=leaf.archived_at_utc_ms,
        ),
        receipt=writer.receipt(leaf.leaf_index),
        decision_hash=leaf.decision_hash,
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
