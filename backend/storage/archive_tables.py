"""Owns the tables of the archive: entries, bodies, and the log that is built over them.

It never runs a query; all but the head only grow.

Commit A writes entries and bodies, commit B leaves, nodes and a checkpoint, the witnesses'
answers add cosignatures and move the head's sealed size.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table

from backend.storage.columns import blob, firm, metadata, number, ref, text


def _row_number(name: str) -> Column[int]:
    """Make a primary key that is SQLite's own row number."""
    kind = BigInteger().with_variant(Integer, "sqlite")
    return Column(name, kind, primary_key=True, autoincrement=False)


# `sequence` counts from 0 in the order of commit A; it never changes.
archive_entries = Table(
    "archive_entries",
    metadata,
    _row_number("sequence"),
    Column("entry_id", text("entry_id").type, nullable=False, unique=True),
    firm(),
    text("kind"),
    text("conversation_id", default=""),
    text("message_id", default=""),
    blob("leaf"),
    blob("leaf_hash"),
    text("decision_hash", default=""),
    number("archived_at_utc_ms"),
    Index("archive_entries_by_message", "message_id"),
)
# Bodies lie beside the log, with their salt: a lawful erasure takes both, the proofs stay.
archive_bodies = Table(
    "archive_bodies",
    metadata,
    ref("entry_id", "archive_entries.entry_id", key=True),
    firm(),
    blob("salt"),
    blob("body"),
)
# The tree's level 0: which entry each leaf is.
archive_leaves = Table(
    "archive_leaves",
    metadata,
    _row_number("leaf_index"),
    Column("sequence", ForeignKey("archive_entries.sequence"), nullable=False, unique=True),
    blob("leaf_hash"),
)
# Complete nodes from level 1 up; `position` counts from 0 within a level.
archive_nodes = Table(
    "archive_nodes",
    metadata,
    number("level", key=True),
    number("position", key=True),
    blob("hash"),
    sqlite_with_rowid=False,
)
# `note` is the checkpoint as the log signed it, without cosignatures.
archive_checkpoints = Table(
    "archive_checkpoints",
    metadata,
    _row_number("size"),
    blob("root"),
    blob("note"),
    number("epoch"),
    number("at_utc_ms"),
)
archive_cosignatures = Table(
    "archive_cosignatures",
    metadata,
    number("size", key=True),
    text("key_id", key=True),
    text("line"),
    number("at_utc_ms"),
    sqlite_with_rowid=False,
)
# One row, `log`. A sequencer commits only while epoch and size are those it knows. The entries
# below `sealed_size` are covered by the quorum; those below `announced_size` were told of.
archive_head = Table(
    "archive_head",
    metadata,
    text("name", key=True),
    number("epoch", default=0),
    number("size", default=0),
    blob("root"),
    number("sealed_size", default=0),
    number("announced_size", default=0),
)
# The keys the log signs with; the newest counts. `secret` is a PRIVATE+KEY text.
archive_log_keys = Table(
    "archive_log_keys",
    metadata,
    _row_number("n"),
    text("verifier_key"),
    text("secret"),
    number("from_size"),
    number("at_utc_ms"),
)
archive_statements = Table(
    "archive_statements",
    metadata,
    _row_number("n"),
    text("kind"),
    blob("note"),
    number("at_utc_ms"),
)
