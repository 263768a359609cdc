"""The tables of the outbox file, version 1: what this computer alone knows.

It never holds a copy of what the backend keeps.
"""

from __future__ import annotations

from sqlalchemy import BLOB, Column, Connection, Index, Integer, MetaData, Table, Text, text

OUTBOX_VERSION = 1
OPEN_STATES = ("undo", "queued", "sending")

METADATA = MetaData()

# `position` is the composing order; plain columns, so that a damaged file is read row by row.
outbox = Table(
    "outbox",
    METADATA,
    Column("position", Integer, primary_key=True),
    Column("message_id", Text, nullable=False, unique=True),
    Column("revision", Integer, nullable=False),
    Column("conversation_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("salt", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("composed_at_utc_ms", Integer, nullable=False),
    Column("undo_until_utc_ms", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_utc_ms", Integer, nullable=False),
    Column("quote_message_id", Text),
    Column("attachment_ids", Text, nullable=False),
    Column("justification", Text, nullable=False),
    Column("hint_json", BLOB, nullable=False),
    Column("problem_code", Text, nullable=False),
    Column("problem_detail", Text, nullable=False),
    Column("findings", BLOB, nullable=False),
    Index("outbox_by_conversation", "conversation_id", "position", "state"),
)
Index(
    "outbox_open",
    outbox.c.conversation_id,
    outbox.c.position,
    sqlite_where=text("state IN ('undo', 'queued', 'sending')"),
)
# Each row twice, in pages of its own: what one bad page of the table takes is read from here.
Index("outbox_copy", *outbox.columns)
drafts = Table(
    "drafts",
    METADATA,
    Column("conversation_id", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("quote_message_id", Text),
    Column("attachment_ids", Text, nullable=False),
    Column("saved_at_utc_ms", Integer, nullable=False),
)
Index("drafts_copy", *drafts.columns)
uploads = Table(
    "uploads",
    METADATA,
    Column("attachment_id", Text, primary_key=True),
    Column("payload", BLOB, nullable=False),
)


def create_outbox(connection: Connection) -> None:
    """Make every table inside the caller's transaction and set the file's version."""
    METADATA.create_all(connection)
    connection.exec_driver_sql(f"PRAGMA user_version = {OUTBOX_VERSION}")
