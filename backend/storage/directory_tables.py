"""Owns the tables of the directory: people, addresses, consents, walls and channel accounts.

It never runs a query and knows no rule of the business.
"""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, Table, UniqueConstraint

from backend.storage.columns import (
    firm,
    flag,
    maybe_number,
    metadata,
    number,
    ref,
    text,
)

firms = Table("firms", metadata, text("firm_id", key=True), text("display_name"))

# `roles` is a JSON list of contract.wire.Role values.
employees = Table(
    "employees",
    metadata,
    text("employee_id", key=True),
    firm(),
    text("display_name"),
    text("initials"),
    text("roles", default='["employee"]'),
    text("time_zone", default="UTC"),
    text("language", default="en"),
)
# `token_hash` is the SHA-256 (hex) of a bearer token; the token itself is stored nowhere.
access_tokens = Table(
    "access_tokens",
    metadata,
    text("token_hash", key=True),
    firm(),
    ref("employee_id", "employees.employee_id"),
    maybe_number("expires_at_utc_ms"),
)
contacts = Table(
    "contacts",
    metadata,
    text("contact_id", key=True),
    firm(),
    number("version", default=1),
    text("display_name"),
    text("initials", default=""),
    text("organisation", default=""),
    text("city", default=""),
    text("time_zone", default=""),
    text("language", default="en"),
    number("color", default=0),
    flag("retail"),
)
# A client's address: keyed on (channel, id type, address), never on a phone number alone.
contact_points = Table(
    "contact_points",
    metadata,
    text("contact_point_id", key=True),
    firm(),
    ref("contact_id", "contacts.contact_id"),
    text("channel"),
    text("mode", default="governed"),
    text("id_type"),
    text("address"),
    text("label"),
    UniqueConstraint("firm_id", "channel", "id_type", "address"),
)
# The book: which employee serves which contact.
employee_contacts = Table(
    "employee_contacts",
    metadata,
    ref("employee_id", "employees.employee_id", key=True),
    ref("contact_id", "contacts.contact_id", key=True),
    firm(),
)
# `channel` is empty when the consent holds for all channels.
consents = Table(
    "consents",
    metadata,
    ref("contact_id", "contacts.contact_id", key=True),
    text("kind", key=True),
    text("channel", key=True, default=""),
    firm(),
    text("status"),
    maybe_number("decided_at_utc_ms"),
    text("text_version", default=""),
)
# The employee may not write to the contact; `reference` is what Compliance asks to quote.
walls = Table(
    "walls",
    metadata,
    ref("employee_id", "employees.employee_id", key=True),
    ref("contact_id", "contacts.contact_id", key=True),
    firm(),
    text("reference", default=""),
    number("version", default=1),
)
# `connector` names the module of backend/channels; `send_capability` is JSON of
# contract.wire.SendCapability as the connector states it; `settings` is the connector's JSON.
# What the last seven columns are is said in account_tables.
channel_accounts = Table(
    "channel_accounts",
    metadata,
    text("account_id", key=True),
    firm(),
    text("channel"),
    text("mode", default="governed"),
    text("label"),
    flag("pooled"),
    text("connector"),
    text("idempotency"),
    maybe_number("window_s"),
    maybe_number("window_max_messages"),
    Column("send_capability", LargeBinary, nullable=True),
    text("settings", default="{}"),
    text("shown_name", default=""),
    text("language", default="en"),
    text("consent_mode", default="none"),
    maybe_number("watched_from_utc_ms"),
    maybe_number("captured_at_utc_ms"),
    maybe_number("captured_upto_utc_ms"),
    maybe_number("capture_limit_h"),
)
account_members = Table(
    "account_members",
    metadata,
    ref("account_id", "channel_accounts.account_id", key=True),
    ref("employee_id", "employees.employee_id", key=True),
    firm(),
)
