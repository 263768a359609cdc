"""Owns the tables of what delivery knows of vendors: their limits in force, channels' troubles.

It never runs a query.
"""

from __future__ import annotations

from sqlalchemy import Table

from backend.storage.columns import firm, flag, maybe_number, metadata, number, ref, text

# What a vendor asked for last, at `asked_at_utc_ms`: nothing is sent before `until_utc_ms`. `chat`
# is the conversation it holds for, empty for the whole account; `strikes` counts such answers in a
# row, the first of them at `since_utc_ms`.
channel_limits = Table(
    "channel_limits",
    metadata,
    ref("account_id", "channel_accounts.account_id", key=True),
    text("chat", key=True),
    firm(),
    number("since_utc_ms"),
    number("asked_at_utc_ms"),
    number("until_utc_ms"),
    number("strikes", default=1),
    flag("quota"),
)
# What the account's employees were told last; no row: all is well.
channel_troubles = Table(
    "channel_troubles",
    metadata,
    ref("account_id", "channel_accounts.account_id", key=True),
    firm(),
    text("kind"),
    number("since_utc_ms"),
    maybe_number("until_utc_ms"),
)
