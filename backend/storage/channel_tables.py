"""Owns the tables of what channels keep: accounts' settings, and vendors' words on messages.

It never runs a query.
"""

from __future__ import annotations

from sqlalchemy import Table

from backend.storage.account_tables import ACCOUNT_COLUMNS_OF_5
from backend.storage.change_tables import CHANGE_COLUMNS_OF_5
from backend.storage.columns import firm, flag, metadata, number, ref, text

# What schema 5 added to tables that were there before, one ALTER TABLE statement each.
COLUMNS_OF_5: tuple[str, ...] = (
    *ACCOUNT_COLUMNS_OF_5,
    *CHANGE_COLUMNS_OF_5,
    "ALTER TABLE inbound_raw ADD COLUMN applied TEXT DEFAULT '[]' NOT NULL",
)
# The whole database is encrypted; a secret's value is never given out again by any command.
channel_account_settings = Table(
    "channel_account_settings",
    metadata,
    ref("account_id", "channel_accounts.account_id", key=True),
    text("name", key=True),
    firm(),
    text("value"),
    flag("secret"),
    number("set_at_utc_ms"),
)
# What a vendor wants to hear again of one of its messages, such as LINE's quote token.
channel_message_refs = Table(
    "channel_message_refs",
    metadata,
    ref("account_id", "channel_accounts.account_id", key=True),
    text("external_id", key=True),
    text("name", key=True),
    firm(),
    text("value"),
)
