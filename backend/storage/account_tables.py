"""Owns the tables of who answers on which account: triage, modes, and what clients are told.

It never runs a query and knows no rule of the business.
"""

from __future__ import annotations

from sqlalchemy import Index, Table, UniqueConstraint

from backend.storage.columns import firm, flag, maybe_number, metadata, number, ref, text

# Values of `consent_mode`: clients are told nothing, told at first contact, or asked first.
NO_NOTICE = "none"
NOTICE = "notice"
OPT_IN = "opt_in"
# What schema 5 added to `channel_accounts`, which was there before. `shown_name` is the name that
# clients see beside the number; `language` that of clients nobody knows yet; `consent_mode` is
# none, notice or opt_in. `captured_at` is when something was last captured of a native account,
# `captured_upto` the newest message of it, `watched_from` when its silence began to count that was
# never captured; `capture_limit_h` None leaves it to the firm's figure.
ACCOUNT_COLUMNS_OF_5: tuple[str, ...] = (
    "ALTER TABLE channel_accounts ADD COLUMN shown_name TEXT DEFAULT '' NOT NULL",
    "ALTER TABLE channel_accounts ADD COLUMN language TEXT DEFAULT 'en' NOT NULL",
    "ALTER TABLE channel_accounts ADD COLUMN consent_mode TEXT DEFAULT 'none' NOT NULL",
    "ALTER TABLE channel_accounts ADD COLUMN watched_from_utc_ms BIGINT",
    "ALTER TABLE channel_accounts ADD COLUMN captured_at_utc_ms BIGINT",
    "ALTER TABLE channel_accounts ADD COLUMN captured_upto_utc_ms BIGINT",
    "ALTER TABLE channel_accounts ADD COLUMN capture_limit_h BIGINT",
)
# Who looks after the unknown senders of an account; without any, whoever writes from it does.
triage_owners = Table(
    "triage_owners",
    metadata,
    ref("account_id", "channel_accounts.account_id", key=True),
    ref("employee_id", "employees.employee_id", key=True),
    firm(),
)
# A conversation that nobody takes part in; `state` is open, assigned or dismissed.
triage_items = Table(
    "triage_items",
    metadata,
    ref("conversation_id", "conversations.conversation_id", key=True),
    firm(),
    ref("account_id", "channel_accounts.account_id"),
    text("state", default="open"),
    number("opened_at_utc_ms"),
    text("decided_by", default=""),
    maybe_number("decided_at_utc_ms"),
    text("assigned_to", default=""),
    text("note", default=""),
    Index("triage_items_by_state", "firm_id", "state", "opened_at_utc_ms"),
)
# How an employee works on a channel; without a row as the account says.
member_modes = Table(
    "member_modes",
    metadata,
    ref("employee_id", "employees.employee_id", key=True),
    text("channel", key=True),
    firm(),
    text("mode"),
    number("set_at_utc_ms"),
)
# What clients are told and asked, of which versions are only added. `channel` is empty for all
# channels, `kind` is notice or opt_in, `review` what counsel still has to say of it.
consent_texts = Table(
    "consent_texts",
    metadata,
    text("text_id", key=True),
    firm(),
    text("channel", default=""),
    text("language"),
    text("kind"),
    number("version"),
    text("body"),
    text("sha256"),
    text("review", default=""),
    text("added_by"),
    number("added_at_utc_ms"),
    UniqueConstraint("firm_id", "channel", "language", "kind", "version"),
)
# Each notice that went to a client: by which text, and what it asked for.
consent_notices = Table(
    "consent_notices",
    metadata,
    ref("message_id", "messages.message_id", key=True),
    firm(),
    ref("contact_id", "contacts.contact_id"),
    ref("conversation_id", "conversations.conversation_id"),
    text("channel"),
    text("kind"),
    text("text_version"),
    number("given_at_utc_ms"),
    flag("answered"),
    Index("consent_notices_by_contact", "contact_id", "channel", "given_at_utc_ms"),
)
