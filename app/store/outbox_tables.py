"""The tables of the outbox file, version 4: what this computer alone knows.

It never holds a copy of what the backend keeps.
"""

from __future__ import annotations

from sqlalchemy import BLOB, Column, Connection, Index, Integer, MetaData, Table, Text, text

OUTBOX_VERSION = 4
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
    # Since version 3: what the sender answered to findings; rule ids, and an approved template.
    Column("acknowledged", Text, nullable=False, server_default="[]"),
    Column("false_positives", Text, nullable=False, server_default="[]"),
    Column("template_id", Text, nullable=False, server_default=""),
    Column("several", Integer, nullable=False, server_default="0"),
    Index("outbox_by_conversation", "conversation_id", "position", "state"),
)
Index(
    "outbox_open",
    outbox.c.conversation_id,
    outbox.c.position,
    sqlite_where=text("state IN ('undo', 'queued', 'sending')"),
)
Index("outbox_accepted", outbox.c.position, sqlite_where=text("state = 'accepted'"))
# Since version 4: what the backend has answered, of which little stands among much that waits.
Index(
    "outbox_answered",
    outbox.c.conversation_id,
    outbox.c.position,
    sqlite_where=text("state IN ('accepted', 'refused')"),
)
Index(
    "outbox_paused",
    outbox.c.position,
    sqlite_where=text("next_attempt_utc_ms > 0 AND state = 'queued'"),
)
# Each row twice, in pages of its own: what one bad page of the table takes is read from here.
Index("outbox_copy", *outbox.columns)
# Since version 4: counted from the entries whenever the file is opened and kept by triggers, so
# that no send looks through what waits behind it.
lanes = Table(
    "lanes",
    METADATA,
    Column("conversation_id", Text, primary_key=True),
    Column("waiting_count", Integer, nullable=False),
    Column("refused_count", Integer, nullable=False),
    Column("head", Integer),
    Column("due_utc_ms", Integer),
    sqlite_with_rowid=False,
)
Index(
    "lanes_due",
    lanes.c.due_utc_ms,
    lanes.c.head,
    sqlite_where=text("due_utc_ms IS NOT NULL"),
)
drafts = Table(
    "drafts",
    METADATA,
    Column("conversation_id", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("quote_message_id", Text),
    Column("attachment_ids", Text, nullable=False),
    Column("saved_at_utc_ms", Integer, nullable=False),
    # Since version 3: the answers to findings, kept with the text they were given for.
    Column("justification", Text, nullable=False, server_default=""),
    Column("acknowledged", Text, nullable=False, server_default="[]"),
    Column("false_positives", Text, nullable=False, server_default="[]"),
    Column("template_id", Text, nullable=False, server_default=""),
)
Index("drafts_copy", *drafts.columns)
uploads = Table(
    "uploads",
    METADATA,
    Column("attachment_id", Text, primary_key=True),
    Column("payload", BLOB, nullable=False),
    # Since version 3: what inspection found in the file before it was uploaded.
    Column("found", BLOB),
)
# Since version 2: the archive's keys, newest tree and alarm; entries verified on this computer.
archive_state = Table(
    "archive_state",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", BLOB, nullable=False),
)
Index("archive_state_copy", *archive_state.columns)
verified = Table(
    "verified",
    METADATA,
    Column("message_id", Text, primary_key=True),
    Column("conversation_id", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("entry_index", Integer, nullable=False),
    Column("leaf_hash", Text, nullable=False),
    Column("verified_at_utc_ms", Integer, nullable=False),
    Column("own_leaf", Integer, nullable=False),
)

_TABLE_NAMES = "SELECT name FROM sqlite_master WHERE type = 'table'"
_LIST = "TEXT NOT NULL DEFAULT '[]'"
_WORDS = "TEXT NOT NULL DEFAULT ''"
_ADDED = (
    (
        "outbox",
        "outbox_copy",
        {
            "acknowledged": _LIST,
            "false_positives": _LIST,
            "template_id": _WORDS,
            "several": "INTEGER NOT NULL DEFAULT 0",
        },
    ),
    (
        "drafts",
        "drafts_copy",
        {
            "justification": _WORDS,
            "acknowledged": _LIST,
            "false_positives": _LIST,
            "template_id": _WORDS,
        },
    ),
    ("uploads", "", {"found": "BLOB"}),
)


def create_outbox(connection: Connection) -> None:
    """Make the tables that are not there yet inside the caller's transaction; set the version.

    So it also brings an older file up to date: version 2 only added tables and an index, version
    3 only columns at the end of three tables, which their copies hold too, version 4 only indexes
    and the table of lanes.
    """
    known = [row[0] for row in connection.exec_driver_sql(_TABLE_NAMES)]
    for name, copy, columns in _ADDED:
        if name in known:
            _add_columns(connection, name, copy, columns)
    for table in METADATA.sorted_tables:
        table.create(connection, checkfirst=True)
    for index in outbox.indexes:
        index.create(connection, checkfirst=True)
    connection.exec_driver_sql(f"PRAGMA user_version = {OUTBOX_VERSION}")


def _add_columns(connection: Connection, table: str, copy: str, columns: dict[str, str]) -> None:
    """Add what an older file's table lacks; write its copy, if any, anew with every column."""
    there = {row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table})")}
    lacking = [name for name in columns if name not in there]
    for name in lacking:
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {name} {columns[name]}")
    if lacking and copy:
        every = ", ".join(METADATA.tables[table].columns.keys())
        connection.exec_driver_sql(f"DROP INDEX IF EXISTS {copy}")
        connection.exec_driver_sql(f"CREATE INDEX {copy} ON {table} ({every})")
