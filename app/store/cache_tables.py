"""The tables and indexes of the cache, version 2.

It never holds anything that the backend could not send again.
"""

from __future__ import annotations

from sqlalchemy import (
    BLOB,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

CACHE_VERSION = 2

# Row ids of messages grow with time: search takes the highest first. History is paged newest
# first, so its pages take ids downwards from the middle; imported ones lie below all others.
FIRST_LIVE_ROW_ID = 1 << 40
FIRST_IMPORT_ROW_ID = 1
END_OF_TIME_UTC_MS = 1 << 62

METADATA = MetaData()

meta = Table(
    "meta",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("value", BLOB, nullable=False),
)
sync_state = Table(
    "sync_state",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("cursor", Integer),
    Column("snapshot_seq", Integer),
    Column("snapshot_cursor", Text, nullable=False),
    Column("applied_messages", Integer, nullable=False),
    Column("total_messages", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("next_live_row", Integer, nullable=False),
    Column("next_history_row", Integer, nullable=False),
    Column("next_import_row", Integer, nullable=False),
    Column("history_before_utc_ms", Integer, nullable=False),
)
contacts = Table(
    "contacts",
    METADATA,
    Column("row_id", Integer, primary_key=True),
    Column("contact_id", Text, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("payload", BLOB, nullable=False),
    Index("contacts_by_name", "name_key", "contact_id"),
)
# A conversation known only from its messages has no payload and is not listed.
conversations = Table(
    "conversations",
    METADATA,
    Column("row_id", Integer, primary_key=True),
    Column("conversation_id", Text, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("applied_seq", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("listed", Integer, nullable=False),
    Column("channel", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("last_activity_utc_ms", Integer, nullable=False),
    Column("unread", Integer, nullable=False),
    Column("awaiting", Integer, nullable=False),
    Column("window_closes_at_utc_ms", Integer),
    Column("payload", BLOB),
    # Since version 2: messages placed before this were let go here; the backend has them.
    Column("floor_at_utc_ms", Integer, nullable=False, server_default="0"),
)
_ACTIVITY = (conversations.c.last_activity_utc_ms, conversations.c.conversation_id)
Index("inbox_all", *_ACTIVITY, sqlite_where=text("listed = 1"))
Index("inbox_by_channel", conversations.c.channel, *_ACTIVITY, sqlite_where=text("listed = 1"))
# Since version 2 with the channel, so that rows of other channels are passed by in the index.
_BY_STATE = (*_ACTIVITY, conversations.c.channel)
STATE_INDEXES = (
    Index("inbox_unread", *_BY_STATE, sqlite_where=text("unread = 1")),
    Index("inbox_awaiting", *_BY_STATE, sqlite_where=text("awaiting = 1")),
    Index(
        "inbox_expiring",
        conversations.c.window_closes_at_utc_ms,
        *_BY_STATE,
        sqlite_where=text("listed = 1 AND window_closes_at_utc_ms IS NOT NULL"),
    ),
)
memberships = Table(
    "memberships",
    METADATA,
    Column("contact_id", Text, nullable=False),
    Column("conversation_row", Integer, nullable=False),
    PrimaryKeyConstraint("contact_id", "conversation_row"),
    Index("memberships_by_conversation", "conversation_row"),
    sqlite_with_rowid=False,
)
messages = Table(
    "messages",
    METADATA,
    Column("row_id", Integer, primary_key=True),
    Column("message_id", Text, nullable=False, unique=True),
    Column("conversation_row", Integer, nullable=False),
    Column("place_at_utc_ms", Integer, nullable=False),
    Column("place_index", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("applied_seq", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("payload", BLOB, nullable=False),
    Index("messages_by_place", "conversation_row", "place_at_utc_ms", "place_index"),
)
# What was revoked or erased at a stream position: older events must not bring it back.
tombstones = Table(
    "tombstones",
    METADATA,
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    PrimaryKeyConstraint("kind", "id"),
    sqlite_with_rowid=False,
)
# Seals that came before a message version that carries them.
seals = Table(
    "seals",
    METADATA,
    Column("message_id", Text, primary_key=True),
    Column("conversation_id", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("payload", BLOB, nullable=False),
    Index("seals_by_conversation", "conversation_id"),
)
counters = Table(
    "counters",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Integer, nullable=False),
)
# Since version 2: which attachments lie encrypted beside this file, and when each was last used.
cached_files = Table(
    "cached_files",
    METADATA,
    Column("attachment_id", Text, primary_key=True),
    Column("conversation_id", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("used_at_utc_ms", Integer, nullable=False),
    Index("cached_files_by_use", "used_at_utc_ms", "attachment_id"),
    Index("cached_files_by_conversation", "conversation_id"),
)

_SEARCH_OPTIONS = (
    "content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2', prefix='1 2 3 4 5'"
)
_COUNTED = ("listed", "unread", "awaiting")


def create_cache(connection: Connection) -> None:
    """Make every table inside the caller's transaction and set the file's version."""
    METADATA.create_all(connection)
    for name in ("message_search", "contact_search", "conversation_search"):
        create_search(connection, name)
    connection.execute(
        sync_state.insert().values(
            id=1,
            snapshot_cursor="",
            applied_messages=0,
            total_messages=0,
            generation=1,
            next_live_row=FIRST_LIVE_ROW_ID,
            next_history_row=FIRST_LIVE_ROW_ID - 1,
            next_import_row=FIRST_IMPORT_ROW_ID,
            history_before_utc_ms=END_OF_TIME_UTC_MS,
        )
    )
    connection.execute(counters.insert(), [{"name": name, "value": 0} for name in _COUNTED])
    for event in ("INSERT", "UPDATE", "DELETE"):
        connection.exec_driver_sql(_counting_trigger(event))
    create_file_counter(connection)
    connection.exec_driver_sql(f"PRAGMA user_version = {CACHE_VERSION}")


def create_search(connection: Connection, name: str) -> None:
    """Make a full-text index whose rows are those of a table and hold no text themselves."""
    connection.exec_driver_sql(f"CREATE VIRTUAL TABLE {name} USING fts5(body, {_SEARCH_OPTIONS})")


def create_file_counter(connection: Connection) -> None:
    """Keep the size of all cached files as a counter, so that nobody has to add them up."""
    connection.execute(counters.insert().values(name="cached_bytes", value=0))
    for event, change in (
        ("INSERT", "+ NEW.size_bytes"),
        ("UPDATE OF size_bytes", "+ NEW.size_bytes - OLD.size_bytes"),
        ("DELETE", "- OLD.size_bytes"),
    ):
        connection.exec_driver_sql(
            f"CREATE TRIGGER sum_files_on_{event.split()[0].lower()} AFTER {event}"  # noqa: S608 -- names are ours
            f" ON cached_files BEGIN UPDATE counters SET value = value {change}"
            " WHERE name = 'cached_bytes'; END"
        )


def _counting_trigger(event: str) -> str:
    plus = {"INSERT": "+ NEW.{0}", "UPDATE": "+ NEW.{0} - OLD.{0}", "DELETE": "- OLD.{0}"}[event]
    columns = f" OF {', '.join(_COUNTED)}" if event == "UPDATE" else ""
    steps = "; ".join(
        f"UPDATE counters SET value = value {plus.format(name)} WHERE name = '{name}'"  # noqa: S608 -- names are ours
        for name in _COUNTED
    )
    return (
        f"CREATE TRIGGER count_on_{event.lower()} AFTER {event}{columns} ON conversations "
        f"BEGIN {steps}; END"
    )
