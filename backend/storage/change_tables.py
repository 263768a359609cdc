"""Owns the table of what is to be told a vendor about messages that went out, or came in.

It never runs a query.
"""

from __future__ import annotations

from sqlalchemy import Index, Table

from backend.storage.columns import firm, maybe_text, metadata, number, ref, text

EDIT, DELETE, REACT, READ = "edit", "delete", "react", "read"
# What schema 5 added to the messages: what the client still sees although it was changed here.
CHANGE_COLUMNS_OF_5 = ("ALTER TABLE messages ADD COLUMN change_note TEXT DEFAULT '' NOT NULL",)
# `kind` is edit, delete, react or read; `value` the text or emoji; `state` is ready, done or
# failed. `entry_id` is the archived entry without whose seal nothing is told; a read mark has none.
# A conversation's changes run in the order of `lane_order`, the archive's sequence.
message_changes = Table(
    "message_changes",
    metadata,
    text("change_id", key=True),
    firm(),
    ref("message_id", "messages.message_id"),
    ref("conversation_id", "conversations.conversation_id"),
    ref("account_id", "channel_accounts.account_id"),
    text("kind"),
    text("value", default=""),
    maybe_text("entry_id"),
    text("state", default="ready"),
    text("detail", default=""),
    number("attempts", default=0),
    number("not_before_utc_ms", default=0),
    number("lane_order"),
    number("created_at_utc_ms"),
    Index("message_changes_by_state", "state", "conversation_id", "lane_order"),
)
